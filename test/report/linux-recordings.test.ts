import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'csv-parse/sync';
import { describe, expect, it } from 'vitest';
import { repositoryRoot } from '../support/shared.js';

/** The figures of results/reference/linux-recordings, from the results that another test holds byte for byte. */
const folder = join(repositoryRoot, 'results/reference/linux-recordings');
const rows: Record<string, string>[] = parse(readFileSync(join(folder, 'summary.csv'), 'utf8'), {
  columns: true,
});
const text = readFileSync(join(folder, 'README.md'), 'utf8').replaceAll(/\s+/g, ' ');

const KERNELS = ['linux', 'illumos-vmem', 'netbsd-2012', 'freebsd-vmem', 'freebsd-vm-map'];

function figure(workload: string, backend: string, column: string): number {
  const row = rows.find((each) => each.workload === workload && each.backend === backend);
  if (row === undefined) throw new Error(`no cell ${workload} on ${backend}`);
  return Number(row[column]);
}

function looked(workload: string, backend: string): number {
  return figure(workload, backend, 'searches') + figure(workload, backend, 'lookups');
}

/** The numbers in bold of a section, in order, as they are written. */
function quoted(section: string): string[] {
  const [, body] = new RegExp(`## ${section} (.*?)(?=## |$)`).exec(text)!;
  return [...body!.matchAll(/\*\*(.+?)\*\*/g)].map(([, bold]) => bold!);
}

const spaced = (value: number) => String(value).replaceAll(/\B(?=(\d{3})+$)/g, ' ');
const kilo = (value: number) => `${Math.round(value / 1000)} kB`;
const mega = (value: number) => `${(value / 1e6).toFixed(1)} MB`;

describe('the recordings of Linux on other kernels', () => {
  it('quotes the address space that its results have', () => {
    const spread = (workload: string, backend: string) => figure(workload, backend, 'va_per_peak_live');
    const short = (workload: string, backend: string) =>
      spread(workload, backend).toFixed(backend.startsWith('linux') ? 1 : 2);
    expect(quoted('Address space')).toEqual([
      ...KERNELS.map((backend) => short('fork-storm', backend)),
      ...KERNELS.map((backend) => short('mixed', backend)),
      short('fork-storm', 'linux-nopool'),
      short('mixed', 'linux-nopool'),
      mega(figure('fork-storm', 'linux', 'held_bytes_peak')),
      mega(figure('fork-storm', 'linux', 'peak_live_bytes')),
    ]);
  });

  it('quotes metadata, work and locks', () => {
    const metadata = KERNELS.map((backend) => kilo(figure('fork-storm', backend, 'metadata_bytes_peak')));
    const tags = ['illumos-vmem', 'freebsd-vm-map'].map((backend) =>
      String(figure('fork-storm', backend, 'tags_peak')),
    );
    expect(quoted('Metadata')).toEqual([...metadata, ...tags]);
    expect(text).toContain(`${figure('fork-storm', 'linux', 'tags_peak')} ranges are the reason`);
    const spared = 1 - looked('fork-storm', 'linux') / looked('fork-storm', 'linux-nopool');
    expect(quoted('Work')).toEqual([
      ...['linux', 'linux-nopool', ...KERNELS.slice(1)].map((backend) =>
        spaced(looked('fork-storm', backend)),
      ),
      `${Math.round(100 * spared)} %`,
      ...['linux', 'linux-nopool'].map((backend) => spaced(looked('mixed', backend))),
    ]);
    expect(quoted('Locks')).toEqual(
      KERNELS.map((backend) => spaced(figure('fork-storm', backend, 'lock_acquisitions'))),
    );
  });

  it('refuses nothing, in any kernel', () => {
    expect(rows.map(({ failures, unserved }) => `${failures} ${unserved}`)).toEqual(rows.map(() => '0 0'));
    expect(figure('fork-storm', 'illumos-vmem', 'arena_allocs')).toBe(302);
    expect(figure('fork-storm', 'illumos-vmem', 'allocs')).toBe(6245);
    expect(figure('fork-storm', 'illumos-vmem', 'peak_live_objects')).toBe(903);
  });
});

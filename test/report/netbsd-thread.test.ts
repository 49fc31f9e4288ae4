import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'csv-parse/sync';
import { describe, expect, it } from 'vitest';
import { repositoryRoot } from '../support/shared.js';

/** The claims of results/reference/netbsd-kmem-pool-uvm, on the results that another test holds byte for byte. */
const folder = join(repositoryRoot, 'results/reference/netbsd-kmem-pool-uvm');
const rows: Record<string, string>[] = parse(readFileSync(join(folder, 'summary.csv'), 'utf8'), {
  columns: true,
});
const text = readFileSync(join(folder, 'README.md'), 'utf8');

function figure(workload: string, backend: string, column: string): number {
  const row = rows.find((each) => each.workload === workload && each.backend === backend);
  if (row === undefined) throw new Error(`no cell ${workload} on ${backend}`);
  return Number(row[column]);
}

const THREAD = { 'netbsd-b': 100_000, 'netbsd-c': 400_000 } as const;
const OPTIONS = ['netbsd-b', 'netbsd-c', 'netbsd-2012', 'netbsd-yamamoto'];
/** Options whose maps manage wired memory. */
const MAPS = ['netbsd-2011', 'netbsd-a', 'netbsd-a-16'];
const WIRED = ['fit', 'fit-frag', 'mixed-frag', 'single-pages'];

describe('the thread of 2011', () => {
  it.each([
    ['fit', 0.15],
    ['fit-frag', 0.1],
  ])('counts what %s counts, within %d', (workload, tolerance) => {
    for (const [backend, counted] of Object.entries(THREAD)) {
      const tags = figure(workload, backend, 'allocated_tags');
      expect(Math.abs(tags / counted - 1), backend).toBeLessThan(tolerance);
    }
    const entries = figure(workload, 'netbsd-a', 'allocated_entries');
    expect(Math.abs(entries / 30_000 - 1)).toBeLessThan(tolerance);
  });

  it('is neither fitted by other quantum caches nor by single pages alone', () => {
    expect(figure('fit', 'netbsd-2012', 'allocated_tags')).toBeLessThan(20_000);
    expect(figure('fit', 'netbsd-b-q2', 'allocated_tags')).toBeGreaterThan(120_000);
    expect(figure('single-pages', 'netbsd-b', 'allocated_tags')).toBeLessThan(60_000);
  });

  it('is right about c: two tags more for each allocation', () => {
    const more = figure('fit', 'netbsd-c', 'allocated_tags') - figure('fit', 'netbsd-b', 'allocated_tags');
    expect(Math.abs(more / (2 * 150_100) - 1)).toBeLessThan(0.05);
  });

  it('is right about frees: they allocate nothing from a heap, and do where a map merges', () => {
    for (const backend of OPTIONS) {
      for (const workload of WIRED) expect(figure(workload, backend, 'free_allocates')).toBe(0);
      expect(figure('one-map', backend, 'merged_mappings')).toBeGreaterThan(0);
      expect(figure('one-map', backend, 'free_allocates')).toBeGreaterThan(0);
      expect(figure('one-map', backend, 'hangs')).toBe(0);
    }
    for (const backend of MAPS.slice(0, 2)) {
      expect(figure('fit-frag', backend, 'free_allocates')).toBeGreaterThan(10_000);
    }
  });

  it('has its table in the text', () => {
    const lines = [...text.matchAll(/^\| (netbsd-\S+) \| \S+ ?\S* \| ([\d ]+) \| \S+ \| ([\d ]+) \|/gm)];
    expect(lines.map(([, backend]) => backend).sort()).toEqual([...MAPS, ...OPTIONS, 'netbsd-b-q2'].sort());
    for (const [, backend, fit, grown] of lines) {
      const column = MAPS.includes(backend!) ? 'allocated_entries' : 'allocated_tags';
      expect(Number(fit!.replaceAll(' ', '')), backend).toBe(figure('fit', backend!, column));
      expect(Number(grown!.replaceAll(' ', '')), backend).toBe(figure('fit-frag', backend!, column));
    }
  });
});

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'csv-parse/sync';
import { SaxesParser } from 'saxes';
import { describe, expect, it } from 'vitest';
import { RULE_SETS } from '../../src/memlock/rule-sets.js';
import type { FigureGroup } from '../../src/report/content.js';
import { Results } from '../../src/report/read-results.js';
import { ReportData } from '../../src/report/report-data.js';
import { memlockSection } from '../../src/report/sections/memlock.js';
import { runCli } from '../support/run-cli.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { toyResults } from '../support/toy-results.js';

const FLEET = 'passthrough-fleet:duration=24h';

function groupOf(path: string): FigureGroup | undefined {
  const blocks = memlockSection.render(new ReportData(Results.open(path), []));
  return blocks?.[0] as FigureGroup | undefined;
}

/** Results of three workloads before two backends. */
async function fleetResults(): Promise<string> {
  const path = join(temporaryFolder(), 'fleet');
  const workloads = ['-w', FLEET, '-w', `${FLEET},memlock=ppc64le`, '-w', 'guest:duration=24h,arrival=10min'];
  const backends = ['-b', 'bhyve-reservoir:physmem=1TiB', '-b', 'first-fit-map:arena_size=4TiB'];
  const options = ['--samples', '12', '--out', path];
  const { stderr, exitCode } = await runCli(['run', ...workloads, ...backends, ...options]);
  expect([exitCode, stderr]).toEqual([0, expect.any(String)]);
  return path;
}

async function fleetGroup(): Promise<FigureGroup> {
  return groupOf(await fleetResults())!;
}

describe('the tables of locked-memory limits', () => {
  it.each(['memlock', 'memlock-timeline'])('are the same on every backend: %s.csv', async (name) => {
    const text = readFileSync(join(await fleetResults(), `${name}.csv`), 'utf8');
    const rows: Record<string, string>[] = parse(text, { columns: true });
    const backends = [...new Set(rows.map(({ backend }) => backend))];
    const of = (wanted: string) =>
      rows.filter(({ backend }) => backend === wanted).map(({ backend: _backend, ...rest }) => rest);
    expect(backends).toHaveLength(2);
    expect(of(backends[0]!).length).toBeGreaterThanOrEqual(2 * RULE_SETS.length);
    expect(of(backends[0]!)).toEqual(of(backends[1]!));
  });
});

describe('the section on locked-memory limits', () => {
  it('has a figure for each workload whose guests are followed, and none for others', async () => {
    const group = await fleetGroup();
    expect(group.figures.map(({ id }) => id)).toEqual(['memlock-1', 'memlock-2']);
    expect(groupOf(await toyResults())).toBeUndefined();
  });

  it('has a line for rule sets that are the same, and what is locked', async () => {
    const group = await fleetGroup();
    const labels = group.figures.map(({ lines }) => lines.map(({ label }) => label));
    expect(labels[0]!.slice(0, 2)).toEqual(['locked', '2015-11-11 to 1.3.0']);
    expect(labels[0]!.at(-1)).toBe('7.2.0 to 9.4.0');
    expect(labels[1]!.slice(0, 3)).toEqual(['locked', '2015-11-11', 'posted']);
    for (const { lines } of group.figures) {
      for (const { values } of lines) expect(values).toHaveLength(12);
    }
  });

  it('shows figures of the table: on ppc64 the limits as posted cover what is locked', async () => {
    const group = await fleetGroup();
    const [head, ...rows] = group.figures[1]!.data;
    expect(head).toEqual(['workload', 'rules', 'time_h', 'bytes']);
    const bytes = (rules: string) => rows.filter((row) => row[1] === rules).map((row) => Number(row[3]));
    const locked = bytes('locked');
    const ending = (rules: string) => bytes(rules).at(-1)! - locked.at(-1)!;
    expect(ending('posted')).toBeGreaterThan(0);
    expect(bytes('posted').every((limit, index) => limit >= locked[index]!)).toBe(true);
    expect(locked.some((value) => value > 0)).toBe(true);
  });

  it('draws pictures of one height in well-formed XML, with steps and a legend', async () => {
    const group = await fleetGroup();
    const heights = group.figures.map(({ svg }) => {
      const picture = svg();
      const parser = new SaxesParser();
      parser.on('error', (error) => {
        throw error;
      });
      parser.write(picture).close();
      expect(picture).toContain('>locked</text>');
      expect(picture).toContain('simulated time, h');
      return / height="(\d+)"/.exec(picture)![1];
    });
    expect(new Set(heights).size).toBe(1);
  });
});

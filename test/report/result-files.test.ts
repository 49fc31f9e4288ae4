import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Type } from '@sinclair/typebox';
import { parse } from 'csv-parse/sync';
import { describe, expect, it } from 'vitest';
import { constraintTable } from '../../src/core/request.js';
import { parseComponents } from '../../src/harness/component.js';
import { type CellPlan, type Plan, planSuite } from '../../src/harness/plan.js';
import { REGISTRIES, type Registries } from '../../src/harness/registries.js';
import { ResultFolder } from '../../src/harness/result-folder.js';
import type { Column } from '../../src/probe/contract.js';
import { columnReference } from '../../src/report/column-reference.js';
import { type RunOutcome, recordRun } from '../../src/report/record-run.js';
import { RESULT_TABLES } from '../../src/report/tables.js';
import { TIMING_TABLES } from '../../src/report/timing-tables.js';
import { TABLE_FILES, writeTables } from '../../src/report/write-tables.js';
import { COMMON_FILES } from '../support/result-files.js';
import { repositoryRoot } from '../support/shared.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { TOYS } from '../support/toy.js';
import { toySuite } from '../support/toy-suite.js';

interface Resource {
  readonly path: string;
  readonly bytes: number;
  readonly hash: string;
  readonly schema: {
    readonly fields: readonly { readonly name: string; readonly type: string }[];
    readonly primaryKey: readonly string[];
  };
}

/** The toys, and a workload that never asks for anything. */
const VARIED: Registries = {
  ...TOYS,
  workloads: [
    ...TOYS.workloads,
    {
      name: 'idle-load',
      summary: 'asks for nothing',
      parameters: Type.Object({}),
      create: () => ({
        name: 'idle-load',
        objectLimit: 1,
        cpus: 1,
        classes: [],
        constraints: constraintTable([]),
        durationNs: 10,
        provenance: {},
        start: () => {},
      }),
    },
  ],
};

function toyPlan(seeds = [1, 2]): Plan {
  return planSuite({ ...toySuite(), seeds }, TOYS, '1');
}

async function record(
  path: string,
  plan = toyPlan(),
  signal = new AbortController().signal,
  registries = VARIED,
): Promise<RunOutcome> {
  const folder = ResultFolder.open(path, 'resume', TABLE_FILES);
  try {
    return await recordRun(plan, folder, {
      workers: 0,
      signal,
      registries,
      version: '1',
      onProgress: () => {},
    });
  } finally {
    folder.close();
  }
}

function tables(path: string): string[] {
  return COMMON_FILES.map((name) => readFileSync(join(path, name), 'utf8'));
}

describe('a folder of results', () => {
  it('has tables that the data package describes: columns, types, keys, digests', async () => {
    const path = temporaryFolder();
    await record(path);
    const { resources } = JSON.parse(readFileSync(join(path, 'datapackage.json'), 'utf8')) as {
      resources: Resource[];
    };
    expect(resources.map((resource) => resource.path)).toEqual([
      'summary.csv',
      'samples.csv',
      'tags.csv',
      'caches.csv',
      'spectrum.csv',
      'unusable.csv',
      'failures.csv',
      'locks.csv',
      'work.csv',
      'sizes.csv',
      'lifetimes.csv',
    ]);
    for (const resource of resources) {
      const text = readFileSync(join(path, resource.path));
      expect(text.length).toBe(resource.bytes);
      expect(`sha256:${createHash('sha256').update(text).digest('hex')}`).toBe(resource.hash);
      const rows: Record<string, string>[] = parse(text, { columns: true });
      const { fields, primaryKey } = resource.schema;
      const [header] = parse(text, { to_line: 1 }) as string[][];
      expect(header).toEqual(fields.map(({ name }) => name));
      for (const { name, type } of fields) {
        const pattern =
          type === 'integer' ? /^\d*$/ : type === 'number' ? /^(-?\d+(\.\d+)?(e[+-]\d+)?)?$/ : /^/;
        for (const row of rows) expect(row[name]).toMatch(pattern);
      }
      expect(new Set(rows.map((row) => primaryKey.map((key) => row[key]).join('\0'))).size).toBe(rows.length);
    }
  });

  it('has a row of summary.csv per cell, of samples.csv per sample, of tags.csv per sample and arena, of caches.csv per cache', async () => {
    const path = temporaryFolder();
    await record(path);
    const rows = (name: string) => parse(readFileSync(join(path, name), 'utf8'), { columns: true });
    expect(rows('summary.csv')).toHaveLength(4);
    expect(rows('samples.csv')).toHaveLength(4 * 8);
    expect(rows('tags.csv')).toHaveLength(4 * 8);
    expect(rows('caches.csv')).toHaveLength(4);
    expect(rows('unusable.csv')).toHaveLength(4 * 8);
    expect(rows('failures.csv')).toHaveLength(4);
    expect(rows('failures.csv')[0]).toMatchObject({ workload: 'toy-load', class: 'kmem' });
    expect(rows('spectrum.csv')[0]).toMatchObject({ sample: '0', time_ns: '500', arena: 'toy' });
    expect(rows('caches.csv')[0]).toMatchObject({ arena: 'toy', cache: 'toy_32', magazine_hit_rate: '0.75' });
    expect(rows('tags.csv')[0]).toMatchObject({
      arena: 'toy',
      source: '',
      span_tags: '1',
      total_bytes: '65536',
    });
  });

  it('has the parameters that the suite varies as columns of every table, empty where there is no such parameter', async () => {
    const path = temporaryFolder();
    const text = ['toy-fit:policy=first|best', 'toy-fit:size=32KiB'];
    const backends = text.flatMap((one) => parseComponents('backend', one, TOYS.backends, '/'));
    const workloads = ['toy-load:events=10|20', 'idle-load'].flatMap((one) =>
      parseComponents('workload', one, VARIED.workloads, '/'),
    );
    await record(path, planSuite({ ...toySuite(), workloads, backends }, VARIED, '1'));
    const { resources } = JSON.parse(readFileSync(join(path, 'datapackage.json'), 'utf8')) as {
      resources: Resource[];
    };
    for (const { schema } of resources) {
      expect(schema.fields.slice(2, 6)).toMatchObject([
        { name: 'seed' },
        {
          name: 'workload.events',
          type: 'integer',
          unit: 'count',
          description: 'Parameter of the workload: Requests.',
        },
        { name: 'backend.policy', type: 'string' },
        expect.anything(),
      ]);
      expect(schema.primaryKey.slice(0, 3)).toEqual(['workload', 'backend', 'seed']);
    }
    const rows: Record<string, string>[] = parse(readFileSync(join(path, 'summary.csv')), { columns: true });
    expect(rows.map((row) => [row['workload.events'], row['backend.policy'], row.cpus])).toEqual([
      ['10', 'first', '2'],
      ['10', 'best', '2'],
      ['10', 'first', '2'],
      ['20', 'first', '2'],
      ['20', 'best', '2'],
      ['20', 'first', '2'],
      ['', 'first', '1'],
      ['', 'best', '1'],
      ['', 'first', '1'],
    ]);
  });

  it('has the same tables whatever the order in which cells end', async () => {
    const [first, second] = [temporaryFolder(), temporaryFolder()];
    const plan = toyPlan();
    await record(first, plan);
    const reversed: Plan = { ...plan, cells: [...plan.cells].reverse() };
    await record(second, reversed);
    writeTables(ResultFolder.open(second, 'resume', TABLE_FILES), plan);
    expect(tables(second)).toEqual(tables(first));
  });

  it('keeps its finished cells when it is interrupted, and resumes with those alone that are missing', async () => {
    const [whole, parts] = [temporaryFolder(), temporaryFolder()];
    const plan = toyPlan();
    await record(whole, plan);
    const interrupt = new AbortController();
    const folder = ResultFolder.open(parts, 'refuse', TABLE_FILES);
    const ended: number[] = [];
    const options = { workers: 0, registries: TOYS, version: '1' };
    const stopAtTwo = (finished: number) => finished === 2 && interrupt.abort();
    const outcome = await recordRun(plan, folder, {
      ...options,
      signal: interrupt.signal,
      onProgress: stopAtTwo,
    });
    expect(outcome).toMatchObject({ interrupted: true, failed: [], finished: plan.cells.slice(0, 2) });
    expect(() => tables(parts)).toThrow('ENOENT');
    const { signal } = new AbortController();
    await recordRun(plan, folder, { ...options, signal, onProgress: (finished) => ended.push(finished) });
    expect(ended).toEqual([2, 3, 4]);
    expect(tables(parts)).toEqual(tables(whole));
    expect(JSON.parse(readFileSync(join(parts, 'run.json'), 'utf8')).status).toBe('complete');
  });

  it('has all tables or none of a run: one that cannot be written leaves nothing of the others', async () => {
    const path = temporaryFolder();
    const folder = ResultFolder.open(path, 'resume', TABLE_FILES);
    mkdirSync(join(path, 'tags.csv.part'));
    const options = { workers: 0, registries: TOYS, version: '1', onProgress: () => {} };
    await expect(
      recordRun(toyPlan([1]), folder, { ...options, signal: new AbortController().signal }),
    ).rejects.toThrow('tags.csv: cannot write');
    expect(folder.abandon()).toBe(2);
    expect(readdirSync(path).sort()).toEqual(['cells', 'run.json', 'tags.csv.part']);
  });

  it('is without tables that no cell has a row of, and removes one that an earlier version has left', async () => {
    const path = temporaryFolder();
    await record(path, toyPlan([1]));
    writeFileSync(join(path, 'swap.csv'), 'workload,backend,seed\n');
    await record(path, toyPlan([1]));
    const described = JSON.parse(readFileSync(join(path, 'datapackage.json'), 'utf8')).resources;
    expect(described.map((resource: Resource) => resource.path)).toEqual(COMMON_FILES.slice(0, -1));
    expect(readdirSync(path).sort()).toEqual([...COMMON_FILES, 'cells', 'run.json'].sort());
  });

  it('has the table of a few backends or workloads where one of the run is of them', async () => {
    const path = temporaryFolder();
    const components = (kind: 'workload' | 'backend', text: string) =>
      parseComponents(kind, text, REGISTRIES[`${kind}s`], path);
    const suite = {
      ...toySuite(),
      workloads: components('workload', 'kstack:threads=20,duration=1s'),
      backends: [...components('backend', 'illumos-segkp-heap'), ...components('backend', 'first-fit-map')],
    };
    await record(path, planSuite(suite, REGISTRIES, '1'), undefined, REGISTRIES);
    const rows: Record<string, string>[] = parse(readFileSync(join(path, 'segkp.csv')), { columns: true });
    expect(new Set(rows.map(({ backend }) => backend))).toEqual(new Set(['illumos-segkp-heap']));
    expect(readdirSync(path).sort()).toEqual([...COMMON_FILES, 'segkp.csv', 'cells', 'run.json'].sort());
  });

  it('runs a cell again whose configuration has changed', async () => {
    const path = temporaryFolder();
    await record(path, toyPlan([1]));
    const folder = ResultFolder.open(path, 'resume', TABLE_FILES);
    const [cell] = planSuite({ ...toySuite(), samples: 9 }, TOYS, '1').cells as [CellPlan];
    expect(folder.storedCell(cell)).toBeUndefined();
    expect(folder.storedCell(toyPlan([1]).cells[0]!)).toMatchObject({ id: cell.id });
  });

  it('refuses a stored cell whose figures were edited', async () => {
    const path = temporaryFolder();
    await record(path);
    const [cell] = toyPlan().cells as [CellPlan];
    const file = join(path, 'cells', `${cell.id}.json`);
    writeFileSync(file, readFileSync(file, 'utf8').replace('"summary":[', '"summary":[1'));
    const folder = ResultFolder.open(path, 'resume', TABLE_FILES);
    expect(() => folder.readCell(cell)).toThrow('its digest does not fit its figures');
    writeFileSync(file, '{');
    expect(() => folder.readCell(cell)).toThrow('damaged result');
  });

  it('records what the tables must not contain', async () => {
    const path = temporaryFolder();
    await record(path);
    const run = JSON.parse(readFileSync(join(path, 'run.json'), 'utf8'));
    expect(run).toMatchObject({ format: 'kvabench run 1', status: 'complete', version: '1', seeds: [1, 2] });
    expect(run.machine.node).toBe(process.versions.node);
    expect(run.cells[0].configuration.workload.provenance).toEqual({ note: 'toy' });
    expect(Date.parse(run.started)).not.toBeNaN();
  });
});

describe('docs/results.md', () => {
  it('lists every column as it is declared', async () => {
    const path = join(repositoryRoot, 'docs/results.md');
    const text = readFileSync(path, 'utf8');
    const marker = '<!-- columns: generated, `npx vitest run test/report -u` brings them up to date -->\n';
    const [before] = text.split(marker);
    expect(text).toContain(marker);
    await expect(`${before}${marker}\n${columnReference()}`).toMatchFileSnapshot(path);
  });

  it('has no two tables or columns of one name', () => {
    const all = [...RESULT_TABLES, ...TIMING_TABLES];
    expect(new Set(all.map(({ name }) => name)).size).toBe(all.length);
    for (const { columns } of all) {
      expect(new Set(columns.map(({ name }) => name)).size).toBe(columns.length);
    }
  });

  it('has no table in which exact and measured values meet', () => {
    const kindsOf = ({ columns }: { columns: readonly Column[] }) => [
      ...new Set(columns.map(({ kind }) => kind)),
    ];
    for (const table of RESULT_TABLES) expect(kindsOf(table), table.name).toEqual(['exact']);
    for (const table of TIMING_TABLES) expect(kindsOf(table), table.name).toEqual(['measured']);
  });
});

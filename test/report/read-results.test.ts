import { createHash } from 'node:crypto';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { InputError } from '../../src/core/errors.js';
import { csvText } from '../../src/report/csv.js';
import { Results } from '../../src/report/read-results.js';
import { type StoredField, StoredTable } from '../../src/report/stored-table.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { toyResults } from '../support/toy-results.js';

const FIELDS: readonly StoredField[] = [
  { name: 'label', type: 'string', kind: 'exact', better: 'none', description: '' },
  { name: 'count', type: 'integer', unit: 'count', kind: 'exact', better: 'less', description: '' },
];

function written(text: string): { path: string; digest: string } {
  const path = join(temporaryFolder(), 'table.csv');
  writeFileSync(path, text);
  return { path, digest: createHash('sha256').update(text).digest('hex') };
}

function readTable(text: string): StoredTable {
  const { path, digest } = written(text);
  return StoredTable.read(path, { name: 'table', title: '', fields: FIELDS, digest });
}

/** Changes a JSON file of a folder. */
function edit(path: string, change: (content: Record<string, unknown>) => void): void {
  const content = JSON.parse(readFileSync(path, 'utf8'));
  change(content);
  writeFileSync(path, JSON.stringify(content));
}

describe('a stored table', () => {
  it('has every field as it was before it was written', () => {
    const label = fc.oneof(
      fc.string(),
      fc.string({ unit: fc.constantFrom("'", '=', '+', '-', '@', '\t', '\n', ',', '"', '＝') }),
    );
    const number = fc.oneof(fc.constant(Number.NaN), fc.double({ noNaN: true, noDefaultInfinity: true }));
    fc.assert(
      fc.property(fc.array(fc.tuple(label, number)), (rows) => {
        const { path, digest } = written(csvText([['label', 'count'], ...rows]));
        const table = StoredTable.read(path, { name: 'table', title: '', fields: FIELDS, digest });
        expect(table.rows).toBe(rows.length);
        expect(table.texts('label')).toEqual(rows.map(([text]) => text));
        expect([...table.numbers('count')]).toEqual(rows.map(([, value]) => value + 0));
      }),
    );
  });

  it.each([
    ['label,other\n', /table.csv:1: column 2 is 'other' \(allowed: count\)/],
    ['label\n', /table.csv:1: column 2 is '' \(allowed: count\)/],
    ['label,count,more\n', /table.csv:1: unknown column 'more'/],
    ['label,count\na,1\nb\n', /table.csv:3: 1 fields instead of 2/],
    ['label,count\na,1\nb,many\n', /table.csv:3: count: 'many' is no number \(allowed: an integer\)/],
    ['label,count\n"a"b,1\n', /table.csv:2: a quoted field does not end/],
    ['label,count\n"a\nb",1\n"c,2\n', /table.csv:4: a quoted field does not end/],
    ['', /table.csv: the table is empty/],
  ])('of %j is refused', (text, message) => {
    expect(() => readTable(text)).toThrow(InputError);
    expect(() => readTable(text)).toThrow(message);
  });

  it('is refused when a figure has been changed since', () => {
    const { path, digest } = written('label,count\na,1\n');
    writeFileSync(path, 'label,count\na,2\n');
    expect(() => StoredTable.read(path, { name: 'table', title: '', fields: FIELDS, digest })).toThrow(
      /not the one that was written/,
    );
  });

  it('tells text from numbers', () => {
    const table = readTable('label,count\na,1\n');
    expect(() => table.numbers('label')).toThrow(/label: the column holds text/);
    expect(() => table.texts('count')).toThrow(/count: the column holds numbers/);
    expect(() => table.numbers('depth')).toThrow(/depth: the column is missing: .*another version/);
  });
});

describe('a folder of results', () => {
  it('has its cells, and the rows of each', async () => {
    const results = Results.open(await toyResults({ seeds: [1, 2] }));
    expect(results.cells.map(({ backend, seed }) => [backend, seed])).toEqual([
      ['toy-fit', 1],
      ['toy-fit:size=32KiB', 1],
      ['toy-fit', 2],
      ['toy-fit:size=32KiB', 2],
    ]);
    const samples = results.table('samples');
    const cells = samples.byCell();
    expect(cells.map(({ backend, seed }) => [backend, seed])).toEqual(
      results.cells.map(({ backend, seed }) => [backend, seed]),
    );
    expect(cells.map(({ from }) => samples.numbers('sample')[from])).toEqual([0, 0, 0, 0]);
    expect(cells.at(-1)!.to).toBe(samples.rows);
    expect(results.table('samples')).toBe(samples);
    expect(results.has('timing')).toBe(false);
  });

  it('that is none, unfinished, of another version or broken is refused by file and field', async () => {
    expect(() => Results.open(join(temporaryFolder(), 'none'))).toThrow(/no such folder/);
    expect(() => Results.open(temporaryFolder())).toThrow(/no results: run.json is missing/);
    const path = await toyResults();
    const run = join(path, 'run.json');
    const whole = readFileSync(run, 'utf8');
    edit(run, (content) => {
      content.format = 'kvabench run 2';
    });
    expect(() => Results.open(path)).toThrow(/run.json: format: results of format "kvabench run 2"/);
    writeFileSync(run, whole.replace('"complete"', '"running"'));
    expect(() => Results.open(path)).toThrow(/run.json: status: the run has not been finished/);
    writeFileSync(run, whole.replace('"seeds": [', '"seeds": ["x",'));
    expect(() => Results.open(path)).toThrow(/run.json: seeds.0: "x" is not acceptable/);
    writeFileSync(run, whole.slice(1));
    expect(() => Results.open(path)).toThrow(/run.json: broken JSON/);
    writeFileSync(run, '[]');
    expect(() => Results.open(path)).toThrow(InputError);
    writeFileSync(run, whole);
    edit(join(path, 'datapackage.json'), (content) => {
      (content.resources as { name: string }[])[0]!.name = '../../summary';
    });
    expect(() => Results.open(path)).toThrow(/datapackage.json: resources.0.name/);
    rmSync(join(path, 'datapackage.json'));
    expect(() => Results.open(path)).toThrow(/cannot read/);
  });

  it('without a table says which', async () => {
    const path = await toyResults();
    expect(() => Results.open(path).table('none')).toThrow(/none.csv: datapackage.json knows no such table/);
    rmSync(join(path, 'summary.csv'));
    expect(() => Results.open(path).table('summary')).toThrow(/summary.csv: cannot read the table/);
  });
});

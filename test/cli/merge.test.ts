import { cpSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { mergeCommand } from '../../src/cli/commands/merge.js';
import { runCommandWith } from '../../src/cli/commands/run.js';
import { type CellResult, digestResult } from '../../src/harness/cell.js';
import { COMMON_FILES } from '../support/result-files.js';
import { type CliResult, runCli } from '../support/run-cli.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { TOYS } from '../support/toy.js';

/** Twelve cells, which do not divide by five; sizes are swept, so that tables have a column for them. */
const SUITE = `name: toys
description: Toys in parts.
workloads: [toy-load, {workload: toy-load, name: longer, events: 500}]
backends: [toy-fit, {backend: toy-fit, size: [16KiB, 32KiB]}]
seeds: [1, 2]
samples: 4
`;

let folder: string;
let suite: string;

beforeEach(() => {
  folder = temporaryFolder();
  suite = join(folder, 'toys.yaml');
  writeFileSync(suite, SUITE);
});

const at = (name: string): string => join(folder, name);

async function run(name: string, ...argv: string[]): Promise<string> {
  const result = await runCli(['run', suite, '--workers', '0', '--out', at(name), ...argv], '', [
    runCommandWith(TOYS),
  ]);
  expect(result.stderr).toBe('');
  return at(name);
}

async function shards(count: number): Promise<string[]> {
  const folders: string[] = [];
  for (let index = 1; index <= count; index++) {
    folders.push(await run(`${index}of${count}`, '--shard', `${index}/${count}`));
  }
  return folders;
}

function merge(...argv: string[]): Promise<CliResult> {
  return runCli(['merge', ...argv], '', [mergeCommand]);
}

function read(path: string, name: string): string {
  return readFileSync(join(path, name), 'utf8');
}

/** Everything in run.json that does not depend on machine and moment, as text. */
function portableRecord(path: string): string {
  const { started, machine, commit, shards: _, ...rest } = JSON.parse(read(path, 'run.json'));
  expect([typeof started, typeof machine, typeof commit]).toEqual(['string', 'object', 'string']);
  return JSON.stringify(rest);
}

function expectSame(merged: string, whole: string): void {
  expect(readdirSync(merged).sort()).toEqual(readdirSync(whole).sort());
  for (const name of COMMON_FILES) expect(read(merged, name), name).toBe(read(whole, name));
  const cells = readdirSync(join(whole, 'cells'));
  expect(readdirSync(join(merged, 'cells')).sort()).toEqual(cells.sort());
  for (const name of cells) expect(read(merged, join('cells', name))).toBe(read(whole, join('cells', name)));
  expect(portableRecord(merged)).toBe(portableRecord(whole));
}

async function refusal(...argv: string[]): Promise<string> {
  const result = await merge(...argv, '--out', at('out'));
  expect(result).toMatchObject({ exitCode: 1, stdout: '' });
  expect(result.stderr).toMatch(/^kvabench: [^\n]+\n$/);
  expect(existsSync(at('out'))).toBe(false);
  return result.stderr.replaceAll(`${folder}/`, '');
}

function edit(path: string, name: string, from: string | RegExp, to: string): void {
  const text = read(path, name);
  expect(text).toMatch(from);
  writeFileSync(join(path, name), text.replace(from, to));
}

describe('kvabench merge', () => {
  it.each([1, 3, 5, 13])(
    'puts %i shards together to the bytes of an undivided run, in any order',
    async (count) => {
      const whole = await run('whole');
      const parts = await shards(count);
      const result = await merge(...parts.reverse(), '--out', at('out'));
      expect(result).toEqual({
        exitCode: 0,
        stderr: '',
        stdout: `12 cells of ${count} of ${count} shards\nresults: ${at('out')}\n`,
      });
      expectSame(at('out'), whole);
      const { shards: origin } = JSON.parse(read(at('out'), 'run.json'));
      expect(origin).toMatchObject({ count, missing: [] });
      expect(origin.parts.map(({ index }: { index: number }) => index)).toEqual(
        Array.from({ length: count }, (_, index) => index + 1),
      );
      expect(await runCli(['compare', whole, at('out')])).toMatchObject({ exitCode: 0 });
    },
  );

  it('carries address-space maps along, of any shard that has one of a cell', async () => {
    const whole = await run('whole', '--map');
    const [first, second] = await shards(2);
    const mapped = await run('mapped', '--shard', '2/2', '--map');
    const half = await merge(first!, second!, mapped, '--out', at('half'));
    expect(half).toMatchObject({ exitCode: 0, stderr: '' });
    const maps = readdirSync(join(mapped, 'maps'));
    expect(readdirSync(join(at('half'), 'maps')).sort()).toEqual(maps.sort());
    await run('1of2', '--shard', '1/2', '--map', '--force');
    const result = await merge(first!, mapped, '--out', at('out'));
    expect(result).toMatchObject({ exitCode: 0, stderr: '' });
    expectSame(at('out'), whole);
    for (const name of readdirSync(join(whole, 'maps'))) {
      expect(read(at('out'), join('maps', name))).toBe(read(whole, join('maps', name)));
    }
    writeFileSync(join(mapped, 'maps', maps[0]!), '{}');
    rmSync(at('out'), { recursive: true });
    expect(await refusal(first!, mapped)).toMatch(/not an address-space map of this version/);
  });

  it('takes a shard that was run twice, if its results are equal', async () => {
    const whole = await run('whole');
    const [one, two] = (await shards(2)) as [string, string];
    cpSync(one, at('again'), { recursive: true });
    expect(await merge(one, two, at('again'), '--out', at('out'))).toMatchObject({ exitCode: 0 });
    expectSame(at('out'), whole);
  });

  it('refuses unequal results of one cell, and names it', async () => {
    const [one, two] = (await shards(2)) as [string, string];
    const other = await run('other', '--shard', '1/2', '-b', 'toy-fit', '-b', 'toy-fit:size=16KiB|64KiB');
    expect(await refusal(one, two, other)).toBe(
      'kvabench: other: cells toy-load.toy-fit_size_32KiB.s1 and toy-load.toy-fit_size_64KiB.s1: another configuration than in 1of2 (allowed: equal results where several shards have a cell)\n',
    );
    cpSync(one, at('changed'), { recursive: true });
    const file = join(at('changed'), 'cells', 'toy-load.toy-fit.s1.json');
    const cell: CellResult = JSON.parse(readFileSync(file, 'utf8'));
    const summary = [cell.summary[0]! + 1, ...cell.summary.slice(1)];
    const resultDigest = digestResult(cell.placementDigest, cell.samples, summary);
    writeFileSync(file, JSON.stringify({ ...cell, summary, resultDigest }));
    expect(await refusal(one, two, at('changed'))).toBe(
      'kvabench: changed: cell toy-load.toy-fit.s1: another result than in 1of2 (allowed: equal results where several shards have a cell)\n',
    );
  });

  it('takes the parts that are there, warns of those that are not and records them', async () => {
    const [one, , three] = (await shards(3)) as [string, string, string];
    const result = await merge(one, three, '--out', at('out'));
    expect(result).toMatchObject({
      exitCode: 0,
      stdout: `8 cells of 2 of 3 shards\nresults: ${at('out')}\n`,
    });
    expect(result.stderr).toBe('kvabench: the cells of shard 2 of 3 are missing\n');
    const record = JSON.parse(read(at('out'), 'run.json'));
    expect(record.shards).toMatchObject({ count: 3, missing: [2] });
    const ids = record.cells.map(({ id }: { id: string }) => id);
    const whole = JSON.parse(read(await run('whole'), 'run.json')).cells.map(({ id }: { id: string }) => id);
    expect(ids).toEqual(whole.filter((_: string, index: number) => index % 3 !== 1));
    const again = await merge(at('out'), '--out', at('twice'));
    expect(again).toMatchObject({ exitCode: 1, stdout: '' });
    expect(again.stderr).toContain(
      'the results are merged already (allowed: the shards that they were merged from)',
    );
  });

  it('keeps failed cells with what they died of, unless another part has their results', async () => {
    writeFileSync(suite, SUITE.replace('workloads: [toy-load,', 'workloads: [toy-load, broken-load,'));
    const broken = async (name: string, ...argv: string[]) => {
      const args = ['run', suite, '--workers', '0', '--out', at(name), ...argv];
      expect((await runCli(args, '', [runCommandWith(TOYS)])).exitCode).toBe(1);
      return at(name);
    };
    const whole = await broken('whole');
    const parts = [await broken('one', '--shard', '1/2'), await broken('two', '--shard', '2/2')];
    const result = await merge(...parts, '--out', at('out'));
    expect(result).toMatchObject({ exitCode: 0, stderr: 'kvabench: 6 of 18 cells have failed\n' });
    expectSame(at('out'), whole);
    const failures = readdirSync(join(whole, 'failures'));
    expect(readdirSync(join(at('out'), 'failures'))).toEqual(failures);

    const half = at('half');
    cpSync(parts[0]!, half, { recursive: true });
    const record = JSON.parse(read(half, 'run.json'));
    const { id } = record.cells[0];
    writeFileSync(
      join(half, 'run.json'),
      JSON.stringify({ ...record, failures: [...record.failures, { id, message: 'too slow' }] }),
    );
    rmSync(join(half, 'cells', `${id}.json`));
    for (const order of [
      [half, ...parts],
      [...parts, half],
    ]) {
      expect(await merge(...order, '--out', at('out'), '--force')).toMatchObject({ exitCode: 0 });
      expectSame(at('out'), whole);
    }
  });

  it('refuses what is no part of the same run', async () => {
    const [one] = (await shards(2)) as [string];
    const third = await run('third', '--shard', '2/3');
    expect(await refusal(one, third)).toBe(
      'kvabench: third: no part of the same run as 1of2: other shards (allowed: shards of one run: shards 2)\n',
    );
    const seeds = await run('seeds', '--shard', '2/2', '--seed', '7');
    expect(await refusal(one, seeds)).toContain('other seeds (allowed: shards of one run: seeds [1,2])');
    const samples = await run('samples', '--shard', '2/2', '--samples', '9');
    expect(await refusal(one, samples)).toContain('other samples');
    const plain = await run('plain', '--shard', '2/2', '-b', 'toy-fit');
    expect(await refusal(one, plain)).toContain('other parameters that vary');
    writeFileSync(suite, `${SUITE}\n# changed\n`);
    expect(await refusal(one, await run('edited', '--shard', '2/2'))).toContain(
      'other contents of the suite',
    );
  });

  it('refuses folders that hold no finished results, or damaged ones', async () => {
    const [one, two] = (await shards(2)) as [string, string];
    expect(await refusal(one, at('nowhere'))).toContain('nowhere: no such folder');
    edit(two, 'run.json', '"complete"', '"running"');
    expect(await refusal(one, two)).toContain('the run has not been finished');
    edit(two, 'run.json', '"running"', '"complete"');
    edit(two, 'run.json', '"index": 2', '"index": 3');
    expect(await refusal(one, two)).toContain('2of2: suite.shard: no number of a shard');
    edit(two, 'run.json', '"index": 3', '"index": 2');
    const cell = join('cells', readdirSync(join(two, 'cells'))[0]!);
    edit(two, cell, '"summary":[', '"summary":[1');
    expect(await refusal(one, two)).toContain('its digest does not fit its figures');
    rmSync(join(two, cell));
    expect(await refusal(one, two)).toContain('the result is missing');
  });

  it('leaves results alone that are there already, unless --force says otherwise', async () => {
    const parts = await shards(2);
    const whole = await run('whole');
    const before = read(whole, 'run.json');
    const result = await merge(...parts, '--out', whole);
    expect(result).toMatchObject({ exitCode: 1, stdout: '' });
    expect(result.stderr).toContain(
      'the folder has results (allowed: --force to replace them, or another --out)',
    );
    expect(read(whole, 'run.json')).toBe(before);
    expect(await merge(...parts, '--out', parts[0]!, '--force')).toMatchObject({ exitCode: 0 });
    expectSame(parts[0]!, whole);
    expect(await merge(...parts)).toMatchObject({ exitCode: 1 });
  });
});

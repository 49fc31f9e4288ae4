import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { beforeEach, describe, expect, it } from 'vitest';
import { runCommandWith } from '../../src/cli/commands/run.js';
import { COMMON_FILES } from '../support/result-files.js';
import { type CliResult, runCli } from '../support/run-cli.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { TOYS } from '../support/toy.js';

const SUITE = `name: toys
workloads: [toy-load]
backends: [toy-fit, {backend: toy-fit, name: small, size: 32KiB}]
samples: 6
`;

let folder: string;
let suite: string;
let out: string;

beforeEach(() => {
  folder = temporaryFolder();
  suite = join(folder, 'toys.yaml');
  out = join(folder, 'out');
  writeFileSync(suite, SUITE);
});

function run(...argv: string[]): Promise<CliResult> {
  return runCli(['run', ...argv], '', [runCommandWith(TOYS)]);
}

function read(name: string): string {
  return readFileSync(join(out, name), 'utf8');
}

/** Every file in the folder of results with its contents. */
function contents(path: string): Record<string, string> {
  const names = readdirSync(path, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return Object.fromEntries(
    names.map((entry) => {
      const file = join(entry.parentPath, entry.name);
      return [file, readFileSync(file, 'utf8')];
    }),
  );
}

describe('kvabench run', () => {
  it('runs a suite, prints a table of at most 100 columns and writes the results', async () => {
    const result = await run(suite, '--out', out);
    expect(result).toMatchObject({ exitCode: 0, stderr: '' });
    expect(Math.max(...result.stdout.split('\n').map((line) => line.length))).toBeLessThanOrEqual(
      Math.max(100, `results: ${out}`.length),
    );
    expect(result.stdout).toMatch(/^toy-load, seed 1: 400 events\n/);
    const digests = read('summary.csv')
      .split('\n')
      .slice(1, 3)
      .map((line) => line.split(',').at(-1)!.slice(0, 8));
    for (const digest of digests) expect(result.stdout).toContain(digest);
    expect(readdirSync(out).sort()).toEqual([...COMMON_FILES, 'cells', 'run.json'].sort());
  });

  it('lays its options over the suite', async () => {
    const argv = ['-b', 'toy-fit:size=64KiB,policy=best', '-b', 'toy-fit', '--seed', '3', '--seed', '4'];
    await run(suite, '--out', out, ...argv, '--samples', '2', '--cpus', '4');
    const rows = read('summary.csv')
      .split('\n')
      .slice(1, -1)
      .map((line) => line.replaceAll('"', ''));
    expect(rows).toHaveLength(4);
    expect(rows[0]).toMatch(/^toy-load,toy-fit:size=64KiB,policy=best,3,4,2,4000,/);
    expect(rows[3]).toMatch(/^toy-load,toy-fit,4,4,2,4000,/);
  });

  it('runs workloads of the command line against all backends', async () => {
    const result = await run('-w', 'toy-load:events=40', '--out', out);
    expect(result).toMatchObject({ exitCode: 0 });
    expect(read('summary.csv')).toContain('\ntoy-load:events=40,toy-fit,1,2,200,400,40,');
  });

  it('runs a workload file', async () => {
    const path = join(folder, 'mine.yaml');
    writeFileSync(
      path,
      'name: mine\nparts: [{workload: toy-load, events: 40}, {workload: toy-load, name: b}]\n',
    );
    expect(await run(path, '--out', out)).toMatchObject({ exitCode: 0 });
    expect(read('summary.csv')).toContain('\nmine,toy-fit,1,2,200,');
  });

  it('gives each of several suites its folder', async () => {
    const other = join(folder, 'other.yaml');
    writeFileSync(other, SUITE.replace('toys', 'others'));
    expect(await run(suite, other, '--out', out)).toMatchObject({ exitCode: 0 });
    expect(readdirSync(out).sort()).toEqual(['others', 'toys']);
    expect(await run(suite, suite, '--out', join(folder, 'two'))).toMatchObject({ exitCode: 1 });
  });

  it('refuses a folder that has results and leaves it untouched', async () => {
    await run(suite, '--out', out);
    const before = contents(out);
    const result = await run(suite, '--out', out, '--seed', '2');
    expect(result).toMatchObject({ exitCode: 1, stdout: '' });
    expect(result.stderr).toBe(
      `kvabench: ${out}: the folder has results (allowed: --resume to finish them, --force to replace them, or another --out)\n`,
    );
    expect(contents(out)).toEqual(before);
  });

  it('refuses a folder of something else, with --force too', async () => {
    mkdirSync(out);
    writeFileSync(join(out, 'precious.txt'), 'mine');
    for (const flags of [[], ['--force'], ['--resume']]) {
      const result = await run(suite, '--out', out, ...flags);
      expect(result).toMatchObject({ exitCode: 1 });
      expect(result.stderr).toContain('holds no results of kvabench');
    }
    expect(readdirSync(out)).toEqual(['precious.txt']);
  });

  it('replaces its own results with --force, and nothing else', async () => {
    await run(suite, '--out', out);
    writeFileSync(join(out, 'notes.txt'), 'mine');
    expect(await run(suite, '--out', out, '--force', '-b', 'toy-fit')).toMatchObject({ exitCode: 0 });
    expect(readdirSync(join(out, 'cells'))).toEqual(['toy-load.toy-fit.s1.json']);
    expect(read('notes.txt')).toBe('mine');
  });

  it('keeps earlier results when the new input is bad, with --force too', async () => {
    await run(suite, '--out', out);
    const before = contents(out);
    expect(await run(suite, '--out', out, '--force', '-b', 'toy-fit:size=1')).toMatchObject({ exitCode: 1 });
    expect(contents(out)).toEqual(before);
  });

  it('resumes with the missing cells and writes the same tables', async () => {
    await run(suite, '--out', out);
    const before = [read('summary.csv'), read('samples.csv'), read('tags.csv'), read('datapackage.json')];
    const kept = read('cells/toy-load.small.s1.json');
    rmSync(join(out, 'cells', 'toy-load.toy-fit.s1.json'));
    rmSync(join(out, 'summary.csv'));
    expect(await run(suite, '--out', out, '--resume')).toMatchObject({ exitCode: 0 });
    expect([read('summary.csv'), read('samples.csv'), read('tags.csv'), read('datapackage.json')]).toEqual(
      before,
    );
    expect(read('cells/toy-load.small.s1.json')).toBe(kept);
  });

  it('writes the same tables when one thread runs the cells and when none may', async () => {
    await run(suite, '--out', out, '--workers', '0');
    const one = contents(out);
    await run(suite, '--out', join(folder, 'again'), '--workers', '2');
    expect(readFileSync(join(folder, 'again', 'summary.csv'), 'utf8')).toBe(one[join(out, 'summary.csv')]);
  });

  it('reports cells that fail, runs the others and writes complete tables of these', async () => {
    writeFileSync(suite, SUITE.replace('[toy-load]', '[broken-load, toy-load]'));
    const result = await run(suite, '--out', out);
    const failed = 'broken-load.toy-fit.s1';
    const message = "workload 'broken-load' on backend 'toy-fit' at 0 ns: free of an object";
    expect(result.exitCode).toBe(1);
    expect(result.stderr).toContain(`kvabench: ${message}`);
    expect(result.stderr).toContain(` (cell ${failed})\n`);
    expect(result.stderr).toContain(
      `kvabench: 2 of 4 cells failed: see ${join(out, 'failures')}; --resume runs them again\n`,
    );
    expect(result.stdout).toMatch(/^toy-load, seed 1: 400 events\n/);
    expect(JSON.parse(read('run.json'))).toMatchObject({ status: 'failed', failures: [{ id: failed }, {}] });
    expect(read(`failures/${failed}.txt`)).toMatch(/MisuseError: free of an object[\s\S]*state=never/);
    const alone = join(folder, 'alone');
    writeFileSync(suite, SUITE);
    await run(suite, '--out', alone);
    for (const name of COMMON_FILES) expect(read(name)).toBe(readFileSync(join(alone, name), 'utf8'));
  });

  it('runs failed cells again with --resume, and forgets why they had failed', async () => {
    writeFileSync(suite, SUITE.replace('[toy-load]', '[toy-load, broken-load]'));
    await run(suite, '--out', out);
    expect(await run(suite, '--out', out, '--resume')).toMatchObject({ exitCode: 1 });
    expect(readdirSync(join(out, 'failures'))).toHaveLength(2);
    writeFileSync(suite, SUITE);
    expect(await run(suite, '--out', out, '--resume')).toMatchObject({ exitCode: 0, stderr: '' });
    expect(readdirSync(out).sort()).toEqual([...COMMON_FILES, 'cells', 'run.json'].sort());
    expect(JSON.parse(read('run.json'))).toMatchObject({ status: 'complete', failures: [] });
  });

  it('does not give up earlier results for a run without any', async () => {
    await run(suite, '--out', out);
    const before = contents(out);
    const result = await run('-w', 'broken-load', '--out', out, '--force');
    expect(result).toMatchObject({ exitCode: 1 });
    expect(result.stderr).toContain(`1 of 1 cells failed: see ${join(`${out}.part`, 'failures')};`);
    expect(contents(out)).toEqual(before);
  });

  it('ends with 130 when it is interrupted, and keeps what is finished', async () => {
    const before = process.listenerCount('SIGINT');
    const interrupted = run(suite, '--out', out, '--workers', '0');
    while (process.listenerCount('SIGINT') === before) await setImmediate();
    process.emit('SIGINT');
    const result = await interrupted;
    expect(result.exitCode).toBe(130);
    expect(result.stderr).toMatch(
      /^kvabench: interrupted; \d of 2 cells are kept in .*, --resume --out .* runs the others\n$/,
    );
    expect(await run(suite, '--out', out, '--resume')).toMatchObject({ exitCode: 0 });
  });

  it('runs one part of the cells with --shard; the cells of all parts together resume to the whole', async () => {
    const [whole, other] = [join(folder, 'whole'), join(folder, 'other')];
    const argv = [suite, '--seed', '1', '--seed', '2', '-b', 'toy-fit:policy=first|best'];
    await run(...argv, '--out', whole);
    expect(await run(...argv, '--out', out, '--shard', '1/3')).toMatchObject({ exitCode: 0 });
    expect(readdirSync(join(out, 'cells'))).toHaveLength(2);
    expect(JSON.parse(read('run.json')).suite.shard).toEqual({ index: 1, count: 3 });
    for (const shard of ['2/3', '3/3']) {
      expect(await run(...argv, '--out', other, '--force', '--shard', shard)).toMatchObject({ exitCode: 0 });
      cpSync(join(other, 'cells'), join(out, 'cells'), { recursive: true });
    }
    const forecast = await run(...argv, '--out', out, '--resume', '--dry-run');
    expect(forecast.stdout).toContain('(4 cells are kept)');
    expect(await run(...argv, '--out', out, '--resume')).toMatchObject({ exitCode: 0 });
    for (const name of COMMON_FILES) expect(read(name)).toBe(readFileSync(join(whole, name), 'utf8'));
  });

  it('says with --dry-run what it would run, keep and write, and writes nothing', async () => {
    const fresh = await run(suite, '--out', out, '--dry-run');
    expect(fresh).toMatchObject({ exitCode: 0, stderr: '' });
    expect(fresh.stdout).toMatch(
      /^toys: 2 cells: 1 workload × 1 seed × 2 backends, 6 samples each\nresults: .*out \(a new folder\)\n/,
    );
    expect(fresh.stdout).toMatch(/\ntoy-load.small.s1 +400 +\d+\.\d s to run\n/);
    expect(fresh.stdout).toMatch(/\nto run: 2 cells on the main thread: about [\s\S]*nothing was written\n$/);
    expect(existsSync(out)).toBe(false);
    await run(suite, '--out', out);
    rmSync(join(out, 'cells', 'toy-load.small.s1.json'));
    const before = contents(out);
    const resumed = await run(suite, '--out', out, '--dry-run', '--resume');
    expect(resumed.stdout).toMatch(/\ntoy-load.toy-fit.s1 +400 +- stored\n[\s\S]*to run: 1 cell on/);
    expect(await run(suite, '--out', out, '--dry-run')).toMatchObject({ exitCode: 1 });
    expect(contents(out)).toEqual(before);
  });

  it('says the same as JSON, with the cells that fail at once', async () => {
    const argv = ['-w', 'broken-load', '-w', 'toy-load', '-b', 'toy-fit', '--out', out];
    const { stdout } = await run(...argv, '--dry-run', '--json');
    expect(JSON.parse(stdout)).toMatchObject([
      {
        out,
        mode: 'refuse',
        seeds: [1],
        estimate: { milliseconds: expect.any(Number), bytes: expect.any(Number) },
        cells: [
          {
            id: 'broken-load.toy-fit.s1',
            stored: false,
            problem: expect.stringContaining('MisuseError: free of'),
          },
          { id: 'toy-load.toy-fit.s1', workload: 'toy-load', events: 400, milliseconds: expect.any(Number) },
        ],
      },
    ]);
  });

  it.each([
    [['nothing-such'], "unknown suite, trace or workload 'nothing-such'"],
    [['first-lok'], "did you mean 'first-look'?"],
    [[], 'nothing to run'],
    [['missing.yaml'], 'missing.yaml: cannot read the suite'],
    [['-w', 'toy-load', '-b', 'toy-fut'], "-b: unknown backend 'toy-fut'; did you mean 'toy-fit'?"],
    [['-w', 'toy-load', '-b', 'toy-fit:size=1KiB'], 'arena too small (allowed: at least 4KiB)'],
    [
      ['-w', 'toy-load', '--seed', 'x'],
      "--seed: 'x' is not acceptable (allowed: an integer from 0 to 4294967295)",
    ],
    [['-w', 'toy-load', '--seed', '-1'], '--seed'],
    [['-w', 'toy-load', '--samples', '0'], '--samples: '],
    [['-w', 'toy-load', '--samples', '1', '--samples', '2'], '--samples: given more than once'],
    [['-w', 'toy-load', '--workers', '1.5'], '--workers: '],
    [['-w', 'toy-load', '--time-limit', '10'], "--time-limit: '10' is not acceptable (allowed: a time such"],
    [['-w', 'toy-load', '--time-limit', '0s'], '--time-limit: '],
    [['-w', 'toy-load', '--time-limit', '1s', '--workers', '0'], 'only worker threads can be stopped'],
    [['-w', 'toy-load', '--cpus', '1'], 'cpus: 1 CPUs are too few'],
    [['-w', 'toy-load', '--resume', '--force'], '--resume: not together with --force'],
    [['-w', 'toy-load', '--shard', '4/3'], "--shard: '4/3' is not acceptable (allowed: which part"],
    [['-w', 'toy-load', '--shard', '0/3'], '--shard: '],
    [['-w', 'toy-load', '--shard', '2'], '--shard: '],
    [['-w', 'toy-load', '--json'], '--json: only a forecast has it (allowed: with --dry-run)'],
    [['-w', 'toy-load', '--outt', 'x'], "unknown option '--outt'; did you mean '--out'?"],
  ])('answers %j with one message', async (argv, message) => {
    const result = await run(...argv, '--out', out);
    expect(result).toMatchObject({ exitCode: 1, stdout: '' });
    expect(result.stderr).toContain(message);
    expect(result.stderr).toMatch(/^kvabench: [^\n]+\n$/);
    expect(existsSync(out)).toBe(false);
  });

  it('answers an output that cannot be written with one message', async () => {
    writeFileSync(out, 'a file');
    for (const path of [out, join(out, 'below')]) {
      const result = await run(suite, '--out', path);
      expect(result).toMatchObject({ exitCode: 1, stdout: '' });
      expect(result.stderr).toMatch(/^kvabench: [^\n]+\n$/);
    }
    expect(readFileSync(out, 'utf8')).toBe('a file');
  });
});

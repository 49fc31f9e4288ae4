import { createHash } from 'node:crypto';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { runCli } from '../support/run-cli.js';
import { temporaryFolder } from '../support/temporary-folder.js';

/** A folder of results with one table, whose columns are text where their first field is no number. */
function stored(name: string, text: string): string {
  const folder = temporaryFolder();
  const [head, first] = text.split('\n').map((line) => line.split(','));
  const fields = head!.map((column, index) => ({
    name: column,
    type: /^\d*$/.test(first![index]!) ? 'integer' : 'string',
    kind: 'exact',
    better: 'none',
    description: '',
  }));
  const hash = `sha256:${createHash('sha256').update(text).digest('hex')}`;
  const run = {
    format: 'kvabench run 1',
    status: 'complete',
    version: '1',
    commit: 'c0ffee',
    started: '',
    machine: {},
    suite: { name: 'load', sha256: '', samples: 1 },
    seeds: [],
    cells: [],
    failures: [],
  };
  writeFileSync(join(folder, `${name}.csv`), text);
  writeFileSync(join(folder, 'run.json'), JSON.stringify(run));
  const resources = [{ name, title: name, hash, schema: { fields } }];
  writeFileSync(join(folder, 'datapackage.json'), JSON.stringify({ resources }));
  return folder;
}

/** Results of so many runs on two backends; the first has failures in every second. */
function results(runs: number, from = 1, table = 'failures'): string {
  const rows = Array.from({ length: runs }, (_, index) => {
    const seed = from + index;
    return `load,tight,${seed},va,100,${(seed % 2) * 3}\nload,wide,${seed},va,100,0\n`;
  });
  return stored(table, `workload,backend,seed,class,requests,failures\n${rows.join('')}`);
}

describe('kvabench risk', () => {
  it('counts failed runs with their interval and holds it against a bound', async () => {
    const { exitCode, stdout } = await runCli(['risk', results(40), '--below', '0.1'], '', undefined, {
      COLUMNS: '120',
    });
    expect(exitCode).toBe(0);
    expect(stdout.split('\n').map((line) => line.split(/ +/))).toEqual([
      [
        'workload',
        'backend',
        'class',
        'runs',
        'failed',
        'share',
        'low',
        'high',
        'requests',
        'failures',
        'below',
        '0.1',
      ],
      ['load', 'tight', 'va', '40', '20', '0.500', '0.338', '0.662', '4000', '60', 'no'],
      ['load', 'wide', 'va', '40', '0', '0.00', '0.00', '0.0881', '4000', '0', 'yes'],
      'Intervals of Clopper and Pearson at 0.95; 36 runs without failure show less than 0.1.'.split(' '),
      [''],
    ]);
  });

  it('has a run fail with its first refusal, and each class by itself', async () => {
    const lines = ['kmem,10,0', 'va,20,1'].map((rest) => `load,tight,7,${rest}\n`);
    const folder = stored('failures', `workload,backend,seed,class,requests,failures\n${lines.join('')}`);
    const { stdout } = await runCli(['risk', folder]);
    const rows = stdout.split('\n').map((line) => line.split(/ +/).slice(0, 5).join(' '));
    expect(rows.slice(1, 3)).toEqual(['load tight kmem 1 0', 'load tight va 1 1']);
  });

  it('is open where the interval holds the bound', async () => {
    // Without a failure in 40 runs the interval ends at 0.0881.
    for (const [below, verdict] of [
      ['0.01', 'open'],
      ['0.088', 'open'],
      ['0.089', 'yes'],
    ] as const) {
      const { stdout } = await runCli(['risk', results(40), '--below', below]);
      expect(stdout).toMatch(new RegExp(`wide .* ${verdict}$`, 'm'));
    }
  });

  it('adds folders up, by another table and column, into a CSV file', async () => {
    const out = join(temporaryFolder(), 'risk.csv');
    const folders = [results(2, 1, 'guests'), results(2, 3, 'guests')];
    const args = ['risk', ...folders, '--table', 'guests', '--column', 'requests', '--csv', '--out', out];
    expect(await runCli(args)).toEqual({ exitCode: 0, stdout: '', stderr: '' });
    const lines = readFileSync(out, 'utf8').split('\n');
    expect(lines[0]).toBe('workload,backend,class,runs,failed_runs,probability,low,high,requests,failures');
    expect(lines[1]).toMatch(/^load,tight,va,4,4,1,0\.39763\d*,1,400,400$/);
  });

  it.each([
    ['an empty folder', () => [temporaryFolder()], ': no results: run.json is missing'],
    ['a folder that is not there', () => [join(temporaryFolder(), 'gone')], 'no such folder'],
    ['a table that is not there', () => [results(2), '--table', 'failurs'], "did you mean 'failures'?"],
    [
      'the path of a table elsewhere',
      () => [results(2), '--table', `../${basename(results(2))}/failures`],
      'unknown table',
    ],
    ['CSV and JSON at once', () => [results(2), '--csv', '--json'], '--csv: not together with --json'],
    ['a column that is not there', () => [results(2), '--column', 'failurs'], "did you mean 'failures'?"],
    [
      'a column that does not count',
      () => [results(2), '--column', 'class'],
      'class: the column holds text (allowed: a column of counts)',
    ],
    [
      'a column that is empty',
      () => [stored('failures', 'workload,backend,seed,failures\nload,tight,1,0\nload,tight,2,\n')],
      'failures.csv:3: failures: an empty field (allowed: a count)',
    ],
    [
      'a bad level',
      () => [results(2), '--level', '95'],
      "--level: '95' is not acceptable (allowed: a number from 0.5",
    ],
    ['a level of certainty', () => [results(2), '--level', '1'], "--level: '1' is not acceptable"],
    ['a bound of nothing', () => [results(2), '--below', '0'], "--below: '0' is not acceptable"],
    ['no folder', () => [], 'missing <'],
  ])('refuses %s', async (_what, args, message) => {
    const { exitCode, stdout, stderr } = await runCli(['risk', ...args()]);
    expect([exitCode, stdout]).toEqual([1, '']);
    expect(stderr).toContain(message);
  });

  it('refuses a run that is there twice, and a table without rows', async () => {
    const folder = results(2);
    const twice = await runCli(['risk', folder, folder]);
    expect(twice.stderr).toContain("seed 1 of 'load' on 'tight' a second time");
    const empty = stored('failures', 'workload,backend,seed,failures\n');
    expect((await runCli(['risk', empty])).stderr).toContain('a table without rows');
  });

  it('refuses a table that was changed', async () => {
    const folder = results(2);
    const file = join(folder, 'failures.csv');
    writeFileSync(file, readFileSync(file, 'utf8').replace('100,3', '100,0'));
    const { exitCode, stderr } = await runCli(['risk', folder]);
    expect(exitCode).toBe(1);
    expect(stderr).toContain('its digest differs');
  });

  it('prints JSON with its folders', async () => {
    const folder = results(40);
    const { exitCode, stdout } = await runCli(['risk', folder, '--below', '0.1', '--json']);
    expect(exitCode).toBe(0);
    const { rows, ...rest } = JSON.parse(stdout);
    expect(rest).toEqual({
      format: 'kvabench risk 1',
      folders: [{ folder, version: '1', commit: 'c0ffee' }],
      table: 'failures',
      column: 'failures',
      level: 0.95,
      below: 0.1,
    });
    const wide = { backend: 'wide', class: 'va', runs: 40, failedRuns: 0, requests: 4000, failures: 0 };
    expect(rows).toHaveLength(2);
    expect(rows[1]).toMatchObject({ ...wide, probability: 0, low: 0, verdict: 'yes' });
    expect(rows[1].high).toBeCloseTo(0.0881, 4);
  });
});

describe.each([
  ['risk', []],
  ['map', ['--format', 'text']],
] as const)('kvabench %s', (command, options) => {
  it.each([
    [
      'of another format',
      (text: string) => text.replace('run 1', 'run 9'),
      'results of format "kvabench run 9"',
    ],
    ['that is cut', (text: string) => text.slice(0, 20), 'broken JSON'],
    ['of bytes', () => '\0\u0001', 'broken JSON'],
    ['of an unfinished run', (text: string) => text.replace('complete', 'running'), 'has not been finished'],
  ])('refuses a run.json %s', async (_what, change, message) => {
    const folder = results(2);
    const file = join(folder, 'run.json');
    writeFileSync(file, change(readFileSync(file, 'utf8')));
    const { exitCode, stdout, stderr } = await runCli([command, folder, ...options]);
    expect([exitCode, stdout]).toEqual([1, '']);
    expect(stderr).toContain(message);
  });

  it('refuses results without a data package', async () => {
    const folder = results(2);
    rmSync(join(folder, 'datapackage.json'));
    const { exitCode, stderr } = await runCli([command, folder, ...options]);
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/^kvabench: .*datapackage.json: cannot read[^\n]*\n$/);
  });
});

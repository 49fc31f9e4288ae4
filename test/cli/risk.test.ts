import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { runCli } from '../support/run-cli.js';
import { temporaryFolder } from '../support/temporary-folder.js';

/** A folder of results with a table of so many runs on two backends; the first has failures in every second. */
function results(runs: number, from = 1, table = 'failures'): string {
  const folder = temporaryFolder();
  const rows = Array.from({ length: runs }, (_, index) => {
    const seed = from + index;
    return `load,tight,${seed},va,100,${(seed % 2) * 3}\nload,wide,${seed},va,100,0\n`;
  });
  const text = `workload,backend,seed,class,requests,failures\n${rows.join('')}`;
  writeFileSync(join(folder, `${table}.csv`), text);
  return folder;
}

describe('kvabench risk', () => {
  it('counts failed runs with their interval and holds it against a bound', async () => {
    const { exitCode, stdout } = await runCli(['risk', results(40), '--below', '0.1']);
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
    const folder = temporaryFolder();
    const lines = ['kmem,10,0', 'va,20,1'].map((rest) => `load,tight,7,${rest}\n`);
    writeFileSync(
      join(folder, 'failures.csv'),
      `workload,backend,seed,class,requests,failures\n${lines.join('')}`,
    );
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
    ['a folder without the table', () => [temporaryFolder()], 'cannot read the table: ENOENT'],
    ['a column that is not there', () => [results(2), '--column', 'failurs'], "did you mean 'failures'?"],
    [
      'a column that does not count',
      () => [results(2), '--column', 'class'],
      ":2: class: 'va' (allowed: a count)",
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

  it('refuses a run that is there twice, and a file that is no table', async () => {
    const folder = results(2);
    const twice = await runCli(['risk', folder, folder]);
    expect(twice.stderr).toContain("seed 1 of 'load' on 'tight' a second time");
    for (const [text, message] of [
      ['workload,backend\n"', 'not a table'],
      ['workload,backend,seed,failures\n', 'a table without rows'],
    ] as const) {
      writeFileSync(join(folder, 'failures.csv'), text);
      expect((await runCli(['risk', folder])).stderr).toContain(message);
    }
  });
});

import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { TABLE_FILES } from '../../src/report/write-tables.js';
import { repositoryRoot } from '../support/shared.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const MAIN = join(repositoryRoot, 'dist/cli/main.js');

/** Runs the built program (`npm run build`) in a process of its own, from another folder. */
function runProgram(out: string, workers: number): void {
  const suite = [
    '-w',
    'churn:operations=20000',
    '-w',
    'churn:class=kmem,operations=20000',
    '-b',
    'first-fit-map',
  ];
  const more = ['-b', 'first-fit-map:merge=false', '--seed', '1', '--seed', '2', '--samples', '20'];
  const argv = [MAIN, 'run', ...suite, ...more, '--out', out, '--workers', String(workers)];
  const child = spawnSync(process.execPath, argv, { cwd: temporaryFolder(), encoding: 'utf8' });
  expect(child.stderr).toBe('');
  expect(child.status).toBe(0);
}

/** Exact files of a folder of results: all but run.json. */
function exactFiles(path: string): Record<string, string> {
  const names = [
    ...readdirSync(path),
    ...readdirSync(join(path, 'cells')).map((name) => join('cells', name)),
  ];
  const files = names.filter((name) => name !== 'run.json' && name !== 'cells');
  return Object.fromEntries(files.map((name) => [name, readFileSync(join(path, name), 'utf8')]));
}

describe('the built program', () => {
  it('writes the same bytes in other processes, with no, one and two worker threads', () => {
    const folder = temporaryFolder();
    const [none, one, two] = [0, 1, 2].map((workers) => {
      const out = join(folder, String(workers));
      runProgram(out, workers);
      return exactFiles(out);
    });
    expect(Object.keys(none!)).toHaveLength(TABLE_FILES.length + 8);
    expect(one).toEqual(none);
    expect(two).toEqual(none);
  });

  it('ends at once with 130 when a terminal interrupts it in the middle of a cell, and keeps the others', async () => {
    const out = join(temporaryFolder(), 'out');
    const suite = [
      '-w',
      'churn:operations=1000',
      '-w',
      'churn:operations=9000000000000',
      '-b',
      'first-fit-map',
    ];
    const child = spawn(process.execPath, [MAIN, 'run', ...suite, '--out', out, '--workers', '2']);
    const cell = join(out, 'cells', 'churn_operations_1000.first-fit-map.s1.json');
    while (!existsSync(cell) && child.exitCode === null) await setTimeout(20);
    child.kill('SIGINT');
    const [code] = await once(child, 'exit');
    expect(code).toBe(130);
    expect(readdirSync(join(out, 'cells'))).toEqual(['churn_operations_1000.first-fit-map.s1.json']);
    expect(JSON.parse(readFileSync(join(out, 'run.json'), 'utf8')).status).toBe('running');
  });

  it('stops a cell at the time limit, runs the others and ends with 1', () => {
    const out = join(temporaryFolder(), 'out');
    const loads = ['-w', 'churn:operations=9000000000000', '-w', 'churn:operations=1000'];
    const argv = [MAIN, 'run', ...loads, '-b', 'first-fit-map', '--out', out, '--workers', '1'];
    const child = spawnSync(process.execPath, [...argv, '--time-limit', '5s'], { encoding: 'utf8' });
    expect(child.status).toBe(1);
    expect(child.stdout).toContain('9000000000000.first-fit-map.s1: stopped at the time limit of 5 s\n');
    expect(child.stderr).toMatch(/^kvabench: 1 of 2 cells failed: see [^\n]+\n$/);
    expect(readdirSync(join(out, 'cells'))).toEqual(['churn_operations_1000.first-fit-map.s1.json']);
    expect(readFileSync(join(out, 'summary.csv'), 'utf8')).toContain('churn:operations=1000');
  });

  it('is a library too: its entry resolves by the name of the package and replays a trace', () => {
    const script = `
      import { BACKENDS, openTrace, ORACLES, RequestClass } from 'kvabench';
      const { metadata } = openTrace('workloads/traces/linux612-mixed.arrow');
      console.log(BACKENDS.length > 0, ORACLES.length > 0, RequestClass.kmem, metadata.name);`;
    const argv = ['--input-type=module', '--eval', script];
    const child = spawnSync(process.execPath, argv, { cwd: repositoryRoot, encoding: 'utf8' });
    expect(child.stdout + child.stderr).toBe('true true 0 linux612-mixed\n');
    expect(existsSync(join(repositoryRoot, 'dist/index.d.ts'))).toBe(true);
  });
});

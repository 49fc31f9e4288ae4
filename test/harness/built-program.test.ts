import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { COMMON_FILES } from '../support/result-files.js';
import { repositoryRoot } from '../support/shared.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const MAIN = join(repositoryRoot, 'dist/cli/main.js');

/** Largest file of a process on a full disk, in blocks of 512 bytes: between the cells of the two backends. */
const BLOCKS = 500;

/** Runs the built program (`npm run build`) in a process of its own, from another folder. */
function runProgram(out: string, workers: number): void {
  const suite = [
    '-w',
    'churn:operations=20000',
    '-w',
    'churn:class=kmem,operations=20000',
    '-w',
    'guest:duration=10h',
    '-w',
    'kstack:duration=10s,swap_every=10ms',
    '-w',
    'boot-then-storm',
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
    expect(Object.keys(none!)).toHaveLength(COMMON_FILES.length + 20);
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

  it('keeps other runs out of its folder; killed, it leaves what another run can resume to the same bytes', async () => {
    const [out, whole] = [join(temporaryFolder(), 'out'), join(temporaryFolder(), 'whole')];
    const load = (operations: number) => ['-w', `churn:operations=${operations}`];
    const argv = (path: string) => [MAIN, 'run', '-b', 'first-fit-map', '--workers', '2', '--out', path];
    const child = spawn(process.execPath, [...argv(out), ...load(1000), ...load(9e12)]);
    const cell = join(out, 'cells', 'churn_operations_1000.first-fit-map.s1.json');
    while (!existsSync(cell) && child.exitCode === null) await setTimeout(20);
    const run = (path: string, ...more: string[]) =>
      spawnSync(process.execPath, [...argv(path), ...load(1000), ...load(2000), ...more], {
        encoding: 'utf8',
      });
    const second = run(out, '--resume');
    expect(second.status).toBe(1);
    expect(second.stderr).toBe(
      `kvabench: ${out}: process ${child.pid} is writing results here (allowed: another --out, or to wait for the end of that run)\n`,
    );
    child.kill('SIGKILL');
    await once(child, 'exit');
    const { mtimeMs } = statSync(cell);
    expect(run(out, '--resume')).toMatchObject({ status: 0, stderr: '' });
    expect(run(whole)).toMatchObject({ status: 0, stderr: '' });
    expect(statSync(cell).mtimeMs).toBe(mtimeMs);
    expect(exactFiles(out)).toEqual(exactFiles(whole));
  });

  it.skipIf(process.platform === 'win32')(
    'says that the disk is full, keeps its finished cells and no half file (needs ulimit)',
    () => {
      const out = join(temporaryFolder(), 'out');
      const loads = ['-w', 'churn:operations=5000', '-b', 'first-fit-map', '-b', 'illumos-vmem'];
      const argv = [MAIN, 'run', ...loads, '--out', out, '--samples', '200', '--workers', '1'];
      const full = spawnSync('sh', ['-c', `ulimit -f ${BLOCKS}; exec "$0" "$@"`, process.execPath, ...argv], {
        encoding: 'utf8',
      });
      expect(full.status).toBe(1);
      expect(full.stderr).toMatch(
        /^kvabench: stopped; 1 of 2 cells are kept in .*\nkvabench: .*illumos-vmem.s1.json: cannot write: EFBIG: file too large, write\n$/,
      );
      expect(readdirSync(out).sort()).toEqual(['cells', 'run.json']);
      expect(readdirSync(join(out, 'cells'))).toEqual(['churn_operations_5000.first-fit-map.s1.json']);
      const resumed = spawnSync(process.execPath, [...argv, '--resume'], { encoding: 'utf8' });
      expect(resumed).toMatchObject({ status: 0, stderr: '' });
    },
  );

  it('stops a cell at the time limit, runs the others and ends with 1', () => {
    const out = join(temporaryFolder(), 'out');
    const loads = ['-w', 'churn:operations=9000000000000', '-w', 'churn:operations=1000'];
    const argv = [MAIN, 'run', ...loads, '-b', 'first-fit-map', '--out', out, '--workers', '1'];
    const child = spawnSync(process.execPath, [...argv, '--time-limit', '5s'], { encoding: 'utf8' });
    expect(child.status).toBe(1);
    expect(child.stderr).toMatch(
      /^kvabench: stopped at the time limit of 5 s \(cell .*9000000000000\.first-fit-map\.s1\)\nkvabench: 1 of 2 cells failed: see [^\n]+\n$/,
    );
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

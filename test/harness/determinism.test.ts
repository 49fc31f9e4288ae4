import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { repositoryRoot } from '../support/shared.js';
import { temporaryFolder } from '../support/temporary-folder.js';

/** Runs the built program (`npm run build`) in a process of its own, from another folder. */
function runProgram(out: string, workers: number): void {
  const main = join(repositoryRoot, 'dist/cli/main.js');
  const suite = [
    '-w',
    'churn:operations=20000',
    '-w',
    'churn:class=kmem,operations=20000',
    '-b',
    'first-fit-map',
  ];
  const more = ['-b', 'first-fit-map:merge=false', '--seed', '1', '--seed', '2', '--samples', '20'];
  const argv = [main, 'run', ...suite, ...more, '--out', out, '--workers', String(workers)];
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
    expect(Object.keys(none!)).toHaveLength(4 + 8);
    expect(one).toEqual(none);
    expect(two).toEqual(none);
  });
});

import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { repositoryRoot } from '../support/shared.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { BROKEN_BACKENDS, userBackendFile } from '../support/user-backend.js';

const MAIN = join(repositoryRoot, 'dist/cli/main.js');

/** Runs the built program (`npm run build`), which has threads, on the file as it is and with a parameter. */
function runFile(path: string, out: string, workers: number) {
  const backends = ['-b', path, '-b', `${path}:size=1GiB`];
  const argv = [
    MAIN,
    'run',
    '-w',
    'churn:operations=2000',
    ...backends,
    '--workers',
    String(workers),
    '--out',
    out,
  ];
  const { status, stderr } = spawnSync(process.execPath, argv, { cwd: temporaryFolder(), encoding: 'utf8' });
  return { status, stderr };
}

describe('a backend file in worker threads', () => {
  it('is loaded in each, to the same results', () => {
    const folder = temporaryFolder();
    const path = userBackendFile(folder);
    const [none, two] = [0, 2].map((workers) => {
      const out = join(folder, String(workers));
      expect(runFile(path, out, workers)).toEqual({ status: 0, stderr: '' });
      return readFileSync(join(out, 'summary.csv'), 'utf8');
    });
    expect(two).toBe(none);
  });

  it('fails with one message, which has file, line and operation', () => {
    const folder = temporaryFolder();
    const path = userBackendFile(folder, 'my-backend.js', BROKEN_BACKENDS.throws!);
    const { status, stderr } = runFile(path, join(folder, 'out'), 2);
    expect(stderr).toContain(`${path}:31:54: backend 'my-backend', operation 8 at `);
    expect(stderr).toContain('TypeError: no room');
    expect(status).toBe(1);
  });
});

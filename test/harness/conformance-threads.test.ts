import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { PROMISES } from '../../src/conformance/promises.js';
import { repositoryRoot } from '../support/shared.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { userBackendFile } from '../support/user-backend.js';

/** The only promise that asks for 128 MiB. */
const BOUNDS = 'address bounds of va requests are met';

const MAIN = join(repositoryRoot, 'dist/cli/main.js');

/** What the built program (`npm run build`), which has threads, says of the example with a change. */
function conformance(...change: readonly [string, string]) {
  const path = userBackendFile(temporaryFolder(), 'my-backend.js', change);
  const argv = [MAIN, 'conformance', path, '--histories', '5', '--time-limit', '10'];
  const { status, stdout, stderr } = spawnSync(process.execPath, argv, { encoding: 'utf8' });
  return { status, stdout, stderr, path };
}

describe('conformance of a backend that takes its thread along', () => {
  it('goes on with the next promise where one does not return', () => {
    const { status, stdout, stderr } = conformance(
      'let low = base;',
      'let low = base; while (bytes === 2 ** 27);',
    );
    const wanted = PROMISES.map(({ name }) =>
      name === BOUNDS
        ? `FAILED  my-backend: ${name}\n        it did not return within 10 s (--time-limit)\n`
        : `ok      my-backend: ${name}\n`,
    );
    expect(stdout).toBe(`${wanted.join('')}${PROMISES.length - 1} kept, 1 failed\n`);
    expect({ status, stderr }).toEqual({ status: 2, stderr: '' });
  });

  it('says so of one that ends its thread', () => {
    const { status, stdout } = conformance(
      'let low = base;',
      'let low = base; if (bytes === 2 ** 27) process.exit(3);',
    );
    expect(stdout.match(/\n {8}the backend ended its thread \(exit code 3\)\n/g)).toHaveLength(1);
    expect(status).toBe(2);
  });

  it('refuses a file that is never loaded', () => {
    const { status, stdout, stderr, path } = conformance('export default', 'while (true);\nexport default');
    expect(stderr).toBe(
      `kvabench: ${path}: the backend cannot be loaded: it did not return within 10 s (--time-limit)\n`,
    );
    expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
  });
});

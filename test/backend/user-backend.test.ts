import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { isBackendName } from '../../src/backend/user-backend.js';
import { runCli } from '../support/run-cli.js';
import { repositoryRoot } from '../support/shared.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const DOCUMENT = readFileSync(join(repositoryRoot, 'docs/backends.md'), 'utf8');

describe('docs/backends.md', () => {
  const examples = [...DOCUMENT.matchAll(/^```js\n([\s\S]*?)^```$/gm)].map((match) => match[1]!);

  it('shows the shipped example, in at most 60 lines', () => {
    expect(examples).toEqual([readFileSync(join(repositoryRoot, 'docs/my-backend.js'), 'utf8')]);
    expect(examples[0]!.trimEnd().split('\n').length).toBeLessThanOrEqual(60);
  });

  it('has an example that keeps every promise, and runs', async () => {
    const folder = temporaryFolder();
    const path = join(folder, 'copied.js');
    writeFileSync(path, examples[0]!);
    const judged = await runCli(['conformance', path]);
    expect(judged).toMatchObject({ exitCode: 0, stderr: '', stdout: expect.stringContaining(' 0 failed\n') });
    const out = join(folder, 'out');
    const recorded = await runCli(['run', 'linux612-mixed', '-b', path, '--out', out, '--workers', '0']);
    expect(recorded).toMatchObject({ exitCode: 0, stderr: '' });
    expect(recorded.stdout).toMatch(/\nmy-backend +0 /);
  });
});

describe('isBackendName', () => {
  it.each(['x', 'my-backend', 'tlsf2', 'a-1'])('accepts %s', (name) => {
    expect(isBackendName(name)).toBe(true);
  });

  it.each(['', '-', 'a-', '-a', 'a--b', '1a', 'A', 'a_b', 'a b', 'a:b', 'a'.repeat(65), 5, undefined])(
    'refuses %s',
    (name) => {
      expect(isBackendName(name)).toBe(false);
    },
  );
});

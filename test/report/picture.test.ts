import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { runCli } from '../support/run-cli.js';
import { repositoryRoot } from '../support/shared.js';
import { temporaryFolder } from '../support/temporary-folder.js';

describe('the picture of README', () => {
  it('is what the commands beside it make', async () => {
    const readme = readFileSync(join(repositoryRoot, 'README.md'), 'utf8');
    const [, options, picture] = /`(--format svg --figure \S+) --out (docs\/pictures\/\S+\.svg)`/.exec(
      readme,
    )!;
    const results = join(temporaryFolder(), 'first-look');
    expect((await runCli(['run', 'first-look', '--out', results])).exitCode).toBe(0);
    const { stdout } = await runCli(['report', results, ...options!.split(' ')]);
    expect(stdout).toBe(readFileSync(join(repositoryRoot, picture!), 'utf8'));
    expect(readme).toContain(`](${picture})`);
  });
});

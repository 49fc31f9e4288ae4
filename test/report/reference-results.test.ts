import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { runCli } from '../support/run-cli.js';
import { repositoryRoot } from '../support/shared.js';
import { temporaryFolder } from '../support/temporary-folder.js';

/** Suites whose results are under version control, see results/README.md, and the text that shows what they print. */
const SUITES = [
  ['first-look', 'README.md', /```\n(linux612-mixed, seed 1[\s\S]*?)```/],
  [
    'netbsd-kmem-pool-uvm',
    'results/reference/netbsd-kmem-pool-uvm/README.md',
    /```\n(fit-frag, seed 1[\s\S]*?)```/,
  ],
  ['freebsd-kstack', 'results/reference/freebsd-kstack/README.md', /```\n(swapping, seed 1[\s\S]*?)```/],
  [
    'linux-recordings',
    'results/reference/linux-recordings/README.md',
    /```\n(fork-storm, seed 1[\s\S]*?)```/,
  ],
] as const;

describe('reference results', () => {
  it.each(SUITES)('%s gives the same bytes here, and %s shows what it prints', async (suite, file, block) => {
    const out = join(temporaryFolder(), suite);
    const { exitCode, stdout } = await runCli(['run', suite, '--out', out]);
    expect(exitCode).toBe(0);
    const reference = join(repositoryRoot, 'results/reference', suite, 'summary.csv');
    expect(readFileSync(join(out, 'summary.csv'), 'utf8')).toBe(readFileSync(reference, 'utf8'));
    const shown = block.exec(readFileSync(join(repositoryRoot, file), 'utf8'))?.[1];
    expect(stdout).toContain(shown);
  });
});

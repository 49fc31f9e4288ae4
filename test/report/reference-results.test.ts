import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { runCli } from '../support/run-cli.js';
import { repositoryRoot } from '../support/shared.js';
import { temporaryFolder } from '../support/temporary-folder.js';

/** Suites whose results are under version control, see results/README.md, the text that shows what they print, and tables. */
const SUITES = [
  ['first-look', 'README.md', /```\n(linux612-mixed, seed 1[\s\S]*?)```/, ['summary.csv']],
  [
    'netbsd-kmem-pool-uvm',
    'results/reference/netbsd-kmem-pool-uvm/README.md',
    /```\n(fit-frag, seed 1[\s\S]*?)```/,
    ['summary.csv'],
  ],
  [
    'freebsd-kstack',
    'results/reference/freebsd-kstack/README.md',
    /```\n(swapping, seed 1[\s\S]*?)```/,
    ['summary.csv', 'swap.csv'],
  ],
  [
    'freebsd-superpages',
    'results/reference/freebsd-kstack/README.md',
    /```\n(heap-and-stacks, seed 1[\s\S]*?)```/,
    ['summary.csv', 'superpages.csv'],
  ],
  [
    'memlock',
    'results/reference/memlock/README.md',
    /```\n(x86, seed 1[\s\S]*?)```/,
    ['summary.csv', 'memlock.csv'],
  ],
] as const;

describe('reference results', () => {
  it.each(SUITES)(
    '%s gives the same bytes here, and %s shows what it prints',
    async (suite, file, block, tables) => {
      const out = join(temporaryFolder(), suite);
      const { exitCode, stdout } = await runCli(['run', suite, '--out', out]);
      expect(exitCode).toBe(0);
      for (const table of tables) {
        const reference = join(repositoryRoot, 'results/reference', suite, table);
        expect(readFileSync(join(out, table), 'utf8'), table).toBe(readFileSync(reference, 'utf8'));
      }
      const shown = block.exec(readFileSync(join(repositoryRoot, file), 'utf8'))?.[1];
      expect(stdout).toContain(shown);
    },
  );
});

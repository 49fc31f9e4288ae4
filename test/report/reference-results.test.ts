import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { repositoryRoot } from '../support/shared.js';
import { temporaryFolder } from '../support/temporary-folder.js';

/** The built program (`npm run build`): it is what users run, and several times as fast as under a test runner. */
const BUILT = join(repositoryRoot, 'dist/cli/main.js');

/**
 * Suites whose results are under version control, see results/README.md, the text that shows what they print, and a table
 * beside the summary.
 */
const SUITES = [
  ['first-look', 'README.md', /```\n(linux612-mixed, seed 1[\s\S]*?)```/],
  [
    'netbsd-kmem-pool-uvm',
    'results/reference/netbsd-kmem-pool-uvm/README.md',
    /```\n(fit-frag, seed 1[\s\S]*?)```/,
  ],
  [
    'segkvmm-overprovision',
    'results/reference/segkvmm-overprovision/README.md',
    /```\n(odd, seed 1[\s\S]*?)```/,
  ],
  [
    'segkvmm-worst-case',
    'results/reference/segkvmm-overprovision/README.md',
    /```\n(from-16MiB, seed 1[\s\S]*?)```/,
  ],
  [
    'guest-arenas',
    'results/reference/segkvmm-overprovision/README.md',
    /```\n(others-and-guests, seed 1[\s\S]*?)```/,
  ],
  ['freebsd-kstack', 'results/reference/freebsd-kstack/README.md', /```\n(swapping, seed 1[\s\S]*?)```/],
  [
    'freebsd-superpages',
    'results/reference/freebsd-kstack/README.md',
    /```\n(heap-and-stacks, seed 1[\s\S]*?)```/,
  ],
  ['segkp', 'results/reference/segkp/README.md', /```\n(storms:[\s\S]*?)```/],
  ['segkp-amd64', 'results/reference/segkp/README.md', /```\n(ramp, seed 1[\s\S]*?)```/],
  [
    'linux-recordings',
    'results/reference/linux-recordings/README.md',
    /```\n(fork-storm, seed 1[\s\S]*?)```/,
  ],
  ['memlock', 'results/reference/memlock/README.md', /```\n(x86, seed 1[\s\S]*?)```/],
] as const;

/** Suites whose labels differ in the middle: shown in lines that have room for them. */
const WIDE: readonly string[] = ['segkvmm-overprovision', 'segkvmm-worst-case'];

describe('reference results', () => {
  it.each(SUITES)('%s gives the same bytes here, and %s shows what it prints', async (suite, file, block) => {
    const out = join(temporaryFolder(), suite);
    const { stdout } = await promisify(execFile)(process.execPath, [BUILT, 'run', suite, '--out', out], {
      env: { ...process.env, COLUMNS: WIDE.includes(suite) ? '140' : '100' },
    });
    const reference = join(repositoryRoot, 'results/reference', suite);
    const tables = readdirSync(reference).filter((file) => file.endsWith('.csv'));
    expect(tables).toContain('summary.csv');
    for (const file of tables) {
      expect(readFileSync(join(out, file), 'utf8'), file).toBe(readFileSync(join(reference, file), 'utf8'));
    }
    const shown = block.exec(readFileSync(join(repositoryRoot, file), 'utf8'))?.[1];
    expect(stdout).toContain(shown);
  });
});

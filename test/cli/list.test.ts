import { describe, expect, it } from 'vitest';
import { listCommandWith } from '../../src/cli/commands/list.js';
import { runCli } from '../support/run-cli.js';
import { TOYS } from '../support/toy.js';

const list = (...argv: string[]) => runCli(['list', ...argv], '', [listCommandWith(TOYS)]);

describe('kvabench list', () => {
  it('names everything that a suite or an option may name', async () => {
    const { exitCode, stdout } = await list();
    expect(exitCode).toBe(0);
    expect(stdout).toContain('backends:\n  toy-fit  first fit over a list\n');
    expect(stdout).toMatch(/^workloads:\n {2}toy-load +seeded toy load\n/m);
    expect(stdout).toMatch(/^suites:\n {2}first-look /m);
    expect(stdout).toMatch(/^probes:$/m);
    expect(stdout).toMatch(/^traces:/m);
  });

  it('explains the parameters of one kind', async () => {
    const { stdout } = await list('backends');
    expect(stdout).toBe(
      [
        'backends:',
        '  toy-fit  first fit over a list',
        '    size=64KiB  Arena. (a length such as 64KiB, at least 1)',
        '    quantum=16B  Unit. (a length such as 64KiB)',
        '    policy=first  Fit. ("first" or "best")',
        '    merge=true  Merging. (boolean)',
        '    base=0x0  First address. (text or number)',
        '',
      ].join('\n'),
    );
  });

  it('explains the columns of the probes', async () => {
    const { stdout } = await list('probes');
    expect(stdout).toContain('    hole_ratio  Share of va_extent_bytes');
  });

  it('prints JSON', async () => {
    const all = JSON.parse((await list('--json')).stdout);
    expect(Object.keys(all)).toEqual(['backends', 'workloads', 'suites', 'probes', 'traces']);
    const { backends } = JSON.parse((await list('backends', '--json')).stdout);
    expect(backends[0].details[0]).toMatchObject({ name: 'size', default: 65_536 });
  });

  it('refuses an unknown kind', async () => {
    const result = await list('backend');
    expect(result.exitCode).toBe(1);
    expect(result.stderr).toContain(
      "did you mean 'backends'? (allowed: backends, workloads, suites, probes, traces)",
    );
  });
});

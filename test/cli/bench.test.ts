import { describe, expect, it } from 'vitest';
import { CaseCopy } from '../support/case-copy.js';
import { runCli } from '../support/run-cli.js';

const CASE = 'tiny-mixedpolicy';

describe('kvabench bench', () => {
  it('prints the median and the extremes of CPU time per operation', async () => {
    const { exitCode, stdout, stderr } = await runCli(['bench', CASE, '--repeat', '2']);
    expect([exitCode, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(
      /^illumos-vmem\/tiny-mixedpolicy: [\d.]+ ns\/op \([\d.]+–[\d.]+, 2 repeats of 180 operations\)\n$/,
    );
  });

  it('prints one JSON object per case', async () => {
    const { exitCode, stdout } = await runCli(['bench', CASE, 'tiny-xalloc', '--repeat', '1', '--json']);
    expect(exitCode).toBe(0);
    const results = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(results).toMatchObject([
      { case: CASE, oracle: 'illumos-vmem', operations: 180, repeats: 1, mismatches: 0 },
      { case: 'tiny-xalloc', operations: 195, mismatches: 0 },
    ]);
    for (const { nsPerOp, minNsPerOp, maxNsPerOp } of results) {
      expect(minNsPerOp).toBeGreaterThan(0);
      expect(nsPerOp).toBeGreaterThanOrEqual(minNsPerOp);
      expect(nsPerOp).toBeLessThanOrEqual(maxNsPerOp);
    }
  });

  it('takes directories as well as names, with or without the oracle', async () => {
    const { directory } = new CaseCopy(CASE);
    const { stdout } = await runCli(['bench', directory, `illumos-vmem/${CASE}`, '--repeat', '1']);
    expect(stdout.trimEnd().split('\n')).toHaveLength(2);
  });

  it('checks the results against the vector', async () => {
    const copy = new CaseCopy(CASE).editField('ops.csv.gz', 3, 'result', '0x1b000');
    const { exitCode, stdout } = await runCli(['bench', copy.directory, '--repeat', '1']);
    expect(exitCode).toBe(2);
    expect(stdout).toMatch(/, \d+ RESULTS DIFFER\)\n$/);
    const { stdout: json } = await runCli(['bench', copy.directory, '--repeat', '1', '--json']);
    expect(JSON.parse(json).mismatches).toBeGreaterThan(0);
  });
});

describe('bad usage of bench is one clear message and exit code 1', () => {
  const damaged = (damage: (copy: CaseCopy) => CaseCopy) => () => [damage(new CaseCopy(CASE)).directory];
  const usage: readonly (readonly [string, () => string[], string])[] = [
    [
      'an unknown case',
      () => ['tiny-worstfit'],
      "no golden case 'tiny-worstfit' (allowed: a directory, or the name",
    ],
    ['a part of a name', () => ['xalloc'], "no golden case 'xalloc'"],
    [
      'no repeats',
      () => [CASE, '--repeat', '0'],
      "--repeat: '0' is not acceptable (allowed: an integer from 1 to 1000000)",
    ],
    [
      'half a repeat',
      () => [CASE, '--repeat', '0.5'],
      "--repeat: '0.5' is not acceptable (allowed: an integer from 1 to 1000000)",
    ],
    ['repeats that are no number', () => [CASE, '--repeat', 'x'], "--repeat: 'x'"],
    ['an unknown option', () => [CASE, '--fast'], "unknown option '--fast'"],
    [
      'no operations',
      damaged((copy) => copy.edit('ops.csv.gz', (text) => text.slice(0, text.indexOf('\n') + 1))),
      `${CASE}: the case has no operations`,
    ],
    [
      'arenas that cannot be',
      damaged((copy) => copy.edit('case.json', (text) => text.replace('"quantum": 16', '"quantum": 3'))),
      'case.json: arenas: quantum is not a power of two',
    ],
    ['operations that are cut off', damaged((copy) => copy.truncate('ops.csv.gz')), 'cannot be unpacked'],
  ];

  it.each(usage)('%s', async (_what, args, message) => {
    const { exitCode, stdout, stderr } = await runCli(['bench', ...args()]);
    expect([exitCode, stdout]).toEqual([1, '']);
    expect(stderr).toMatch(/^kvabench: [^\n]*\n$/);
    expect(stderr).toContain(message);
  });
});

import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { bhyveReservoirOracle } from '../../src/harness/golden/bhyve-reservoir.js';
import { findCases, SHIPPED_CASES } from '../../src/harness/golden/find-cases.js';
import { verifyRows } from '../../src/harness/golden/row-oracle.js';
import { CaseCopy } from '../support/case-copy.js';
import { StaleMutantError } from '../support/mutation.js';
import { RESERVOIR_MUTANTS } from '../support/reservoir-mutants.js';
import { runCli } from '../support/run-cli.js';
import { sharedPath } from '../support/shared.js';

const shipped = join(SHIPPED_CASES, 'bhyve-reservoir');
const shared = sharedPath('golden/bhyve-reservoir');
const cases = findCases(shipped);

const copyOf = (name: string) => new CaseCopy(name, 'bhyve-reservoir');

describe('the reservoir is exact on vectors of the kernel itself', () => {
  it.each([
    ['mixed', 5375],
    ['steady', 3411],
    ['transient', 3576],
  ])('%s', (name, rows) => {
    expect(verifyRows(bhyveReservoirOracle, join(shipped, name))).toEqual({ rows });
  });

  it.each([
    ['ops.csv.gz', 'result', 'ENOSPC'],
    ['checkpoints.csv', 'free_sha256', '7'],
    ['checkpoints.csv', 'empty_last', '7'],
    ['checkpoints.csv', 'alloc_transient_bytes', '7'],
    ['segments.csv.gz', 'size', '7'],
  ])('a difference in %s, %s, is told with the spans around', (file, field, value) => {
    const { directory } = copyOf('steady').editField(file, 3, field, value);
    const { mismatch } = verifyRows(bhyveReservoirOracle, directory);
    expect(mismatch?.where).toMatch(/^operation \d+, /);
    expect(mismatch?.wanted).toContain(value);
    expect(mismatch?.context).toContain('free spans:\n0x');
  });

  it('a span of a region that differs is told', () => {
    const { directory } = copyOf('steady').edit('ops.csv.gz', (text) =>
      text.replace('@0x1c4cc00000', '@0x1c4cc00001'),
    );
    const { mismatch } = verifyRows(bhyveReservoirOracle, directory);
    expect([mismatch?.where, mismatch?.got]).toEqual([
      'operation 2, alloc 1 2147483648: spans',
      '0x0@0x1c4cc00000:2147483648',
    ]);
  });

  it('verify finds the cases by their oracle and counts operations', async () => {
    const { stdout } = await runCli(['verify', copyOf('steady').directory]);
    expect(stdout).toBe('passed  bhyve-reservoir/steady: 3411 operations\n1 passed, 0 failed\n');
  });
});

describe('a broken case is refused', () => {
  it('an unknown operation, with its place', () => {
    const { directory } = copyOf('steady').editField('ops.csv.gz', 3, 'op', 'shrink');
    expect(() => verifyRows(bhyveReservoirOracle, directory)).toThrow(
      "ops.csv.gz:3: op: unknown operation 'shrink'",
    );
  });

  it('a file that is missing', () => {
    const { directory } = copyOf('steady').remove('checkpoints.csv');
    expect(() => verifyRows(bhyveReservoirOracle, directory)).toThrow('file of the golden case is missing');
  });

  it('a file that is not packed', () => {
    const { directory } = copyOf('steady');
    writeFileSync(join(directory, 'segments.csv.gz'), 'set,start,size\n');
    expect(() => verifyRows(bhyveReservoirOracle, directory)).toThrow('segments.csv.gz: not a table');
  });

  it('a case without a limit', () => {
    const { directory } = copyOf('steady').edit('case.json', (text) => text.replace('limit_bytes', 'limit'));
    expect(() => verifyRows(bhyveReservoirOracle, directory)).toThrow('case.json: /limit_bytes');
  });

  it('the free of a region that is not live is a difference', () => {
    const { directory } = copyOf('steady').editField('ops.csv.gz', 9, 'id', '4711');
    expect(verifyRows(bhyveReservoirOracle, directory).mismatch?.got).toContain('free of what is no region');
  });
});

/** Whether a case fails, by a difference or because the broken model breaks down. */
function notices(path: string): boolean {
  try {
    return verifyRows(bhyveReservoirOracle, path).mismatch !== undefined;
  } catch (error) {
    if (error instanceof StaleMutantError) throw error;
    return true;
  }
}

describe('reservoirs with a mistake are noticed by the vectors', () => {
  it.each(RESERVOIR_MUTANTS.map((mutant) => [mutant.mistake, mutant] as const))(
    '%s',
    (mistake, { apply }) => {
      const undo = apply();
      try {
        const witness = cases.find(notices);
        expect([mistake, witness]).not.toEqual([mistake, undefined]);
      } finally {
        undo();
      }
    },
  );

  it('and without one they are not', () => {
    expect(cases.filter(notices)).toEqual([]);
  });
});

describe.skipIf(shared === undefined)('beside the shared vectors', () => {
  it.each(cases.map((path) => [basename(path), path]))('%s is shipped as it is there', (name, directory) => {
    for (const file of readdirSync(directory)) {
      const isSame = readFileSync(join(directory, file)).equals(readFileSync(join(shared!, name, file)));
      expect([file, isSame]).toEqual([file, true]);
    }
  });
});

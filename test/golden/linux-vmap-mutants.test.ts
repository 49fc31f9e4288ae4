import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { findCases, SHIPPED_CASES } from '../../src/harness/golden/find-cases.js';
import { GoldenCase } from '../../src/harness/golden/golden-case.js';
import { linuxVmapOracle } from '../../src/harness/golden/linux-vmap.js';
import { verifyCase } from '../../src/harness/golden/verify.js';
import { StaleMutantError } from '../support/mutation.js';
import { VMAP_MUTANTS } from '../support/vmap-mutants.js';

/** Operations that a checkpoint takes as long as. */
const CHECKPOINT_COST = 100;

const effort = (golden: GoldenCase) =>
  golden.operations.length + CHECKPOINT_COST * golden.table('checkpoints.csv').length;

/** Quick ones first. */
const cases = findCases(join(SHIPPED_CASES, 'linux-vmap'))
  .map((path) => new GoldenCase(path))
  .sort((one, other) => effort(one) - effort(other));

/** Whether the case fails, by a difference or because the broken model breaks down. */
function notices(golden: GoldenCase): boolean {
  try {
    return verifyCase(golden, linuxVmapOracle) !== undefined;
  } catch (error) {
    if (error instanceof StaleMutantError) throw error;
    return true;
  }
}

describe('a vmap with a mistake is noticed by the vectors', () => {
  it.each(VMAP_MUTANTS.map((mutant) => [mutant.mistake, mutant] as const))('%s', (mistake, { apply }) => {
    const undo = apply();
    try {
      const witness = cases.find(notices)?.name;
      process.stdout.write(`noticed by ${witness}: ${mistake}\n`);
      expect(witness).toBeDefined();
    } finally {
      undo();
    }
  });

  it('and without one they are not', () => {
    expect(cases.filter(notices).map(({ name }) => name)).toEqual([]);
  });
});

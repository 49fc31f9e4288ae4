import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { StaleMutantError } from '../support/mutation.js';
import { runBestFit, runSegkpHistory } from '../support/segkp-history.js';
import { SEGKP_MUTANTS } from '../support/segkp-mutants.js';

const SEEDS = [1, 2, 3];

/** Whether some history shows a difference, or the broken backend breaks down. */
function notices(): boolean {
  try {
    for (const seed of SEEDS) for (const isStatic of [true, false]) runSegkpHistory(isStatic, seed);
    runBestFit();
    return false;
  } catch (error) {
    if (error instanceof StaleMutantError) throw error;
    return true;
  }
}

describe('threads and heap over segkp', () => {
  it.each([true, false])('have the figures of a ledger of their requests (static: %s)', (isStatic) => {
    fc.assert(
      fc.property(fc.nat(), (seed) => runSegkpHistory(isStatic, seed, 300)),
      { seed: 1, numRuns: 25 },
    );
  });

  it('meet the tightest hole', () => {
    runBestFit();
  });
});

describe('segkp with a mistake is noticed', () => {
  it.each(SEGKP_MUTANTS.map((mutant) => [mutant.mistake, mutant] as const))('%s', (_, { apply }) => {
    const undo = apply();
    try {
      expect(notices()).toBe(true);
    } finally {
      undo();
    }
  });

  it('and without one it is not', () => {
    expect(notices()).toBe(false);
  });
});

import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { findCases, SHIPPED_CASES } from '../../src/harness/golden/find-cases.js';
import { GoldenCase } from '../../src/harness/golden/golden-case.js';
import type { Oracle } from '../../src/harness/golden/oracle.js';
import { verifyCase } from '../../src/harness/golden/verify.js';
import { StaleMutantError } from './mutation.js';
import type { Mutant } from './vmem-mutants.js';

const CHECKPOINTS = 'checkpoints.csv';
/** Operations that a checkpoint takes as long as. */
const CHECKPOINT_COST = 100;

/** Whether a case fails, by a difference or because the broken model breaks down. */
export function noticedBy(oracle: Oracle, golden: GoldenCase): boolean {
  try {
    return verifyCase(golden, oracle) !== undefined;
  } catch (error) {
    if (error instanceof StaleMutantError) throw error;
    return true;
  }
}

/** Declares the tests that an oracle's shipped vectors, quick ones first, notice each broken model, and no whole one. */
export function mutantsAreNoticed(what: string, oracle: Oracle, mutants: readonly Mutant[]): void {
  const cases = findCases(join(SHIPPED_CASES, oracle.name))
    .map((path) => new GoldenCase(path))
    .sort((one, other) => effort(one) - effort(other));
  const noticing = (golden: GoldenCase): boolean => noticedBy(oracle, golden);

  describe(`${what} with a mistake is noticed by the vectors`, () => {
    it.each(mutants.map((mutant) => [mutant.mistake, mutant] as const))('%s', (_mistake, { apply }) => {
      const undo = apply();
      try {
        expect(cases.find(noticing)?.name).toBeDefined();
      } finally {
        undo();
      }
    });

    it('and without one it is not', () => {
      expect(cases.filter(noticing).map(({ name }) => name)).toEqual([]);
    });
  });
}

function effort(golden: GoldenCase): number {
  const checkpoints = golden.has(CHECKPOINTS) ? golden.table(CHECKPOINTS).length : 0;
  return golden.operations.length + CHECKPOINT_COST * checkpoints;
}

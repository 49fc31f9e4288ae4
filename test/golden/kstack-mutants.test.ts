import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { findCases, SHIPPED_CASES } from '../../src/harness/golden/find-cases.js';
import { freebsdKstackOracle } from '../../src/harness/golden/freebsd-kstack.js';
import { GoldenCase } from '../../src/harness/golden/golden-case.js';
import { verifyCase } from '../../src/harness/golden/verify.js';
import { KSTACK_MUTANTS } from '../support/kstack-mutants.js';
import { StaleMutantError } from '../support/mutation.js';

const cases = findCases(join(SHIPPED_CASES, 'freebsd-kstack')).map((path) => new GoldenCase(path));

/** Whether the case fails, by a difference or because the broken model breaks down. */
function notices(golden: GoldenCase): boolean {
  try {
    return verifyCase(golden, freebsdKstackOracle) !== undefined;
  } catch (error) {
    if (error instanceof StaleMutantError) throw error;
    return true;
  }
}

describe('kernel stacks with a mistake are noticed by the vectors', () => {
  it.each(KSTACK_MUTANTS.map((mutant) => [mutant.mistake, mutant] as const))('%s', (mistake, { apply }) => {
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

import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { findCases, SHIPPED_CASES } from '../../src/harness/golden/find-cases.js';
import { freebsdVmemOracle } from '../../src/harness/golden/freebsd-vmem.js';
import { GoldenCase } from '../../src/harness/golden/golden-case.js';
import { verifyCase } from '../../src/harness/golden/verify.js';
import { FREEBSD_VMEM_MUTANTS } from '../support/freebsd-vmem-mutants.js';
import { StaleMutantError } from '../support/mutation.js';

let shipped: GoldenCase[];

beforeAll(() => {
  shipped = findCases(join(SHIPPED_CASES, 'freebsd-vmem'))
    .map((path) => new GoldenCase(path))
    .sort((a, b) => a.operations.length - b.operations.length);
});

/** Whether the case fails, by a difference or because the broken model breaks down. */
function notices(golden: GoldenCase): boolean {
  try {
    return verifyCase(golden, freebsdVmemOracle) !== undefined;
  } catch (error) {
    if (error instanceof StaleMutantError) throw error;
    return true;
  }
}

describe('a model of FreeBSD vmem with a mistake is noticed', () => {
  it.each(FREEBSD_VMEM_MUTANTS.map((mutant) => [mutant.mistake, mutant] as const))(
    '%s',
    (_mistake, { apply }) => {
      const undo = apply();
      try {
        expect(shipped.find(notices)?.name).toBeDefined();
      } finally {
        undo();
      }
    },
  );
});

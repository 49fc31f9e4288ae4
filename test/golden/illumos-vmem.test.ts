import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { findCases, SHIPPED_CASES } from '../../src/harness/golden/find-cases.js';
import { GoldenCase } from '../../src/harness/golden/golden-case.js';
import { illumosVmemOracle } from '../../src/harness/golden/illumos-vmem.js';
import { verifyCase } from '../../src/harness/golden/verify.js';
import { type CaseScript, withTemporaryDirectory, writeReferenceCase } from '../support/reference-case.js';
import { sharedPath } from '../support/shared.js';
import { casesAreShippedAsIn, namedCases } from '../support/shipped-cases.js';
import { instantFitShape, quantumCacheShape } from '../support/speed-shapes.js';

/** The only case that may be beyond the model: the kernel takes its metadata from the modelled heap. */
const MAY_BE_SKIPPED = ['kernel-tree'];

const shipped = join(SHIPPED_CASES, 'illumos-vmem');
const shared = sharedPath('golden/illumos-vmem');

describe('illumos vmem is exact on the shipped vectors', () => {
  it('of which there are 26', () => {
    expect(findCases(shipped)).toHaveLength(26);
  });

  it.each(namedCases(findCases(shipped)))('%s', (name, directory) => {
    const golden = new GoldenCase(directory);
    const reason = illumosVmemOracle.skipReason(golden);
    if (reason === undefined) expect(verifyCase(golden, illumosVmemOracle)).toBeUndefined();
    else expect([MAY_BE_SKIPPED.includes(name), reason]).toEqual([true, expect.stringContaining('metadata')]);
  });
});

describe.skipIf(shared === undefined)('beside the shared vectors', () => {
  casesAreShippedAsIn(() => shared!, shipped);

  it.each(['speed-1m-instantfit', 'speed-1m-qcache'])('%s passes', (name) => {
    const golden = new GoldenCase(join(shared!, name));
    expect(verifyCase(golden, illumosVmemOracle)).toBeUndefined();
  });
});

/** The same shapes, smaller, for where the shared vectors are not at hand; expected by the slow reference. */
const SHAPES: readonly CaseScript[] = [
  instantFitShape({ operations: 50_000, live: 2000, seed: 96 }),
  quantumCacheShape({ operations: 50_000, live: 2000, seed: 97 }),
];

describe('illumos vmem agrees with the slow reference on the shapes of the speed cases', () => {
  it.each(SHAPES.map((script) => [script.name, script] as const))('%s', (_name, script) => {
    withTemporaryDirectory((parent) => {
      const golden = new GoldenCase(writeReferenceCase(parent, script));
      expect(golden.operations.length).toBe(50_020);
      expect(golden.table('checkpoints.csv').length).toBeGreaterThan(20 * script.arenas.length);
      expect(verifyCase(golden, illumosVmemOracle)).toBeUndefined();
    });
  });
});

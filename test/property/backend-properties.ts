import fc from 'fast-check';
import type { BackendDefinition } from '../../src/backend/contract.js';
import { type Constraint, RequestClass, UNCONSTRAINED } from '../../src/core/request.js';
import { KIB, MIB } from '../../src/core/units.js';
import { Client } from '../support/client.js';

const ROWS: readonly Constraint[] = [
  { align: 64 * KIB },
  { nocross: 128 * KIB },
  { align: 8 * KIB, phase: 4 * KIB },
];

const operationArbitrary = fc.record({
  isFree: fc.boolean(),
  pick: fc.nat(),
  size: fc.oneof(
    fc.integer({ min: 1, max: 600 }),
    fc.integer({ min: 1, max: 128 * KIB }),
    fc.constant(2 * MIB),
  ),
  cpu: fc.nat({ max: 3 }),
  row: fc.integer({ min: UNCONSTRAINED, max: ROWS.length - 1 }),
});

/**
 * Whatever is asked of the backend, no answer lies on a live range or breaks its constraint, and invariants and figures
 * hold (Client is the oracle). @throws with a counterexample, shrunk unless `shrink` is off.
 */
export function holdsForBackend(definition: BackendDefinition, runs: number, shrink = true): void {
  fc.assert(
    fc.property(fc.array(operationArbitrary, { maxLength: 150, size: 'max' }), (operations) => {
      const client = new Client(definition, {}, ROWS);
      const { serves } = client.backend;
      for (const { isFree, pick, size, cpu, row } of operations) {
        const cls = serves[pick % serves.length]!;
        const isBounded = cls === RequestClass.va && size <= 128 * KIB;
        const length = cls === RequestClass.kstack ? Math.min(size, 32 * KIB) : size;
        if (!isFree) client.alloc(cls, length, isBounded ? row : UNCONSTRAINED, cpu);
        else if (client.live.length > 0) client.free(client.live[pick % client.live.length]!, cpu);
      }
      client.check();
      client.freeAll();
      client.check();
    }),
    { numRuns: runs, seed: 20250102, endOnFailure: !shrink },
  );
}

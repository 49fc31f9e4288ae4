import fc from 'fast-check';
import type { Constraint } from '../../src/core/request.js';

/** Bytes. */
export const QUANTUM = 16;
/** Not aligned to more than the quantum, so that alignments do not all fall on the base. */
export const BASE = 2 ** 40 + 3 * QUANTUM;

/** Powers of two of the quantum, as vmem_xalloc(9) demands; phases and bounds that are at times out of reach. */
export const constraintArbitrary = fc
  .record({
    alignPower: fc.integer({ min: 0, max: 4 }),
    phase: fc.nat({ max: 15 }),
    nocross: fc.constantFrom(0, 2, 4, 8, 16),
    min: fc.nat({ max: 50 }),
    max: fc.nat({ max: 60 }),
  })
  .map(({ alignPower, phase, nocross, min, max }): Constraint => {
    const align = 2 ** alignPower;
    return {
      align: align * QUANTUM,
      phase: (phase % align) * QUANTUM,
      nocross: nocross * QUANTUM,
      minAddress: min % 3 === 0 ? 0 : BASE + min * QUANTUM - 5,
      maxAddress: max % 3 === 0 ? 0 : BASE + max * QUANTUM + 5,
    };
  });

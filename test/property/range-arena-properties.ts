import fc from 'fast-check';
import { expect } from 'vitest';
import type { ArenaRange, RangeArena } from '../../src/arena/range-arena.js';
import { TagType } from '../../src/arena/view.js';
import { type Address, NO_ADDRESS } from '../../src/core/address.js';
import { MisuseError } from '../../src/core/errors.js';
import { type Constraint, constraintTable } from '../../src/core/request.js';
import { draw } from '../support/picture.js';
import { BASE, constraintArbitrary, QUANTUM } from './quantum-constraints.js';

/** What a model is held against. Answers as the model must, and draws its state as `draw` of picture.ts does. */
export interface SlowArena {
  alloc(size: number, constraint: Constraint | null): Address;
  free(address: Address, size: number): void;
  draw(): string;
}

const stepArbitrary = fc.record({
  isFree: fc.boolean(),
  quanta: fc.integer({ min: 1, max: 9 }),
  constraint: fc.oneof(fc.constant(null), constraintArbitrary),
  pick: fc.nat({ max: 1000 }),
});

function expectFigures(arena: RangeArena): void {
  let freeBytes = 0;
  let largest = 0;
  let allocated = 0;
  let segments = 0;
  arena.walk((type, _start, size) => {
    if (type === TagType.free) [freeBytes, largest] = [freeBytes + size, Math.max(largest, size)];
    if (type === TagType.alloc) [allocated, segments] = [allocated + size, segments + 1];
  });
  expect([arena.freeBytes(), arena.largestFree()]).toEqual([freeBytes, largest]);
  expect([arena.figures.inUseBytes, arena.figures.allocTags]).toEqual([allocated, segments]);
}

/**
 * On random histories the model answers and looks as the slow reference does after every operation, its figures are
 * those of its walk, and what is not live cannot be freed. @throws with a counterexample.
 */
export function agreesWithSlowArena(
  makeArena: (range: ArenaRange) => RangeArena,
  makeSlow: (quanta: number) => SlowArena,
  runs: number,
  quanta = 64,
): void {
  const property = fc.property(fc.array(stepArbitrary, { maxLength: 120, size: 'max' }), (steps) => {
    const arena = makeArena({ name: 'arena', base: BASE, size: quanta * QUANTUM, quantum: QUANTUM });
    const slow = makeSlow(quanta);
    const live: { address: Address; size: number }[] = [];
    for (const { isFree, quanta: length, constraint, pick } of steps) {
      const size = length * QUANTUM;
      if (!isFree) {
        const table = constraintTable(constraint === null ? [] : [constraint]);
        const address = constraint === null ? arena.alloc(size) : arena.xalloc(size, table, 0);
        expect(address).toBe(slow.alloc(size, constraint));
        if (address !== NO_ADDRESS) live.push({ address, size });
      } else if (live.length > 0) {
        const { address, size } = live.splice(pick % live.length, 1)[0]!;
        arena.free(address, size);
        slow.free(address, size);
        expect(() => arena.free(address, size)).toThrow(MisuseError);
      }
      expect(draw(arena)).toBe(slow.draw());
      arena.check();
      expectFigures(arena);
    }
  });
  fc.assert(property, { numRuns: runs, seed: 20250103 });
}

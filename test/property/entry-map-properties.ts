import fc from 'fast-check';
import { expect } from 'vitest';
import type { EntryMap, EntryMapOptions } from '../../src/arena/entry-map/entry-map.js';
import { type Address, NO_ADDRESS } from '../../src/core/address.js';
import { type Constraint, constraintTable } from '../../src/core/request.js';
import { draw } from '../support/picture.js';
import { SlowMap } from '../support/slow-map.js';
import { BASE, constraintArbitrary, QUANTUM } from './quantum-constraints.js';

/** Makes the map that a property is held against. */
export type MakeMap = (options: EntryMapOptions) => EntryMap;

/** An operation: `pick` chooses among what is live, modulo their number. */
export type Step =
  | { readonly op: 'alloc'; readonly quanta: number; readonly constraint: Constraint | null }
  | { readonly op: 'free'; readonly pick: number };

/** A map, its reference and what is live in both. */
class Pair {
  readonly map: EntryMap;
  private readonly slow: SlowMap;
  private readonly live: { address: Address; size: number }[] = [];
  private inUse = 0;

  constructor(make: MakeMap, quanta: number, merge: boolean) {
    const range = { base: BASE, size: quanta * QUANTUM, quantum: QUANTUM };
    this.map = make({ name: 'map', ...range, merge, entryBytes: 1, mapBytes: 0 });
    this.slow = new SlowMap(BASE, quanta, QUANTUM, merge);
  }

  apply(step: Step): void {
    if (step.op === 'alloc') this.alloc(step.quanta * QUANTUM, step.constraint);
    else if (this.live.length > 0) this.free(step.pick % this.live.length);
    this.compare();
  }

  private alloc(size: number, constraint: Constraint | null): void {
    const address =
      constraint === null ? this.map.alloc(size) : this.map.xalloc(size, constraintTable([constraint]), 0);
    expect(address).toBe(this.slow.alloc(size, constraint ?? {}));
    if (address === NO_ADDRESS) return;
    this.live.push({ address, size });
    this.inUse += size;
  }

  private free(index: number): void {
    const { address, size } = this.live.splice(index, 1)[0]!;
    this.map.free(address, size);
    this.slow.free(address, size);
    this.inUse -= size;
  }

  private compare(): void {
    const drawing = this.slow.draw();
    expect(draw(this.map)).toBe(drawing);
    this.map.check();
    const gaps = drawing.match(/\.+/g) ?? [];
    expect(this.map.largestFree()).toBe(Math.max(0, ...gaps.map((gap) => gap.length)) * QUANTUM);
    expect(this.map.gapCount()).toBe(gaps.length);
    expect(this.map.figures.inUseBytes).toBe(this.inUse);
    expect(this.map.figures.allocTags).toBe((drawing.match(/([a-z])\1*/g) ?? []).length);
  }
}

const stepArbitrary: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    op: fc.constant('alloc' as const),
    quanta: fc.integer({ min: 1, max: 9 }),
    constraint: fc.oneof(fc.constant(null), constraintArbitrary),
  }),
  fc.record({ op: fc.constant('free' as const), pick: fc.nat({ max: 1000 }) }),
);

/**
 * Random histories agree with the slow reference, address by address.
 * @throws with a counterexample, shrunk unless `shrink` is off.
 */
export function holdsOnHistories(make: MakeMap, runs: number, shrink = true): void {
  fc.assert(
    fc.property(fc.boolean(), fc.array(stepArbitrary, { maxLength: 120, size: 'max' }), (merge, steps) => {
      const pair = new Pair(make, 64, merge);
      for (const step of steps) pair.apply(step);
    }),
    { numRuns: runs, seed: 20250101, endOnFailure: !shrink },
  );
}

/** Every history of `depth` steps in a map of `quanta` quanta agrees with the slow reference; returns their number. */
export function holdsOnAllHistories(make: MakeMap, quanta: number, depth: number): number {
  const choices: Step[] = [];
  for (let length = 1; length <= quanta; length++) {
    choices.push({ op: 'alloc', quanta: length, constraint: null });
  }
  for (let pick = 0; pick < depth - 1; pick++) choices.push({ op: 'free', pick });
  let histories = 0;
  const history: Step[] = [];
  const extend = () => {
    if (history.length === depth) {
      histories++;
      for (const merge of [true, false]) {
        const pair = new Pair(make, quanta, merge);
        for (const step of history) pair.apply(step);
      }
      return;
    }
    for (const choice of choices) {
      history.push(choice);
      extend();
      history.pop();
    }
  };
  extend();
  return histories;
}

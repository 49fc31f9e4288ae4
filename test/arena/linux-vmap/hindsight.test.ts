import { describe, expect, it } from 'vitest';
import { checkVmap } from '../../../src/arena/linux-vmap/check.js';
import { isWaiting, makeFree, takeBack } from '../../../src/arena/linux-vmap/hindsight.js';
import { rangesOf } from '../../../src/arena/linux-vmap/inspect.js';
import { MAIN_WINDOW, Vmap } from '../../../src/arena/linux-vmap/vmap.js';
import { AddressSpace, NO_ADDRESS } from '../../../src/core/address.js';
import { LockTable } from '../../../src/core/locks.js';

const START = AddressSpace.canonical.toNumber(0xffff_d000_0000_0000n);
const MIB = 2 ** 20;
const PAGE = 4096;

/** Two CPUs, three areas: the first in use, the second waiting, the third in the pool of CPU 1. */
function threeAreas(): { vmap: Vmap; inUse: number; waiting: number; pooled: number } {
  const vmap = new Vmap({ name: 'v', start: START, last: START + MIB - 1, cpus: 2, locks: new LockTable() });
  const [inUse, waiting, pooled] = [1, 2, 3].map((pages) =>
    vmap.allocAddress(pages * PAGE, 1, MAIN_WINDOW, 1),
  ) as [number, number, number];
  vmap.freeAt(pooled);
  vmap.purge(false);
  vmap.freeAt(waiting);
  return { vmap, inUse, waiting, pooled };
}

function places(vmap: Vmap): string[] {
  return rangesOf(vmap)
    .filter(({ start }) => start >= START && start < START + MIB)
    .map(({ place, start, end }) => `${place} ${(end - start) / PAGE}`);
}

describe('hindsight', () => {
  it('takes an area that waits back into use, and no other', () => {
    const { vmap, inUse, waiting, pooled } = threeAreas();
    expect(places(vmap).slice(0, 3)).toEqual(['alloc 1', 'lazy 2', 'pool 3']);
    expect([inUse, waiting, pooled].map((address) => isWaiting(vmap, address))).toEqual([false, true, false]);
    expect([inUse, waiting, pooled].map((address) => takeBack(vmap, address))).toEqual([false, true, false]);
    expect(places(vmap).slice(0, 3)).toEqual(['alloc 1', 'alloc 2', 'pool 3']);
    expect(vmap.lazyPages).toBe(0);
    checkVmap(vmap);
    vmap.freeAt(waiting);
    expect(vmap.purge(false)).toBe(1);
  });

  it('makes free what lies in a range, wherever it is, whole', () => {
    const { vmap, inUse, pooled } = threeAreas();
    makeFree(vmap, inUse + 100, pooled + PAGE);
    expect(rangesOf(vmap)).toHaveLength(1);
    expect([vmap.lazyPages, vmap.pools.areasPooled, vmap.figures.inUseBytes]).toEqual([0, 0, 0]);
    expect(vmap.sizes.figures.every(({ buffersInMagazines }) => buffersInMagazines === 0)).toBe(true);
    checkVmap(vmap);
  });

  it('withdraws from the front, the middle and the end of a pool', () => {
    for (const gone of [0, 1, 2]) {
      const { vmap } = threeAreas();
      const pool = [0, 1, 2].map(() => vmap.allocAddress(5 * PAGE, 1, MAIN_WINDOW, 0));
      for (const address of pool) vmap.freeAt(address);
      vmap.purge(false);
      makeFree(vmap, pool[gone]!, pool[gone]! + 1);
      checkVmap(vmap);
      const left = pool.filter((_, index) => index !== gone).reverse();
      expect([0, 1].map(() => vmap.allocAddress(5 * PAGE, 1, MAIN_WINDOW, 0))).toEqual(left);
    }
  });
});

describe('Vmap.predict', () => {
  it('says what alloc gives, from pool and tree, and changes nothing', () => {
    const { vmap, pooled } = threeAreas();
    const before = places(vmap);
    expect(vmap.predict(3 * PAGE, 1, MAIN_WINDOW, 1)).toBe(pooled);
    expect(vmap.predict(3 * PAGE, 2 ** 14, MAIN_WINDOW, 1)).not.toBe(pooled);
    expect(vmap.predict(2 * MIB, 1, MAIN_WINDOW, 1)).toBe(NO_ADDRESS);
    expect(places(vmap)).toEqual(before);
    for (const [pages, align, cpu] of [
      [3, 2 ** 14, 1],
      [3, 1, 0],
      [9, 2 ** 15, 1],
      [3, 1, 1],
    ] as const) {
      const predicted = vmap.predict(pages * PAGE, align, MAIN_WINDOW, cpu);
      expect(vmap.allocAddress(pages * PAGE, align, MAIN_WINDOW, cpu)).toBe(predicted);
    }
  });
});

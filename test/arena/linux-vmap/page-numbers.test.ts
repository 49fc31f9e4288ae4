import { describe, expect, it } from 'vitest';
import { checkVmap } from '../../../src/arena/linux-vmap/check.js';
import { takeBack } from '../../../src/arena/linux-vmap/hindsight.js';
import { MAIN_WINDOW, Vmap } from '../../../src/arena/linux-vmap/vmap.js';
import { AddressSpace } from '../../../src/core/address.js';
import { MisuseError } from '../../../src/core/errors.js';
import { LockTable } from '../../../src/core/locks.js';
import { MIB, TIB } from '../../../src/core/units.js';

const PAGE = 4096;
const START = AddressSpace.canonical.toNumber(0xffff_d000_0000_0000n);

function kernel(start: number, bytes: number): Vmap {
  return new Vmap({ name: 'v', start, last: start + bytes - 1, cpus: 2, locks: new LockTable() });
}

describe('areas by the numbers of their pages', () => {
  it('are aligned by their addresses, wherever the main range begins', () => {
    for (const pagesBefore of [1, 2, 3, 6]) {
      const vmap = kernel(START + pagesBefore * PAGE, MIB);
      const addresses = [1, 1, 1, 1].map(() => vmap.allocAddress(PAGE, PAGE, MAIN_WINDOW, 0));
      for (const address of addresses) vmap.freeAt(address);
      vmap.purge(false);
      // The pool gives what was purged last, the highest: only its address says whether it will do.
      const highest = Math.max(...addresses);
      const isAligned = highest % (2 * PAGE) === 0;
      const answer = vmap.allocAddress(PAGE, 2 * PAGE, MAIN_WINDOW, 0);
      expect(answer % (2 * PAGE)).toBe(0);
      expect(answer === highest).toBe(isAligned);
      checkVmap(vmap);
    }
  });

  it('may have more pages than a number of 32 bits counts', () => {
    const vmap = kernel(START, 24 * TIB);
    const pages = 2 ** 31 + 5;
    const large = vmap.allocAddress(pages * PAGE, 1, MAIN_WINDOW, 0);
    const next = vmap.allocAddress(PAGE, 1, MAIN_WINDOW, 0);
    expect([large, next]).toEqual([START, START + pages * PAGE]);
    checkVmap(vmap);
    vmap.freeAt(large);
    expect(vmap.lazyPages).toBe(pages);
    checkVmap(vmap);
    vmap.freeAt(next);
    vmap.purge(true);
    expect(vmap.figures.inUseBytes).toBe(0);
    checkVmap(vmap);
  });

  it('are not taken from a pool for a request whose pages look as few in 32 bits', () => {
    const vmap = kernel(START, 24 * TIB);
    const pooled = vmap.allocAddress(PAGE, 1, MAIN_WINDOW, 0);
    vmap.freeAt(pooled);
    vmap.purge(false);
    expect(vmap.pools.areasPooled).toBe(1);
    const huge = vmap.allocAddress((2 ** 32 + 1) * PAGE, 1, MAIN_WINDOW, 0);
    expect(huge).toBe(START + PAGE);
    expect(vmap.pools.areasPooled).toBe(1);
    checkVmap(vmap);
  });

  it('have sizes of whole pages and alignments that are powers of two, however large', () => {
    const vmap = kernel(START, 24 * TIB);
    const wrong: readonly [size: number, align: number][] = [
      [0, 1],
      [-PAGE, 1],
      [PAGE + 8, 1],
      [2 ** 44 + 8, 1],
      [PAGE, 0],
      [PAGE, -PAGE],
      [PAGE, 3 * PAGE],
      [PAGE, 3 * 2 ** 40],
      [Number.NaN, 1],
    ];
    for (const [size, align] of wrong)
      expect(() => vmap.alloc(size, align, MAIN_WINDOW, 0), `${size} at ${align}`).toThrow(MisuseError);
    expect(vmap.allocAddress(PAGE, 2 ** 42, MAIN_WINDOW, 0) % 2 ** 42).toBe(0);
    checkVmap(vmap);
  });

  it('lie on the boundaries of pages: a window or an area that begins inside one is refused', () => {
    const vmap = kernel(START, MIB);
    expect(() => vmap.addWindow(START + 1, START + MIB)).toThrow(MisuseError);
    expect(() => vmap.seed(START + 8, PAGE, 0, 0)).toThrow(MisuseError);
    expect(() => vmap.seed(START, PAGE + 8, 0, 0)).toThrow(MisuseError);
    checkVmap(vmap);
  });
});

describe('what waits', () => {
  it('is purged but for the area that is taken back from either end or from between', () => {
    for (const taken of [0, 1, 2]) {
      const vmap = kernel(START, MIB);
      const addresses = [0, 1, 2].map(() => vmap.allocAddress(PAGE, 1, MAIN_WINDOW, 0));
      for (const address of addresses) vmap.freeAt(address);
      expect(takeBack(vmap, addresses[taken]!)).toBe(true);
      checkVmap(vmap);
      expect(vmap.purge(true)).toBe(2);
      checkVmap(vmap);
    }
  });
});

import { describe, expect, it } from 'vitest';
import { VmFlag } from '../../../src/arena/netbsd-vmem/flags.js';
import { NO_ADDRESS } from '../../../src/core/address.js';
import { BASE, newArena, newSystem, QUANTUM, xalloc } from '../../support/netbsd-picture.js';

const { NOSLEEP, BESTFIT } = VmFlag;
const TOP = 2 ** 53;

function arenaWith(base: number, quanta: number) {
  const system = newSystem();
  const arena = newArena(system);
  arena.addSpan(base, quanta * QUANTUM);
  return { system, arena };
}

describe('the numbered deviations of NetBSD vmem', () => {
  it('D1: a request that would sleep is counted as waiting and refused', () => {
    const { arena } = arenaWith(BASE, 1);
    expect(arena.alloc(QUANTUM, 0)).toBe(BASE);
    expect(arena.alloc(QUANTUM, 0)).toBe(NO_ADDRESS);
    expect([arena.waits, arena.fails]).toEqual([1, 0]);
    expect(arena.alloc(QUANTUM, NOSLEEP)).toBe(NO_ADDRESS);
    expect([arena.waits, arena.fails]).toEqual([1, 1]);
  });

  it('D2: a larger hash table takes nothing from any arena', () => {
    const { system, arena } = arenaWith(BASE, 1000);
    for (let count = 0; count < 1000; count++) arena.alloc(QUANTUM, NOSLEEP);
    const before = system.kmem.inUseBytes;
    system.rehash();
    expect([arena.hashBuckets, arena.inUseBytes, system.kmem.inUseBytes]).toEqual([
      1000,
      1000 * QUANTUM,
      before,
    ]);
  });

  it('D3: pools of metadata keep their pages', () => {
    const { system, arena } = arenaWith(BASE, 1000);
    for (let count = 0; count < 1000; count++) arena.alloc(QUANTUM, NOSLEEP);
    const { pages } = system.pools.tags;
    expect(pages).toBeGreaterThan(10);
    for (let count = 0; count < 1000; count++) arena.free(BASE + count * QUANTUM, QUANTUM);
    expect([system.pools.tags.pages, system.vmemMeta.inUseBytes]).toEqual([pages, pages * 4096]);
  });

  it('D4: locks are counted and never contended', () => {
    const { system, arena } = arenaWith(BASE, 4);
    const before = system.locks.acquisitions;
    const address = arena.alloc(QUANTUM, NOSLEEP);
    const between = system.locks.acquisitions;
    arena.free(address, QUANTUM);
    expect([between > before, system.locks.acquisitions > between]).toEqual([true, true]);
  });

  it('D5: an aligned start beyond the last address does not fit', () => {
    const { arena } = arenaWith(TOP - 3 * QUANTUM, 3);
    expect(xalloc(arena, QUANTUM, { align: 64 * QUANTUM }, NOSLEEP | BESTFIT)).toBe(NO_ADDRESS);
    expect(xalloc(arena, 3 * QUANTUM, {}, NOSLEEP | BESTFIT)).toBe(TOP - 3 * QUANTUM);
  });
});

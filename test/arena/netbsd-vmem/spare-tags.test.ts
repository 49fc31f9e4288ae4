import { describe, expect, it } from 'vitest';
import { VmFlag } from '../../../src/arena/netbsd-vmem/flags.js';
import { AllocSource } from '../../../src/arena/netbsd-vmem/span-source.js';
import { NO_ADDRESS } from '../../../src/core/address.js';
import { BASE, newArena, newSystem, QUANTUM } from '../../support/netbsd-picture.js';

const flags = VmFlag.INSTANTFIT | VmFlag.NOSLEEP;

describe('boundary tags', () => {
  it('come from the static store first, then from pages of 72', () => {
    const system = newSystem();
    const arena = newArena(system);
    arena.addSpan(BASE, 4096 * QUANTUM);
    while (system.tagSupply.staticLeft > 0) arena.alloc(QUANTUM, flags);
    expect(system.pools.tags.pages).toBe(0);
    for (let count = 0; count < 20; count++) arena.alloc(QUANTUM, flags);
    expect([system.pools.tags.pages, system.pools.tags.geometry.itemsPerPage]).toEqual([1, 72]);
    expect([system.vmemMeta.allocTags, system.vmemVa.totalBytes]).toEqual([1, 16 * 4096]);
  });

  it('are kept back, from 4 or 5 up to 64 of them in each arena', () => {
    const system = newSystem();
    const arena = newArena(system);
    arena.addSpan(BASE, 4096 * QUANTUM);
    for (let count = 0; count < 300; count++) arena.alloc(QUANTUM, flags);
    expect(arena.spares.count).toBe(5);
    for (let count = 0; count < 300; count += 2) arena.free(BASE + count * QUANTUM, QUANTUM);
    for (let count = 1; count < 300; count += 2) arena.free(BASE + count * QUANTUM, QUANTUM);
    expect(arena.spares.count).toBe(64);
    const lists = system.arenas.map(({ spanTags, freeTags, allocTags, spares }) => {
      return spanTags + freeTags + allocTags + spares.count;
    });
    expect(system.tagSupply.allocated).toBe(lists.reduce((sum, tags) => sum + tags));
  });

  it('run out where the arena that they come from is full', () => {
    const system = newSystem();
    const arena = newArena(system);
    arena.addSpan(BASE, 4096 * QUANTUM);
    while (system.kmem.alloc(4096, flags) > 0);
    while (arena.alloc(QUANTUM, flags) > 0);
    expect(arena.inUseBytes).toBeLessThan(arena.totalBytes);
    expect([arena.fails, system.pools.tags.fails > 0]).toEqual([1, true]);
    arena.free(BASE, QUANTUM);
    expect(arena.alloc(QUANTUM, flags)).toBe(NO_ADDRESS);
    for (const quanta of [1, 2, 3]) arena.free(BASE + quanta * QUANTUM, QUANTUM);
    expect(arena.alloc(QUANTUM, flags)).toBe(BASE);
  });

  it('may be refilled while they are refilled, two deep', () => {
    const system = newSystem();
    const heap = newArena(system, { name: 'heap' });
    heap.addSpan(BASE, 4096 * QUANTUM);
    const child = newArena(system, { source: new AllocSource(heap) });
    for (let count = 0; count < 1000; count++) child.alloc(QUANTUM, flags);
    expect(system.tagSupply.deepest).toBeGreaterThanOrEqual(2);
  });
});

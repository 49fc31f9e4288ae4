import { describe, expect, it } from 'vitest';
import { ABIS } from '../../../src/arena/netbsd-vmem/abi.js';
import { VmFlag } from '../../../src/arena/netbsd-vmem/flags.js';
import { AllocSource } from '../../../src/arena/netbsd-vmem/span-source.js';
import { VmemSystem } from '../../../src/arena/netbsd-vmem/system.js';
import { VmemView } from '../../../src/arena/netbsd-vmem/view.js';
import { AddressSpace } from '../../../src/core/address.js';
import { InvariantError } from '../../../src/core/errors.js';
import { GIB } from '../../../src/core/units.js';
import { BASE, bound, newArena, newSystem, QUANTUM, viewOf } from '../../support/netbsd-picture.js';

const flags = VmFlag.INSTANTFIT | VmFlag.NOSLEEP;

/** A heap and an arena over it with quantum caches for up to four quanta, of which one was asked for. */
function cachedArena(abi: keyof typeof ABIS = 'lp64') {
  const kmem = { base: 2 ** 46, bytes: GIB };
  const system = new VmemSystem({ space: AddressSpace.canonical, cpus: 1, abi: ABIS[abi], kmem });
  const heap = newArena(system, { name: 'heap' });
  heap.addSpan(BASE, 1024 * QUANTUM);
  const source = new AllocSource(heap);
  const arena = newArena(system, { source, qcacheMax: 4 * QUANTUM });
  return { system, arena, view: new VmemView(arena, ABIS[abi]) };
}

describe('the view of a NetBSD arena', () => {
  it('counts tags, spare ones included, and the structure of the arena', () => {
    const arena = newArena(newSystem());
    arena.addSpan(BASE, 16 * QUANTUM);
    arena.alloc(QUANTUM, flags);
    const { lp64, ilp32 } = ABIS;
    expect([arena.spanTags, arena.freeTags, arena.allocTags, arena.spares.count]).toEqual([1, 1, 1, 4 + 1]);
    expect(new VmemView(arena, lp64).metadataBytes()).toBe(1480 + 8 * 56);
    expect(new VmemView(arena, ilp32).metadataBytes()).toBe(784 + 8 * 28);
  });

  it('counts a hash table once it has more than its first chain', () => {
    const arena = newArena(newSystem());
    arena.addSpan(BASE, 64 * QUANTUM);
    for (let count = 0; count < 10; count++) arena.alloc(QUANTUM, flags);
    const before = viewOf(arena).metadataBytes();
    arena.hash.rehash();
    expect(viewOf(arena).metadataBytes() - before).toBe(10 * 8);
  });

  it('shows quantum caches, each once', () => {
    const { arena, view } = cachedArena();
    const before = view.metadataBytes();
    const address = arena.alloc(QUANTUM - 1, flags);
    expect(view.caches.map(({ name, bufferBytes, slabBytes }) => [name, bufferBytes, slabBytes])).toEqual([
      ['arena-16', 16, 256],
      ['arena-32', 32, 256],
      ['arena-48', 48, 256],
      ['arena-64', 64, 256],
    ]);
    expect(view.caches[0]).toMatchObject({
      arena: 'arena',
      kind: 'quantum',
      slabs: 1,
      buffers: 16,
      buffersInUse: 1,
    });
    expect([view.figures.allocTags, view.figures.spanTags]).toEqual([1, 1]);
    // A span and its one segment, the header of the slab, and the spare tags that came with the first request.
    expect(arena.spares.count).toBe(6);
    expect(view.metadataBytes() - before).toBe(2 * 56 + 56 + 6 * 56);
    arena.free(address, QUANTUM - 1);
    expect([view.caches[0]!.buffersInMagazines, view.caches[0]!.magazines]).toEqual([1, 1]);
  });

  it.each([
    ['lp64', 15, 72],
    ['ilp32', 14, 145],
  ] as const)('under %s: %i objects to a group, %i tags to a page', (abi, objects, tags) => {
    const { arena, system, view } = cachedArena(abi);
    expect(system.pools.tags.geometry.itemsPerPage).toBe(tags);
    const held = Array.from({ length: 2 * objects + 1 }, () => arena.alloc(QUANTUM, flags));
    for (const address of held.slice(0, 2 * objects)) arena.free(address, QUANTUM);
    expect(view.caches[0]!.magazines).toBe(2);
    arena.free(held[2 * objects]!, QUANTUM);
    expect(view.caches[0]!.magazines).toBe(3);
  });

  it('knows free segments', () => {
    const arena = newArena(newSystem());
    arena.addSpan(BASE, 8 * QUANTUM);
    arena.addSpan(bound(100), 3 * QUANTUM);
    arena.alloc(2 * QUANTUM, flags | VmFlag.BESTFIT);
    const view = viewOf(arena);
    const sizes: number[] = [];
    view.walkFree((size) => sizes.push(size / QUANTUM));
    expect(sizes.sort()).toEqual([1, 8]);
    expect([view.largestFree() / QUANTUM, view.freeBytes() / QUANTUM, view.source]).toEqual([8, 9, null]);
    expect(view.figures.reachBytes).toBe(2 * QUANTUM);
  });

  it('notices a broken arena', () => {
    const arena = newArena(newSystem());
    arena.addSpan(BASE, 8 * QUANTUM);
    arena.alloc(QUANTUM, flags);
    viewOf(arena).check();
    arena.tags.size[arena.hash.find(BASE)] = 2 * QUANTUM;
    expect(() => viewOf(arena).check()).toThrow(InvariantError);
  });
});

it('the work of a system is the searches and lookups of all its arenas', () => {
  const { system, arena } = cachedArena();
  const held = Array.from({ length: 100 }, (_, index) => arena.alloc((5 + (index % 7)) * QUANTUM, flags));
  for (const [index, address] of held.entries()) arena.free(address, (5 + (index % 7)) * QUANTUM);
  const steps = system.arenas.map(({ searches, lookups }) => searches + lookups);
  expect(system.work.steps).toBe(steps.reduce((sum, one) => sum + one));
  expect(arena.lookups).toBeGreaterThan(0);
});

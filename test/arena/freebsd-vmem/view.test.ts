import { describe, expect, it } from 'vitest';
import { ABIS } from '../../../src/arena/freebsd-vmem/abi.js';
import { VmemFlag } from '../../../src/arena/freebsd-vmem/flags.js';
import { VmemView } from '../../../src/arena/freebsd-vmem/view.js';
import { InvariantError } from '../../../src/core/errors.js';
import { BASE, bound, newArena, newSystem, QUANTUM, viewOf } from '../../support/freebsd-picture.js';

const flags = VmemFlag.BESTFIT | VmemFlag.NOWAIT;

describe('the view of a FreeBSD arena', () => {
  it('counts tags, spare ones included, and the structure of the arena', () => {
    const arena = newArena(newSystem());
    arena.addSpan(BASE, 16 * QUANTUM);
    arena.alloc(QUANTUM, flags);
    expect([arena.spanTags, arena.freeTags, arena.allocTags, arena.spares.count]).toEqual([1, 1, 1, 3]);
    expect(viewOf(arena).metadataBytes()).toBe(1856 + 6 * 56);
  });

  it('counts a hash table once it has more than its first chains', () => {
    const arena = newArena(newSystem());
    arena.addSpan(BASE, 64 * QUANTUM);
    for (let count = 0; count < 40; count++) arena.alloc(QUANTUM, flags);
    const before = viewOf(arena).metadataBytes();
    arena.hash.rehash();
    expect([arena.hashBuckets, viewOf(arena).metadataBytes() - before]).toEqual([64, 64 * 8]);
  });

  it('shrinks a hash table to the least', () => {
    const arena = newArena(newSystem());
    arena.addSpan(BASE, 64 * QUANTUM);
    for (let count = 0; count < 40; count++) arena.alloc(QUANTUM, flags);
    arena.hash.rehash();
    for (let count = 0; count < 32; count++) arena.free(bound(count), QUANTUM);
    arena.hash.rehash();
    expect(arena.hashBuckets).toBe(16);
    for (let count = 32; count < 40; count++) arena.free(bound(count), QUANTUM);
    viewOf(arena).check();
  });

  it('shows quantum caches with their buckets', () => {
    const system = newSystem(2);
    const arena = newArena(system, { qcacheMax: 3 * QUANTUM });
    arena.addSpan(BASE, 1024 * QUANTUM);
    const view = new VmemView(arena, ABIS[13], 2);
    const address = arena.alloc(2 * QUANTUM, flags);
    const [, second] = view.caches;
    expect(view.caches.map(({ name, bufferBytes }) => [name, bufferBytes])).toEqual([
      ['arena-16', 16],
      ['arena-32', 32],
      ['arena-48', 48],
    ]);
    expect(second).toMatchObject({ arena: 'arena', kind: 'quantum', slabs: 254, buffersInMagazines: 253 });
    expect([second!.allocs, second!.magazineHits, second!.frees, second!.magazines]).toEqual([1, 0, 0, 1]);
    const zones = 3 * (384 + 2 * 128 + 128);
    const tags = 1 + arena.freeTags + arena.allocTags + arena.spares.count;
    expect(view.metadataBytes()).toBe(1856 + tags * 56 + zones + 16 + 254 * 8);
    system.cpu = 1;
    arena.free(address, 2 * QUANTUM);
    expect([second!.frees, second!.buffersInMagazines, second!.magazines]).toEqual([1, 254, 2]);
    expect(arena.alloc(2 * QUANTUM, flags)).toBe(address);
    expect(second!.magazineHits).toBe(1);
  });

  it('knows free segments and extents, and follows the spectrum', () => {
    const arena = newArena(newSystem());
    arena.addSpan(BASE, 8 * QUANTUM);
    arena.addSpan(bound(100), 3 * QUANTUM);
    const view = viewOf(arena);
    const spectrum = view.freeSpectrum();
    expect(arena.alloc(2 * QUANTUM, flags)).toBe(bound(100));
    expect(arena.alloc(2 * QUANTUM, flags)).toBe(BASE);
    expect(arena.alloc(2 * QUANTUM, flags)).toBe(bound(2));
    arena.free(BASE, 2 * QUANTUM);
    const sizes: number[] = [];
    view.walkFree((size) => sizes.push(size / QUANTUM));
    expect(sizes.sort()).toEqual([1, 2, 4]);
    expect([spectrum.segments, spectrum.bytes / QUANTUM]).toEqual([3, 7]);
    expect([view.largestFree() / QUANTUM, view.freeBytes() / QUANTUM, view.source]).toEqual([4, 7, null]);
    expect([view.extentBytes() / QUANTUM, view.figures.reachBytes / QUANTUM]).toEqual([4, 102]);
    view.check();
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
  const system = newSystem();
  const arena = newArena(system);
  arena.addSpan(BASE, 1000 * QUANTUM);
  const held = Array.from({ length: 100 }, (_, index) => arena.alloc((1 + (index % 7)) * QUANTUM, flags));
  for (const [index, address] of held.entries()) arena.free(address, (1 + (index % 7)) * QUANTUM);
  const steps = system.arenas.map(({ searches, lookups }) => searches + lookups);
  expect(system.work.steps).toBe(steps.reduce((sum, one) => sum + one));
  expect(arena.lookups).toBeGreaterThan(0);
});

import { describe, expect, it } from 'vitest';
import { VmFlag } from '../../../src/arena/illumos-vmem/flags.js';
import { KIB } from '../../../src/core/units.js';
import { BASE, newArena, newSystem } from '../../support/vmem-picture.js';

const PAGE = 4 * KIB;
const { NOSLEEP } = VmFlag;

/** An arena with quantum caches of 1 to `pages` pages and a span of 4096 pages. */
function cached(pages: number) {
  const system = newSystem();
  const arena = newArena(system, { quantum: PAGE, qcacheMax: pages * PAGE });
  arena.addSpan(BASE, 4096 * PAGE);
  const alloc = (size = 1) => (arena.alloc(size * PAGE, NOSLEEP) - BASE) / PAGE;
  const free = (page: number, size = 1) => arena.free(BASE + page * PAGE, size * PAGE);
  return { system, arena, alloc, free };
}

/** qcache_max in pages, slab in KiB, buffers per slab for 1, 2, 3, … pages: specification §9. */
const SLABS = [
  [1, 16, [4]],
  [2, 32, [8, 4]],
  [5, 64, [16, 8, 5, 4, 3]],
  [8, 128, [32, 16, 10, 8, 6, 5, 4, 4]],
  [16, 256, [64, 32, 21, 16, 12, 10, 9, 8, 7, 6, 5, 5, 4, 4, 4, 4]],
] as const;

describe('slabs of quantum caches', () => {
  it.each(SLABS)('up to %i pages are of %i KiB whatever the buffer size', (pages, kibibytes, buffers) => {
    const { system } = cached(pages);
    expect(system.caches.map(({ geometry }) => geometry.slabBytes / KIB)).toEqual(
      buffers.map(() => kibibytes),
    );
    expect(system.caches.map(({ geometry }) => geometry.chunks)).toEqual(buffers);
  });

  it('give the highest buffer first, and the one freed last before that', () => {
    const { alloc, free, system } = cached(1);
    expect([alloc(), alloc(), alloc()]).toEqual([3, 2, 1]);
    for (const page of [2, 3, 1]) free(page);
    for (let tick = 0; tick < 2; tick++) system.tick();
    system.reap();
    expect([alloc(), alloc(), alloc(), alloc()]).toEqual([1, 3, 2, 0]);
  });

  it('are taken from fullest first, equals by address', () => {
    const { alloc, free, arena, system } = cached(1);
    const pages = Array.from({ length: 12 }, () => alloc());
    expect(pages).toEqual([3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8]);
    for (const page of [11, 10, 7, 3, 2, 6]) free(page);
    system.reapQuantumCaches(arena);
    // The two magazines of the CPU hold 2 and 6; the slabs at 0, 4 and 8 have 3, 3 and 2 buffers in use.
    expect([alloc(), alloc(), alloc(), alloc(), alloc(), alloc()]).toEqual([6, 2, 3, 7, 11, 10]);
  });

  it('go back as soon as they are empty, not before', () => {
    const { alloc, free, arena, system } = cached(1);
    const pages = Array.from({ length: 6 }, () => alloc());
    expect(pages).toEqual([3, 2, 1, 0, 7, 6]);
    for (const page of pages) free(page);
    expect(arena.inUseBytes).toBe(32 * KIB);
    system.reapQuantumCaches(arena);
    // The magazines of the CPU are never reaped: pages 6 and 7 in them keep their slab.
    expect(arena.inUseBytes).toBe(16 * KIB);
  });
});

describe('magazines of quantum caches', () => {
  it('hold one page each: two per CPU, the rest in the depot', () => {
    const { alloc, free, system } = cached(1);
    const pages = Array.from({ length: 4 }, () => alloc());
    for (const page of pages) free(page);
    const { magazines } = system.caches[0]!;
    expect([magazines.cpuRounds(), magazines.full.total, magazines.roundsHeld]).toEqual([['1/1'], 2, 4]);
    expect([alloc(), alloc(), alloc(), alloc()]).toEqual(pages.toReversed());
  });

  it('are reaped only after they lay untouched between two ticks', () => {
    const { alloc, free, system } = cached(1);
    for (const page of [alloc(), alloc(), alloc(), alloc()]) free(page);
    const { full } = system.caches[0]!.magazines;
    const totals: number[] = [];
    for (let tick = 0; tick < 3; tick++) {
      system.reap();
      totals.push(full.total);
      system.tick();
    }
    expect(totals).toEqual([2, 2, 0]);
  });

  it('serve small requests whatever their policy, and forget the size asked for', () => {
    const { arena } = cached(2);
    const first = arena.alloc(PAGE + 1, NOSLEEP | VmFlag.NEXTFIT | VmFlag.ENDALLOC);
    expect(arena.searches).toBe(0);
    arena.free(first, 2 * PAGE);
    expect(arena.alloc(2 * PAGE, NOSLEEP)).toBe(first);
  });
});

import { describe, expect, it } from 'vitest';
import { KernelStacks, NO_STACK } from '../../../src/arena/freebsd-kstack/kernel-stacks.js';
import { KvaArena } from '../../../src/arena/freebsd-kstack/kva-arena.js';
import { ownerListing } from '../../../src/arena/freebsd-kstack/owner-listing.js';
import { NO_FRAME, Owner } from '../../../src/arena/freebsd-kstack/page-frames.js';
import { PhysicalMemory } from '../../../src/arena/freebsd-kstack/physical-memory.js';
import { collectFrames, indexUse, reservationUse } from '../../../src/arena/freebsd-kstack/stack-figures.js';
import type { LayoutName } from '../../../src/arena/freebsd-kstack/stack-layout.js';
import { MisuseError } from '../../../src/core/errors.js';

function machine(layout: LayoutName, memoryPages = 4096): KernelStacks {
  return new KernelStacks({ layout, stackPages: 4, guardPages: 1, cpus: 1, memoryPages, skippedKvaBytes: 0 });
}

function framesOf(kernel: KernelStacks, stack: number): number[] {
  const frames: number[] = [];
  collectFrames(kernel, stack, frames);
  return frames;
}

/** Runs of frames with one owner: `k` stack, `v` vnode, `a` anonymous, `.` none. */
function drawOwners({ memory }: KernelStacks, from: number, to: number): string {
  return [...memory.frames.owner.subarray(from, to)].map((owner) => '.kva'[owner]).join('');
}

describe('who owns physical pages', () => {
  /** Stacks of six threads, and files and anonymous memory that grow between them. */
  function mixed(layout: LayoutName): KernelStacks {
    const kernel = machine(layout);
    for (let thread = 0; thread < 6; thread++) {
      kernel.memory.allocateBackground(Owner.vnode);
      kernel.create(5);
      kernel.memory.allocateBackground(thread % 2 === 0 ? Owner.anonymous : Owner.vnode);
    }
    return kernel;
  }

  it('an object per stack: interleaved with files and anonymous memory, as in the review', () => {
    const kernel = mixed('per-stack');
    expect(drawOwners(kernel, 0, 44)).toBe('vkkkkkavkkkkkvvkkkkkavkkkkkvvkkkkkavkkkkkv..');
    expect(ownerListing(kernel, 5, 9).split('\n')).toEqual([
      '0x000005000: kernel-stack',
      '0x000006000: anonymous',
      '0x000007000: vnode',
      '0x000008000: kernel-stack',
    ]);
  });

  it('a single object: reservations keep them apart', () => {
    const kernel = mixed('single');
    const picture = drawOwners(kernel, 0, 4096);
    expect(picture).not.toMatch(/k[va]|[va]k/);
    expect(picture.match(/kkkkk/g)).toHaveLength(6);
  });
});

describe('indices', () => {
  it('SingleHasAHolePerGuard', () => {
    const kernel = machine('single');
    kernel.create(0);
    expect(indexUse(kernel)).toMatchObject({ residentPages: 128, holes: 31, runs: 32, lowest: 1 });
  });
  it.each(['dense-kva', 'dense-unr'] as const)('%s has none', (layout) => {
    const kernel = machine(layout);
    kernel.create(0);
    expect(indexUse(kernel)).toMatchObject({ residentPages: 128, holes: 0, runs: 1 });
  });
  it('ByUnitWithoutReservationsHasTheIndicesOfOneLayoutAndTheFramesOfAnother', () => {
    const places = (layout: LayoutName) => {
      const kernel = machine(layout);
      const live: number[] = [];
      for (let step = 0; step < 300; step++) {
        kernel.memory.allocateBackground(Owner.vnode);
        if (step % 3 === 2) kernel.exit(live.splice((step * 7) % live.length, 1)[0]!);
        else live.push(kernel.create(step % 11 === 0 ? 6 : 0));
      }
      return {
        indices: live.map((stack) => kernel.stacks.pindex[stack]!),
        frames: live.map((stack) => framesOf(kernel, stack)),
        reservations: reservationUse(kernel).active,
      };
    };
    const byUnit = places('dense-unr-noreserv');
    expect(byUnit.indices).toEqual(places('dense-unr').indices);
    expect(byUnit.frames).toEqual(places('dense-kva-noreserv').frames);
    expect(byUnit.reservations).toBe(0);
  });
  it('AReservationFillsToFourFifthsWithGuardsAndWhollyWithout', () => {
    const filled = (layout: LayoutName) => {
      const kernel = machine(layout);
      for (let thread = 0; thread < 256; thread++) kernel.create(0);
      return Math.max(...kernel.memory.reservations.population);
    };
    expect([filled('single'), filled('dense-unr'), filled('per-stack')]).toEqual([410, 512, 0]);
  });
});

describe('reservations', () => {
  it('AreGivenBackWithTheirLastPage', () => {
    const kernel = machine('dense-unr', 1024);
    const stack = kernel.create(7);
    expect(reservationUse(kernel)).toMatchObject({ active: 1, pagesInUse: 7, pagesIdle: 505 });
    kernel.exit(stack);
    expect(reservationUse(kernel).active).toBe(0);
    expect(kernel.memory.freePages).toBe(1024);
  });

  it('APageOfNoReservationBlocksItsWindow', () => {
    const memory = new PhysicalMemory(1024, 1, { cpu: 0 });
    const object = memory.objects.create(4096, true);
    memory.objects.reserves[object] = 0;
    const outside = memory.allocate(object, 600, NO_FRAME);
    memory.objects.reserves[object] = 1;
    const above = memory.allocate(object, 700, outside);
    const below = memory.allocate(object, 520, NO_FRAME);
    expect([outside, above, below].map((frame) => memory.frames.isFromCache[frame])).toEqual([1, 1, 1]);
    const elsewhere = memory.allocate(object, 100, NO_FRAME);
    expect(elsewhere % 512).toBe(100);
  });

  it('TheOldestIsBrokenWhenMemoryIsShort', () => {
    const kernel = machine('dense-unr', 1024);
    const { memory } = kernel;
    const stack = kernel.create(2);
    const taken: number[] = [];
    for (;;) {
      const frame = memory.allocateBackground(Owner.vnode);
      if (frame === NO_FRAME) break;
      taken.push(frame);
    }
    expect(memory.reservations.broken).toBe(1);
    expect(taken).toHaveLength(1022);
    expect(drawOwners(kernel, 0, 1024).match(/k/g)).toHaveLength(2);
    expect(kernel.create(0)).toBe(NO_STACK);
    expect(kernel.memory.freePages).toBe(0);
    kernel.exit(stack);
    for (const frame of taken) memory.free(frame);
    expect(memory.freePages + memory.pageCache.cachedItems).toBe(1024);
  });
});

describe('address space', () => {
  it('ASpanIsReleasedWhenItsLastAllocationGoes', () => {
    const released: [number, number][] = [];
    const arena = new KvaArena('picture', {
      importQuantum: 40960,
      importSpan: () => 81920,
      releaseSpan: (start, size) => released.push([start, size]),
    });
    const first = arena.alloc(8192);
    const second = arena.alloc(4096);
    expect([first, second, arena.totalBytes]).toEqual([81920, 90112, 40960]);
    arena.free(first, 8192);
    expect(released).toEqual([]);
    arena.free(second, 4096);
    expect([released, arena.totalBytes]).toEqual([[[81920, 40960]], 0]);
  });
});

describe('swapping', () => {
  it('ReadsOnlyWhatHasLeftMemory', () => {
    const kernel = machine('dense-kva');
    const stack = kernel.create(0);
    const before = framesOf(kernel, stack);
    kernel.swapOut(stack);
    expect(kernel.daemon.launderCluster()).toBe(4);
    expect(kernel.daemon.reclaim(3)).toBe(3);
    expect(kernel.swapIn(stack)).toBe(true);
    expect(kernel.counters).toMatchObject({ swapReads: 1, pagesRead: 3, objectLocks: 32 + 1 + 1 + 1 });
    expect(framesOf(kernel, stack)).toEqual(before);
  });

  it('NeighboursAreWrittenTogetherOnlyWhenDense', () => {
    const written = (layout: LayoutName) => {
      const kernel = machine(layout);
      const stacks = Array.from({ length: 8 }, () => kernel.create(0));
      for (const stack of stacks) kernel.swapOut(stack);
      return kernel.daemon.launderCluster();
    };
    expect([written('per-stack'), written('single'), written('dense-unr')]).toEqual([4, 4, 32]);
  });
});

describe('misuse', () => {
  it('is refused with what was wrong', () => {
    const kernel = machine('single');
    const stack = kernel.create(0);
    expect(() => kernel.swapIn(stack)).toThrow(MisuseError);
    kernel.exit(stack);
    expect(() => kernel.exit(stack)).toThrow('not a live stack in memory [stack=31 state=1 swapped=0]');
    expect(() => kernel.create(33)).toThrow('a stack is too large [pages=33]');
  });
});

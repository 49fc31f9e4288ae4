import { describe, expect, it } from 'vitest';
import { KERNEL_PAGES, PAGE_BYTES } from '../../../src/arena/freebsd-kstack/abi.js';
import { BucketCache, NO_ITEM } from '../../../src/arena/freebsd-kstack/bucket-cache.js';
import {
  KernelStacks,
  type KernelStacksForm,
  NO_STACK,
} from '../../../src/arena/freebsd-kstack/kernel-stacks.js';
import { NO_FRAME, Owner } from '../../../src/arena/freebsd-kstack/page-frames.js';
import { PhysicalMemory } from '../../../src/arena/freebsd-kstack/physical-memory.js';
import { stackPopulation } from '../../../src/arena/freebsd-kstack/stack-figures.js';
import { MIB } from '../../../src/core/units.js';

/** Rules of spec freebsd-vmem-kstack that no vector reaches: what `verify` does not see, drawn here. */

function machine(changes: Partial<KernelStacksForm> = {}): KernelStacks {
  const form = { stackPages: 4, guardPages: 1, cpus: 1, memoryPages: 4096, skippedKvaBytes: 0 };
  return new KernelStacks({ layout: 'single', ...form, ...changes });
}

/** Memory of so many blocks of 512 frames, without page caches, and an object that takes reservations. */
function blocks(count: number) {
  const memory = new PhysicalMemory(512 * count, 4, { cpu: 0 });
  const object = memory.objects.create(1 << 20, true);
  const take = (pindex: number) => {
    const before = pindex === 0 ? NO_FRAME : memory.objects.findAtMost(object, pindex - 1);
    return memory.allocate(object, pindex, before);
  };
  return { memory, object, take };
}

/** Takes frames for others until a reservation breaks, or memory is gone. */
function fillUntilBroken(memory: PhysicalMemory): number[] {
  const taken: number[] = [];
  const { broken } = memory.reservations;
  while (memory.reservations.broken === broken) {
    const frame = memory.allocateBackground(Owner.vnode);
    if (frame === NO_FRAME) break;
    taken.push(frame);
  }
  return taken;
}

/** The first `length` frames of each block: `k` of the object, `v` of others, `.` free. */
function drawBlocks({ frames }: PhysicalMemory, length: number): string[] {
  const count = frames.count / 512;
  return Array.from({ length: count }, (_, block) =>
    [...frames.owner.subarray(512 * block, 512 * block + length)].map((owner) => '.kva'[owner]).join(''),
  );
}

describe('breaking of reservations', () => {
  it('TheOneThatWasQueuedFirstGoesFirst, frame by frame', () => {
    const { memory, take } = blocks(3);
    for (const pindex of [0, 1, 4]) take(pindex);
    take(512);
    // A block of 512 is there, so that the first window takes it, and the second splits the one of 1024.
    expect(drawBlocks(memory, 8)).toEqual(['k.......', '........', 'kk..k...']);
    const taken = fillUntilBroken(memory);
    // The middle block went to others, and then a frame of the reservation that was queued first.
    expect(taken).toHaveLength(513);
    // Its smallest free run goes first: of frames 2, 3, and 5 to 511 that is frame 5 by itself.
    expect(drawBlocks(memory, 8)).toEqual(['k.......', 'vvvvvvvv', 'kk..kv..']);
    expect([0, 2].map((block) => memory.reservations.population[block])).toEqual([1, 0]);
  });

  it('AChangeMovesItToTheEndOncePerTick', () => {
    const broken = (tick: number) => {
      const { memory, take } = blocks(3);
      take(0);
      take(512);
      memory.reservations.tick = tick;
      take(1);
      const last = fillUntilBroken(memory).at(-1)!;
      return ['second window', 'others', 'first window'][last >> 9];
    };
    // In the tick of its first page it stays where it is; in a later one it moves behind the second.
    expect([broken(0), broken(1)]).toEqual(['first window', 'second window']);
  });

  it('AFullOneIsNeverBroken', () => {
    const { memory, take } = blocks(2);
    for (let pindex = 0; pindex < 512; pindex++) take(pindex);
    expect(fillUntilBroken(memory)).toHaveLength(512);
    expect([memory.reservations.broken, memory.freePages]).toEqual([0, 0]);
    expect(memory.reservations.breakOldest()).toBe(false);
  });

  it('PagesOfABrokenOneAreFreedByThemselves, and its window has no other', () => {
    const { memory, object, take } = blocks(3);
    const frame = take(0);
    const others = fillUntilBroken(memory);
    for (const other of others) memory.free(other);
    expect(memory.freePages).toBe(3 * 512 - 1);
    const neighbour = take(1);
    // Not the frame beside it by right of a reservation: the window is blocked while the first page is resident.
    expect(memory.reservations.object[neighbour >> 9]).toBe(-1);
    for (const pindex of [0, 1]) {
      const resident = memory.objects.find(object, pindex);
      memory.objects.remove(resident);
      memory.free(resident);
    }
    expect([memory.freePages, memory.frames.owner[frame]]).toEqual([3 * 512, Owner.none]);
    // Merged again to a block of 512: a window may have a reservation.
    const again = take(7);
    expect([again % 512, memory.reservations.object[again >> 9]]).toEqual([7, object]);
  });
});

describe('a bucket cache without room for a bucket', () => {
  it('takes single items and gives them back at once', () => {
    const log: string[] = [];
    let made = 0;
    const source = {
      importItems(into: Int32Array, at: number, count: number) {
        if (made === 2) return 0;
        into[at] = ++made;
        log.push(`+${made} of ${count}`);
        return 1;
      },
      releaseItem: (item: number) => log.push(`-${item}`),
    };
    const cache = new BucketCache({ itemBytes: 4096, cpus: 4, maximum: 7 }, source, { cpu: 3 });
    const items = [cache.allocate(), cache.allocate(), cache.allocate()];
    expect(items).toEqual([1, 2, NO_ITEM]);
    cache.free(2);
    cache.free(1);
    expect(log).toEqual(['+1 of 1', '+2 of 1', '-2', '-1']);
    expect(cache.cachedItems).toBe(0);
  });
});

describe('swap', () => {
  it.each([
    [1536, 8],
    [2048, 32],
  ])('a machine of %i pages writes clusters of %i', (memoryPages, pages) => {
    const kernel = machine({ layout: 'dense-unr', memoryPages });
    for (const stack of Array.from({ length: 16 }, () => kernel.create(0))) kernel.swapOut(stack);
    expect(kernel.daemon.launderCluster()).toBe(pages);
  });

  it('ASwapInWithoutMemoryLeavesAllAsItWas', () => {
    const kernel = machine({ layout: 'per-stack', memoryPages: 1024 });
    const { daemon, memory } = kernel;
    const stack = kernel.create(0);
    const away = () => {
      kernel.swapOut(stack);
      while (daemon.launderCluster() > 0);
      expect(daemon.reclaim(2)).toBe(2);
    };
    // The second time the upper two pages leave memory, whose places in the queue are older (D2).
    away();
    expect(kernel.swapIn(stack)).toBe(true);
    away();
    fillUntilBroken(memory);
    expect([memory.freePages, kernel.swapIn(stack)]).toEqual([0, false]);
    // The lower two, wired for a moment, wait in the laundry again.
    expect([daemon.launderCluster(), memory.freePages]).toEqual([2, 0]);
    expect(() => kernel.exit(stack)).toThrow('not a live stack in memory');
    const { swapReads } = kernel.counters;
    kernel.abandon(stack);
    expect([kernel.counters.swapReads, memory.freePages]).toEqual([swapReads, 2]);
    expect(daemon.swap.blocksInUse).toBe(0);
  });
});

describe('address space', () => {
  it('OfAStackWhosePagesAreNotToBeHadGoesBack', () => {
    const kernel = machine({ layout: 'per-stack', memoryPages: 1024 });
    fillUntilBroken(kernel.memory);
    expect(kernel.create(6)).toBe(NO_STACK);
    expect(kernel.kva.kernelArena.inUseBytes).toBe(0);
    expect(stackPopulation(kernel)).toMatchObject({ live: 0, constructed: 0 });
    expect([kernel.memory.objects.count, kernel.counters.built, kernel.counters.destroyed]).toEqual([
      0, 1, 1,
    ]);
  });

  it('IsUsedToItsEnd, imports that touch being one', () => {
    const left = 4 * MIB;
    const kernel = machine({ skippedKvaBytes: KERNEL_PAGES * PAGE_BYTES - left });
    let count = 0;
    while (kernel.create(0) !== NO_STACK) count++;
    expect(count).toBe(Math.floor(left / (5 * PAGE_BYTES)));
    expect(kernel.kva.map.fails).toBeGreaterThan(0);
  });

  it('OfStackSlotsIsAskedForInVainWhereTheArenaAboveHasNone', () => {
    const kernel = machine({ layout: 'dense-kva', skippedKvaBytes: KERNEL_PAGES * PAGE_BYTES - 8 * MIB });
    expect(kernel.create(0)).toBe(NO_STACK);
    expect(kernel.kva.stackArena.totalBytes).toBe(0);
  });

  it('OfStackSlotsGoesBackWithTheLastOne, the lost slot as well', () => {
    const kernel = machine({ layout: 'dense-kva' });
    const { stackArena, domainArena } = kernel.kva;
    const stack = kernel.create(0);
    expect([stackArena.totalBytes, domainArena.inUseBytes]).toEqual([511 * 5 * PAGE_BYTES, 10 * MIB]);
    kernel.exit(stack);
    kernel.reap(true);
    expect([stackArena.totalBytes, domainArena.inUseBytes, stackArena.releases]).toEqual([0, 0, 1]);
  });
});

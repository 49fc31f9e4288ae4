import { BucketCache } from '../../src/arena/freebsd-kstack/bucket-cache.js';
import { KvaArena } from '../../src/arena/freebsd-kstack/kva-arena.js';
import { PageBlocks } from '../../src/arena/freebsd-kstack/page-blocks.js';
import { PageDaemon } from '../../src/arena/freebsd-kstack/page-daemon.js';
import { NO_FRAME } from '../../src/arena/freebsd-kstack/page-frames.js';
import { PageQueues } from '../../src/arena/freebsd-kstack/page-queues.js';
import { PageTries } from '../../src/arena/freebsd-kstack/page-trie.js';
import { PhysicalMemory } from '../../src/arena/freebsd-kstack/physical-memory.js';
import { Reservations } from '../../src/arena/freebsd-kstack/reservations.js';
import { DenseKvaLayout, PerStackLayout } from '../../src/arena/freebsd-kstack/stack-layout.js';
import { SwapSpace } from '../../src/arena/freebsd-kstack/swap-space.js';
import { UnitNumbers } from '../../src/arena/freebsd-kstack/unit-numbers.js';
import { insides, replaceHidden, replaceMethod } from './mutation.js';
import type { Mutant } from './vmem-mutants.js';

interface BlockLists {
  append(frame: number, order: number): void;
}

/** Mistakes about page frames. */
const MEMORY: readonly Mutant[] = [
  {
    mistake: 'free blocks do not join their buddies',
    apply: () =>
      replaceMethod(
        PageBlocks,
        'free',
        () =>
          function (this: PageBlocks, frame, order) {
            insides<BlockLists>(this, ['append']).append(frame, order);
          },
      ),
  },
  {
    mistake: 'batches of pages come from large blocks',
    apply: () =>
      replaceMethod(
        PageBlocks,
        'allocateBatch',
        () =>
          function (this: PageBlocks, into, at, count) {
            const block = this.allocate(5);
            if (block === NO_FRAME) return 0;
            for (let index = 0; index < count; index++) into[at + index] = block + index;
            this.addRange(block + count, 32 - count);
            return count;
          },
      ),
  },
  {
    mistake: 'cached pages are freed past the cache',
    apply: () =>
      replaceMethod(
        PhysicalMemory,
        'free',
        (original) =>
          function (this: PhysicalMemory, frame) {
            this.frames.isFromCache[frame] = 0;
            original.call(this, frame);
          },
      ),
  },
  {
    mistake: 'there are no reservations',
    apply: () => replaceMethod(Reservations, 'allocate', () => () => NO_FRAME),
  },
];

/** Mistakes about the caches. */
const CACHES: readonly Mutant[] = [
  {
    mistake: 'a drain leaves the size of new buckets',
    apply: () =>
      replaceMethod(
        BucketCache,
        'drain',
        (original) =>
          function (this: BucketCache) {
            const size = this.bucketSize;
            original.call(this);
            this.bucketSize = size;
          },
      ),
  },
  {
    mistake: 'a drain leaves the buckets of CPUs',
    apply: () =>
      replaceMethod(
        BucketCache,
        'drainCpus',
        () =>
          function (this: BucketCache) {
            this.drain();
          },
      ),
  },
  {
    mistake: 'full buckets are always emptied',
    apply: () =>
      replaceHidden<(bucket: number) => void>(
        BucketCache,
        'handOver',
        () =>
          function (this: BucketCache, bucket) {
            const cache = insides<{ releaseBucket(row: number): void }>(this, ['releaseBucket']);
            cache.releaseBucket(bucket);
          },
      ),
  },
];

/** Mistakes about swap. */
const SWAP: readonly Mutant[] = [
  {
    mistake: 'clusters do not grow downwards',
    apply: () => replaceHidden<() => boolean>(PageDaemon, 'extendDown', () => () => false),
  },
  {
    mistake: 'clusters do not grow upwards',
    apply: () => replaceHidden<() => boolean>(PageDaemon, 'extendUp', () => () => false),
  },
  {
    mistake: 'clean pages cannot be found',
    apply: () => replaceMethod(PageQueues, 'takeClean', () => () => NO_FRAME),
  },
  {
    mistake: 'the swap blocks of an object outlive it',
    apply: () => replaceMethod(SwapSpace, 'forget', () => () => undefined),
  },
  {
    mistake: 'swap blocks are never contiguous',
    apply: () => replaceMethod(SwapSpace, 'blockOf', () => () => 0),
  },
];

/** Mistakes about indices and addresses. */
const INDICES: readonly Mutant[] = [
  {
    mistake: 'a stack object goes without its lock',
    apply: () =>
      replaceMethod(
        PerStackLayout,
        'displace',
        (original) =>
          function (this: PerStackLayout, stack) {
            return original.call(this, stack) - 1;
          },
      ),
  },
  {
    mistake: 'odd sizes share the arena of stacks',
    apply: () =>
      replaceMethod(
        DenseKvaLayout,
        'arenaFor',
        (original) =>
          function (this: DenseKvaLayout) {
            return original.call(this, 4);
          },
      ),
  },
  {
    mistake: 'unit numbers are not used again',
    apply: () => replaceMethod(UnitNumbers, 'give', () => () => undefined),
  },
  {
    mistake: 'nodes of the trie stay with one child',
    apply: () => replaceHidden<() => void>(PageTries, 'destroy', () => () => undefined),
  },
  {
    mistake: 'aligned imports ask for no more than the request',
    apply: () =>
      replaceHidden<(size: number, align: number) => boolean>(
        KvaArena,
        'importFor',
        (original) =>
          function (this: KvaArena, size) {
            return original.call(this, size, 4096);
          },
      ),
  },
];

/** Broken models of kernel stacks, each of which the vectors must notice. */
export const KSTACK_MUTANTS: readonly Mutant[] = [...MEMORY, ...CACHES, ...SWAP, ...INDICES];

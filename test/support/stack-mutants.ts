import { Bucket } from '../../src/arena/netbsd-malloc/bucket.js';
import { KernelMalloc } from '../../src/arena/netbsd-malloc/kernel-malloc.js';
import { ChainedPageTable } from '../../src/arena/netbsd-pool/chained-page-table.js';
import { OldKmem } from '../../src/arena/netbsd-stack-2011/old-kmem.js';
import { PageImport } from '../../src/arena/netbsd-stack-2011/page-import.js';
import { Stack2011 } from '../../src/arena/netbsd-stack-2011/stack.js';
import { VmFlag } from '../../src/arena/netbsd-vmem/flags.js';
import { PooledTags } from '../../src/arena/netbsd-vmem/pooled-tags.js';
import type { TagTable } from '../../src/arena/netbsd-vmem/tags.js';
import { insides, replaceMethod } from './mutation.js';
import type { Mutant } from './vmem-mutants.js';

/** Mistakes about pool(9), kmem(9) and malloc(9) of NetBSD 5.2. */
export const STACK_MUTANTS: readonly Mutant[] = [
  {
    mistake: 'malloc hands the item out first that came back last',
    apply: () =>
      replaceMethod(
        Bucket,
        'take',
        (original) =>
          function (this: Bucket) {
            const inside = insides<{ free: number; first: number; queue: Float64Array }>(this, [
              'free',
              'first',
              'queue',
            ]);
            const mask = inside.queue.length - 1;
            const last = (inside.first + inside.free - 1) & mask;
            const newest = inside.queue[last]!;
            inside.queue[last] = inside.queue[inside.first]!;
            inside.queue[inside.first] = newest;
            return original.call(this);
          },
      ),
  },
  {
    mistake: 'malloc cuts its pages from the bottom up',
    apply: () =>
      replaceMethod(
        Bucket,
        'addSlab',
        (original) =>
          function (this: Bucket, base) {
            original.call(this, base);
            const inside = insides<{ queue: Float64Array; first: number; free: number }>(this, [
              'queue',
              'first',
              'free',
            ]);
            for (let item = 0; item < inside.free; item++) {
              const place = (inside.first + item) & (inside.queue.length - 1);
              inside.queue[place] = base + item * this.bufferBytes;
            }
          },
      ),
  },
  {
    mistake: 'malloc rounds large requests up to powers of two',
    apply: () =>
      replaceMethod(
        KernelMalloc,
        'alloc',
        (original) =>
          function (this: KernelMalloc, size) {
            return original.call(this, size > 8192 ? 2 ** Math.ceil(Math.log2(size)) : size);
          },
      ),
  },
  {
    mistake: 'a page of chained items hands out the lowest first',
    apply: () =>
      replaceMethod(
        ChainedPageTable,
        'takeItem',
        () =>
          function (this: ChainedPageTable, page) {
            let item = 0;
            while (!this.isFree(page, item)) item++;
            this.unmark(page, item);
            return item;
          },
      ),
  },
  {
    mistake: 'boundary tags cost nothing',
    apply: () =>
      replaceMethod(PooledTags, 'take', () => {
        return function (this: PooledTags) {
          return insides<{ tags: TagTable }>(this, ['tags']).tags.create(0);
        };
      }),
  },
  {
    mistake: 'kmem has no quantum caches',
    apply: () =>
      replaceMethod(
        OldKmem,
        'alloc',
        () =>
          function (this: OldKmem, size) {
            return this.arena.xalloc(size, 0, 0, 0, 0, 2 ** 53 - 1, VmFlag.NOSLEEP);
          },
      ),
  },
  {
    mistake: 'kmem imports a page more than it needs',
    apply: () =>
      replaceMethod(
        PageImport,
        'importSpan',
        (original) =>
          function (this: PageImport, size) {
            return original.call(this, size + 4096);
          },
      ),
  },
  {
    mistake: 'a pool for interrupts takes its pages from kernel_map',
    apply: () =>
      replaceMethod(
        Stack2011,
        'createPool',
        (original) =>
          function (this: Stack2011, name, itemBytes) {
            return original.call(this, name, itemBytes, this.uvm.kernelMap);
          },
      ),
  },
];

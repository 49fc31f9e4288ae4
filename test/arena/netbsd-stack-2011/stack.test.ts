import { describe, expect, it } from 'vitest';
import { OLD_ABIS } from '../../../src/arena/netbsd-stack-2011/abi.js';
import { Stack2011, type StackOptions } from '../../../src/arena/netbsd-stack-2011/stack.js';
import { checkArena } from '../../../src/arena/netbsd-vmem/check.js';
import { NO_ADDRESS } from '../../../src/core/address.js';
import { MIB } from '../../../src/core/units.js';

const PAGE = 4096;

function boot(changes: Partial<StackOptions> = {}): Stack2011 {
  return new Stack2011({
    base: 2 ** 44,
    limit: 2 ** 44 + 256 * MIB,
    imageBytes: 16 * MIB,
    kmemMapPages: 4096,
    submaps: [],
    ...changes,
  });
}

function check({ uvm, kmem, malloc }: Stack2011): void {
  for (const map of uvm.maps) map.check();
  checkArena(kmem.arena);
  expect(malloc.buckets.every(({ buffersInUse }) => buffersInUse >= 0)).toBe(true);
}

describe('kmem(9) of 5.2', () => {
  it('takes a page, two tags for its span, and a map entry for 300 bytes, and gives them back', () => {
    const stack = boot();
    const { kernelMap } = stack.uvm;
    const before = kernelMap.figures.inUseBytes;
    const address = stack.kmem.alloc(300);
    expect(kernelMap.figures.inUseBytes - before).toBe(PAGE);
    expect([stack.kmem.arena.spanTags, stack.kmem.arena.allocTags, stack.kmem.arena.freeTags]).toEqual([
      1, 1, 1,
    ]);
    // The tag of the allocation is new; those of the span and of what is left came with the import.
    expect([stack.tagPool.items, stack.tags.cached]).toEqual([4, 1]);
    stack.kmem.free(address, 300);
    expect([stack.kmem.arena.spanTags, kernelMap.figures.inUseBytes]).toEqual([0, before]);
    check(stack);
  });

  it('has 18 caches for 32 sizes, of 8 bytes or, with 32 bits, of 4', () => {
    const caches = (stack: Stack2011) => new Set(stack.kmem.arena.quantumCaches).size;
    expect([caches(boot()), boot().kmem.arena.qcacheMax]).toEqual([18, 256]);
    const small = boot({ abi: OLD_ABIS.ilp32 });
    expect([caches(small), small.kmem.arena.qcacheMax]).toEqual([18, 128]);
  });

  it('does not import for a request with bounds', () => {
    const stack = boot();
    expect(stack.kmem.arena.xalloc(PAGE, 0, 0, 0, 0, 2 ** 52, 2)).toBe(NO_ADDRESS);
    expect(stack.kmem.arena.xalloc(PAGE, 0, 0, 0, 0, 2 ** 53 - 1, 2)).toBeGreaterThan(0);
  });

  it('gives slabs that were idle for 10 seconds back, and the KVA caches theirs', () => {
    const stack = boot();
    stack.kmem.free(stack.kmem.alloc(100), 100);
    stack.reclaim();
    expect(stack.kmem.arena.spanTags).toBe(1);
    stack.uvm.uptime = 10;
    stack.reclaim();
    expect(stack.kmem.arena.spanTags).toBe(0);
    check(stack);
  });

  it('has a hash table from malloc(9), which follows the tags up to 8192 chains', () => {
    const stack = boot();
    const inUse = (size: number) => stack.malloc.buckets.find((bucket) => bucket.bufferBytes >= size)!;
    for (let count = 0; count < 9000; count++) stack.kmem.alloc(600);
    stack.rehash();
    expect([stack.kmem.arena.hashBuckets, inUse(32).buffersInUse]).toEqual([8192, 0]);
    check(stack);
  });
});

describe('a starved map', () => {
  it('asks pools for pages that are not idle yet, then the KVA cache for chunks', () => {
    const stack = boot();
    const { kernelMap } = stack.uvm;
    const pool = stack.createPool('vnode', 304, kernelMap);
    pool.put(pool.addressOf(pool.take()));
    while (stack.uvm.allocate(kernelMap, PAGE, 0) !== NO_ADDRESS);
    expect(pool.pages.count).toBe(0);
    check(stack);
  });

  it('does not ask pools of buffers', () => {
    const stack = boot();
    const { kernelMap } = stack.uvm;
    const pool = stack.createLargePool('buf64k', 65536, 65536, kernelMap);
    pool.put(pool.addressOf(pool.take()));
    while (stack.uvm.allocate(kernelMap, PAGE, 0) !== NO_ADDRESS);
    expect(pool.pages.count).toBe(1);
  });
});

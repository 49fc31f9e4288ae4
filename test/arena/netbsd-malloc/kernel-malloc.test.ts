import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { KernelMalloc } from '../../../src/arena/netbsd-malloc/kernel-malloc.js';
import { NO_ADDRESS } from '../../../src/core/address.js';
import { MisuseError } from '../../../src/core/errors.js';

/** malloc over pages 1, 2, …, of which there are `limit`; ranges freed are noted. */
function mallocOn(limit = 1000) {
  let next = 4096;
  const freed: [number, number][] = [];
  const pages = {
    alloc(bytes: number) {
      if (next + bytes > (limit + 1) * 4096) return NO_ADDRESS;
      next += bytes;
      return next - bytes;
    },
    free: (base: number, bytes: number) => void freed.push([base, bytes]),
  };
  return { malloc: new KernelMalloc(pages, 'kmem_map'), freed };
}

describe('malloc(9)', () => {
  it('rounds up to powers of two from 32 to 8192, and above that to pages', () => {
    const { malloc } = mallocOn();
    const sizes = [1, 32, 33, 64, 65, 4096, 4097, 8192, 8193, 12288];
    expect(sizes.map((size) => malloc.bytesFor(size))).toEqual([
      32, 32, 64, 64, 128, 4096, 8192, 8192, 12288, 12288,
    ]);
    expect(() => malloc.alloc(0)).toThrow(MisuseError);
  });

  it('hands out the highest item of a page first, and freed ones after all others', () => {
    const { malloc } = mallocOn();
    const [a, b] = [malloc.alloc(2000), malloc.alloc(2000)];
    expect([a, b]).toEqual([4096 + 2048, 4096]);
    malloc.free(a, 2000);
    malloc.free(b, 2000);
    expect([malloc.alloc(1025), malloc.alloc(2048), malloc.alloc(2048)]).toEqual([a, b, 8192 + 2048]);
  });

  it('keeps its pages, but not those of large requests', () => {
    const { malloc, freed } = mallocOn();
    malloc.free(malloc.alloc(100), 100);
    malloc.free(malloc.alloc(9000), 9000);
    expect(freed).toEqual([[8192, 12288]]);
    const { slabs, buffers, buffersInUse, allocs, frees } = malloc.buckets[2]!;
    expect([slabs, buffers, buffersInUse, allocs, frees]).toEqual([1, 32, 0, 1, 1]);
  });

  it('is exhausted when there are no pages', () => {
    const { malloc } = mallocOn(1);
    expect(malloc.alloc(8192)).toBe(NO_ADDRESS);
    expect([malloc.alloc(4096), malloc.alloc(4096), malloc.alloc(9000)]).toEqual([
      4096,
      NO_ADDRESS,
      NO_ADDRESS,
    ]);
    expect(malloc.buckets.map(({ fails }) => fails)).toEqual([0, 0, 0, 0, 0, 0, 0, 1, 1]);
  });

  it('is a queue for each size, however often it grows and wraps', () => {
    const steps = fc.array(fc.nat({ max: 5 }), { maxLength: 400, size: 'max' });
    fc.assert(
      fc.property(steps, (history) => {
        const { malloc } = mallocOn();
        const queue: number[] = [];
        const live: number[] = [];
        for (const step of history) {
          if (step < 2 && live.length > 0) {
            const address = live.splice((step * 7) % live.length, 1)[0]!;
            malloc.free(address, 1024);
            queue.push(address);
            continue;
          }
          const address = malloc.alloc(1024);
          const base = address - (address % 4096);
          if (queue.length === 0) queue.push(base + 3072, base + 2048, base + 1024, base);
          expect(address).toBe(queue.shift());
          live.push(address);
        }
      }),
    );
  });
});

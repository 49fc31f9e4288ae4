import { describe, expect, it } from 'vitest';
import {
  type ItemSource,
  ZoneCache,
  type ZoneCacheSpec,
} from '../../../src/arena/freebsd-vmem/zone-cache.js';
import { NO_ADDRESS } from '../../../src/core/address.js';
import { newSystem } from '../../support/freebsd-picture.js';

/** Hands out 1, 2, 3 … up to a limit and remembers what came back. */
class CountingSource implements ItemSource {
  made = 0;
  readonly back: number[] = [];

  constructor(private readonly limit = Number.POSITIVE_INFINITY) {}

  importItem(store: Float64Array, index: number): boolean {
    if (this.made === this.limit) return false;
    store[index] = ++this.made;
    return true;
  }

  releaseItem(store: Float64Array, index: number): void {
    this.back.push(store[index]!);
  }
}

function cacheOf(spec: Partial<ZoneCacheSpec>, cpus = 1, limit?: number) {
  const system = newSystem(cpus);
  const source = new CountingSource(limit);
  return { system, source, cache: new ZoneCache({ name: 'zone', itemBytes: 4096, ...spec }, source, system) };
}

describe('bucket sizes', () => {
  it.each([
    [1, 254],
    [64, 254],
    [65, 126],
    [1024, 16],
    [2049, 4],
    [4096, 2],
    [8192, 1],
    [16384, 1],
  ])('an item of %i bytes: %i at a time', (itemBytes, size) => {
    const { cache, source } = cacheOf({ itemBytes });
    cache.get(0);
    expect([cache.bucketSize, source.made]).toEqual([size, size]);
  });

  it.each([
    [1, 128, 32],
    [2, 128, 16],
    [4, 128, 8],
    [8, 128, 4],
    [16, 128, 2],
    [32, 128, 1],
    [64, 256, 1],
  ])('the stack cache of %i CPUs, at most %i stacks: %i', (cpus, maximum, size) => {
    expect(cacheOf({ itemBytes: 16384, maximum }, cpus).cache.bucketSize).toBe(size);
  });

  it('first-touch domains count three buckets a CPU', () => {
    expect(cacheOf({ itemBytes: 16384, maximum: 128, domains: 2 }, 4).cache.bucketSize).toBe(4);
  });
});

describe('a zone cache', () => {
  it('hands out what was imported last first', () => {
    const { cache, source } = cacheOf({ itemBytes: 2048 });
    expect([cache.get(0), cache.get(0), source.made]).toEqual([8, 7, 8]);
    expect([cache.allocs, cache.hits, cache.cached, cache.imported]).toEqual([2, 1, 6, 8]);
  });

  it('keeps two buckets a CPU and hands the others to the zone', () => {
    const { cache, source } = cacheOf({});
    const held = Array.from({ length: 8 }, () => cache.get(0));
    for (const item of held) cache.put(item);
    expect([cache.buckets, cache.cached]).toEqual([4, 8]);
    cache.drain();
    expect([source.back.length, cache.buckets, cache.cached]).toEqual([4, 2, 4]);
    cache.drainCpus();
    expect([source.back.length, cache.buckets, cache.cached, cache.imported]).toEqual([8, 0, 0, 0]);
    expect(source.back.toSorted((a, b) => a - b)).toEqual(held.toSorted((a, b) => a - b));
  });

  it('gives items back at once when the zone is full', () => {
    const { cache, source } = cacheOf({ itemBytes: 16384, maximum: 8 });
    const held = Array.from({ length: 12 }, () => cache.get(0));
    for (const item of held) cache.put(item);
    expect(cache.bucketSize).toBe(2);
    expect(source.back.length).toBeGreaterThan(0);
    expect(cache.cached + source.back.length).toBe(12);
    expect(cache.cached).toBeLessThanOrEqual(8);
  });

  it('shrinks its buckets by one a drain, down to the least', () => {
    const { cache } = cacheOf({ itemBytes: 16384, maximum: 32 });
    cache.drain();
    expect(cache.bucketSize).toBe(7);
    cache.drainCpus();
    expect(cache.bucketSize).toBe(3);
    for (let count = 0; count < 5; count++) cache.drain();
    expect(cache.bucketSize).toBe(1);
  });

  it('without room for buckets caches nothing', () => {
    const { cache, source } = cacheOf({ maximum: 1 });
    const item = cache.get(0);
    cache.put(item);
    expect([cache.bucketSize, source.back, cache.imported, cache.buckets]).toEqual([0, [1], 0, 0]);
  });

  it('answers what the source has, then nothing', () => {
    const { cache } = cacheOf({ itemBytes: 2048 }, 1, 3);
    expect([cache.get(0), cache.get(0), cache.get(0), cache.get(0)]).toEqual([3, 2, 1, NO_ADDRESS]);
    expect([cache.allocs, cache.buckets]).toEqual([3, 0]);
  });

  it('is one for each CPU, but for the list', () => {
    const { cache, system } = cacheOf({}, 2);
    const held = Array.from({ length: 6 }, () => cache.get(0));
    for (const item of held) cache.put(item);
    system.cpu = 1;
    expect(cache.get(0)).toBe(held[1]);
    system.cpu = 0;
    expect(cache.get(0)).toBe(held[5]);
  });
});

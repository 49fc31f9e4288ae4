import type { Address } from '../../core/address.js';
import { type Bytes, roundUp } from '../../core/units.js';
import { poolGeometry } from '../netbsd-pool/geometry.js';
import { Pool } from '../netbsd-pool/pool.js';
import { type CacheHost, PoolCache } from '../netbsd-pool/pool-cache.js';
import { PoolCacheView } from '../netbsd-pool/view.js';
import { PAGE_BYTES } from '../uvm-map/abi.js';
import { type ByteSource, KvaPages, type RangeSource } from '../uvm-map/map-pages.js';
import type { UvmSystem } from '../uvm-map/uvm-system.js';

/** Cache line, and the alignment of objects from this size up to a page. */
const LINE_BYTES: Bytes = 64;

/** Sizes with a cache. */
const SIZES: readonly Bytes[] = [
  8, 16, 24, 32, 40, 48, 56, 64, 128, 192, 256, 320, 384, 448, 512, 768, 1024, 2048,
];

/** Requests above this are whole pages. */
const LARGEST: Bytes = 2048;

/** Steps of the table from size to cache. */
const STEP: Bytes = 8;

/**
 * kmem(9) as option a of the thread has it: objects from caches whose pages come from the KVA cache of kernel_map, aligned
 * to the cache line from its size on; a page and more straight from the KVA caches, aligned to pages. The sizes below a
 * page are those that landed in 2012 as far as they are multiples of the line (an assumption).
 */
export class CachedKmem implements ByteSource {
  private readonly caches: readonly PoolCache[];
  /** Row of `caches` by size in steps of 8 bytes. */
  private readonly cacheOf: Uint8Array;

  constructor(
    private readonly ranges: RangeSource,
    system: UvmSystem,
    host: CacheHost,
  ) {
    const { kernelMap } = system;
    this.caches = SIZES.map((size) => createCache(size, system, host));
    for (const cache of this.caches) {
      kernelMap.caches.push(new PoolCacheView(cache, 'object', kernelMap.name));
      kernelMap.reclaimers.add({ reclaim: () => cache.reclaimDepot() });
    }
    this.cacheOf = Uint8Array.from({ length: LARGEST / STEP + 1 }, (_, step) =>
      SIZES.findIndex((size) => size >= step * STEP),
    );
  }

  alloc(size: Bytes): Address {
    if (size > LARGEST) return this.ranges.alloc(roundUp(size, PAGE_BYTES));
    return this.cacheFor(size).get();
  }

  free(address: Address, size: Bytes): void {
    if (size > LARGEST) this.ranges.free(address, roundUp(size, PAGE_BYTES));
    else this.cacheFor(size).put(address);
  }

  bytesFor(size: Bytes): Bytes {
    return size > LARGEST ? roundUp(size, PAGE_BYTES) : this.cacheFor(size).pool.geometry.itemBytes;
  }

  /** Gives back groups and pages that have been idle. */
  reclaim(): void {
    for (const cache of this.caches) cache.reclaim();
  }

  private cacheFor(size: Bytes): PoolCache {
    return this.caches[this.cacheOf[Math.ceil(size / STEP)]!]!;
  }
}

function createCache(size: Bytes, { abi, kernelMap, structures }: UvmSystem, host: CacheHost): PoolCache {
  const align = size >= LINE_BYTES ? LINE_BYTES : STEP;
  const geometry = poolGeometry({ itemBytes: size, align, pageBytes: PAGE_BYTES }, abi);
  const headers = structures.headersFor(geometry);
  const pool = new Pool(`kmem-${size}`, geometry, new KvaPages(kernelMap), headers, host);
  return new PoolCache(pool, abi.groupObjects, structures.groups, host);
}

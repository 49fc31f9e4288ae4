import type { Bytes } from '../../core/units.js';
import { poolGeometry } from '../netbsd-pool/geometry.js';
import { Pool } from '../netbsd-pool/pool.js';
import type { PoolCache } from '../netbsd-pool/pool-cache.js';
import type { PageSource } from '../netbsd-pool/supplies.js';
import { PAGE_BYTES } from '../netbsd-vmem/metadata.js';
import type { VmemSystem } from '../netbsd-vmem/system.js';

/** Object sizes of kmem(9) (spec §1.12); those above a page are listed by the kernel, but not made on 4 KiB pages. */
const SIZES: readonly Bytes[] = [
  8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384, 448, 512, 768, 1024, 2048,
  4096,
];

/** Requests above this are whole pages of the arena. */
export const LARGEST_CACHED: Bytes = 4096;

/** Objects whose size is a multiple of a cache line begin on one. */
const CACHE_LINE: Bytes = 64;

/** Sizes are found by classes of this many bytes. */
const CLASS_BYTES = 8;

/**
 * The pool caches behind kmem(9) as it landed in 2012, for requests of at most a page: `kmem_create_caches` and
 * `kmem_intr_alloc` of subr_kmem.c 1.46, spec netbsd-vmem-uvm §1.12. THEORY.md in this folder.
 */
export class KmemCaches {
  /** The smallest objects first. */
  readonly caches: readonly PoolCache[];
  /** The cache for sizes up to 8, 16, 24, … bytes. */
  private readonly byClass: readonly PoolCache[];

  /** `pages` supplies single pages. @throws InvariantError if there is no memory for a pool_cache structure. */
  constructor(system: VmemSystem, pages: PageSource) {
    this.caches = SIZES.map((bytes) => {
      const align = bytes % CACHE_LINE === 0 ? CACHE_LINE : 0;
      const geometry = poolGeometry({ itemBytes: bytes, align, pageBytes: PAGE_BYTES }, system.abi);
      const headers = system.pools.headersFor(geometry);
      return system.createPoolCache(new Pool(`kmem-${bytes}`, geometry, pages, headers, system));
    });
    this.byClass = Array.from({ length: LARGEST_CACHED / CLASS_BYTES }, (_, row) => {
      return this.caches.find(({ pool }) => pool.geometry.itemBytes >= (row + 1) * CLASS_BYTES)!;
    });
  }

  /** The cache for 1 to LARGEST_CACHED bytes. */
  cacheFor(size: Bytes): PoolCache {
    return this.byClass[(size - 1) >> 3]!;
  }
}

import { type Address, NO_ADDRESS } from '../../core/address.js';
import type { Bytes } from '../../core/units.js';
import { type PoolGeometry, poolGeometry } from '../netbsd-pool/geometry.js';
import { NO_ITEM, Pool } from '../netbsd-pool/pool.js';
import { PoolView } from '../netbsd-pool/view.js';
import { PAGE_BYTES } from './abi.js';
import { CHUNK_BYTES, CHUNK_PAGES } from './kva-cache.js';
import { KvaPages, MapPages, MapRanges, type RangeSource } from './map-pages.js';
import type { UvmMap } from './uvm-map.js';
import type { UvmSystem } from './uvm-system.js';

/**
 * Ranges of whole pages through the KVA caches of a map: single pages through the one that NetBSD 5.2 has; up to
 * `maxPages` through further pools of the same kind, one for each number of pages, with chunks of 32 pages too, which is
 * how we imagine the extended KVA caches of the thread (an assumption: spec §3, option a); longer ones are ranges of the
 * map itself.
 */
export class KvaRanges implements RangeSource {
  private readonly single: KvaPages;
  private readonly direct: MapRanges;
  /** The pool for n pages is at n - 2. */
  private readonly pools: readonly Pool[];

  constructor(map: UvmMap, maxPages: number, system: UvmSystem) {
    this.single = new KvaPages(map);
    this.direct = new MapRanges(map);
    this.pools = Array.from({ length: maxPages - 1 }, (_, index) => createPool(map, index + 2, system));
  }

  alloc(bytes: Bytes): Address {
    if (bytes === PAGE_BYTES) return this.single.allocPage();
    const pool = this.pools[bytes / PAGE_BYTES - 2];
    if (pool === undefined) return this.direct.alloc(bytes);
    const item = pool.take();
    return item === NO_ITEM ? NO_ADDRESS : pool.addressOf(item);
  }

  free(base: Address, bytes: Bytes): void {
    if (bytes === PAGE_BYTES) {
      this.single.freePage(base);
      return;
    }
    const pool = this.pools[bytes / PAGE_BYTES - 2];
    if (pool === undefined) this.direct.free(base, bytes);
    else pool.put(base);
  }

  /** Gives back what chunks have been empty for 10 seconds. */
  reclaim(): void {
    for (const pool of this.pools) pool.reclaim();
  }
}

/** Most pages that a KVA cache may serve: half a chunk, so that a chunk holds two. */
export const MOST_CACHED_PAGES = CHUNK_PAGES / 2;

function createPool(map: UvmMap, pages: number, system: UvmSystem): Pool {
  const geometry = chunkGeometry(pages, system);
  const chunks = new MapPages(map, CHUNK_BYTES, CHUNK_BYTES);
  const name = `${map.name}_vacache-${pages}`;
  const pool = new Pool(name, geometry, chunks, system.structures.headersFor(geometry), system);
  map.caches.push(new PoolView(pool, 'quantum', map.name));
  map.reclaimers.add(pool);
  return pool;
}

function chunkGeometry(pages: number, { abi }: UvmSystem): PoolGeometry {
  const itemBytes = pages * PAGE_BYTES;
  return poolGeometry({ itemBytes, align: PAGE_BYTES, pageBytes: CHUNK_BYTES, noTouch: true }, abi);
}

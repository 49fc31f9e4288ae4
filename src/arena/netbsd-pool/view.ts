import type { Bytes } from '../../core/units.js';
import type { CacheFigures } from '../view.js';
import type { PoolCache } from './pool-cache.js';

/** Live figures of one pool cache. */
export class PoolCacheView implements CacheFigures {
  private readonly cache: PoolCache;
  readonly kind: CacheFigures['kind'];
  readonly arena: string;

  /** `arena` supplies the pages. */
  constructor(cache: PoolCache, kind: CacheFigures['kind'], arena: string) {
    this.cache = cache;
    this.kind = kind;
    this.arena = arena;
  }

  get name(): string {
    return this.cache.pool.name;
  }

  get bufferBytes(): Bytes {
    return this.cache.pool.geometry.itemBytes;
  }

  get slabBytes(): Bytes {
    return this.cache.pool.geometry.pageBytes;
  }

  get slabs(): number {
    return this.cache.pool.pages.count;
  }

  get buffers(): number {
    return this.slabs * this.cache.pool.geometry.itemsPerPage;
  }

  get buffersInUse(): number {
    return this.cache.pool.itemsOut;
  }

  get buffersInMagazines(): number {
    return this.cache.objectsHeld;
  }

  get magazines(): number {
    return this.cache.groups.count;
  }

  get allocs(): number {
    return this.cache.gets + this.cache.misses - this.cache.pool.fails;
  }

  get magazineHits(): number {
    return this.cache.gets;
  }

  get frees(): number {
    return this.cache.puts + this.cache.destructions;
  }
}

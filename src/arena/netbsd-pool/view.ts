import type { Bytes } from '../../core/units.js';
import type { CacheFigures } from '../view.js';
import type { CountedPool } from './counted-pool.js';
import type { Pool } from './pool.js';
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

/** Live figures of a pool that its clients use directly. */
export class PoolView implements CacheFigures {
  readonly buffersInMagazines = 0;
  readonly magazines = 0;
  readonly magazineHits = 0;

  /** `arena` supplies the pages. */
  constructor(
    private readonly pool: Pool,
    readonly kind: CacheFigures['kind'],
    readonly arena: string,
  ) {}

  get name(): string {
    return this.pool.name;
  }

  get bufferBytes(): Bytes {
    return this.pool.geometry.itemBytes;
  }

  get slabBytes(): Bytes {
    return this.pool.geometry.pageBytes;
  }

  get slabs(): number {
    return this.pool.pages.count;
  }

  get buffers(): number {
    return this.slabs * this.pool.geometry.itemsPerPage;
  }

  get buffersInUse(): number {
    return this.pool.itemsOut;
  }

  get allocs(): number {
    return this.pool.gets;
  }

  get frees(): number {
    return this.pool.gets - this.pool.itemsOut;
  }
}

/** Live figures of a pool of structures. */
export class CountedPoolView implements CacheFigures {
  readonly kind = 'metadata';
  readonly buffersInMagazines = 0;
  readonly magazines = 0;
  readonly magazineHits = 0;

  /** `arena` supplies the pages. */
  constructor(
    private readonly pool: CountedPool,
    readonly arena: string,
  ) {}

  get name(): string {
    return this.pool.name;
  }

  get bufferBytes(): Bytes {
    return this.pool.geometry.itemBytes;
  }

  get slabBytes(): Bytes {
    return this.pool.geometry.pageBytes;
  }

  get slabs(): number {
    return this.pool.pages;
  }

  get buffers(): number {
    return this.slabs * this.pool.geometry.itemsPerPage;
  }

  get buffersInUse(): number {
    return this.pool.items;
  }

  get allocs(): number {
    return this.pool.gets;
  }

  get frees(): number {
    return this.pool.gets - this.pool.items;
  }
}

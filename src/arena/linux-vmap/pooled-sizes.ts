import type { Bytes } from '../../core/units.js';
import type { CacheFigures } from '../view.js';
import { POOLS_PER_NODE } from './area-pools.js';
import { PAGE_BYTES } from './free-space.js';

/** The pools of all nodes for one number of pages, seen as a quantum cache: each area is a slab of one buffer. */
class PooledSize implements CacheFigures {
  readonly kind = 'quantum';
  readonly magazines = 0;
  readonly name: string;
  readonly bufferBytes: Bytes;

  constructor(
    private readonly sizes: PooledSizes,
    readonly pool: number,
    readonly arena: string,
  ) {
    this.bufferBytes = (pool + 1) * PAGE_BYTES;
    this.name = `vmap_pool_${pool + 1}`;
  }

  get slabBytes(): Bytes {
    return this.bufferBytes;
  }

  get slabs(): number {
    return this.sizes.areas[this.pool]!;
  }

  get buffers(): number {
    return this.slabs;
  }

  get buffersInUse(): number {
    return this.slabs;
  }

  get buffersInMagazines(): number {
    return this.sizes.idle[this.pool]!;
  }

  get allocs(): number {
    return this.sizes.allocs[this.pool]!;
  }

  get magazineHits(): number {
    return this.sizes.hits[this.pool]!;
  }

  get frees(): number {
    return this.sizes.frees[this.pool]!;
  }
}

/** What the pools do, by number of pages; index 0 is one page. Only areas with a tag are counted: no other is pooled. */
export class PooledSizes {
  /** Areas out of the free tree, and those among them that no client has: waiting for a purge, or in a pool. */
  readonly areas = new Float64Array(POOLS_PER_NODE);
  readonly idle = new Float64Array(POOLS_PER_NODE);
  readonly allocs = new Float64Array(POOLS_PER_NODE);
  /** Allocations that a pool served. */
  readonly hits = new Float64Array(POOLS_PER_NODE);
  readonly frees = new Float64Array(POOLS_PER_NODE);
  private readonly all: readonly PooledSize[];

  constructor(arena: string) {
    this.all = Array.from({ length: POOLS_PER_NODE }, (_, pool) => new PooledSize(this, pool, arena));
  }

  /** The sizes that have been asked for so far. */
  get figures(): readonly CacheFigures[] {
    return this.all.filter(({ allocs }) => allocs > 0);
  }
}

import type { Bytes } from '../../core/units.js';
import type { CacheFigures } from '../view.js';
import { PAGE_BYTES } from './abi.js';
import { POOLS_PER_NODE } from './area-pools.js';

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
    return this.frees - this.magazineHits - this.sizes.withdrawn[this.pool]!;
  }

  get allocs(): number {
    return this.magazineHits + this.sizes.misses[this.pool]!;
  }

  get magazineHits(): number {
    return this.sizes.hits[this.pool]!;
  }

  get frees(): number {
    return this.sizes.frees[this.pool]!;
  }
}

/** Pages that wait for a purge in areas which no pool takes, seen as a quantum cache of pages that never serves. */
class WaitingPages implements CacheFigures {
  readonly kind = 'quantum';
  readonly name = 'vmap_lazy';
  readonly bufferBytes = PAGE_BYTES;
  readonly slabBytes = PAGE_BYTES;
  readonly magazines = 0;
  readonly allocs = 0;
  readonly magazineHits = 0;

  constructor(
    private readonly sizes: PooledSizes,
    readonly arena: string,
  ) {}

  get slabs(): number {
    return this.sizes.otherPages;
  }

  get buffers(): number {
    return this.slabs;
  }

  get buffersInUse(): number {
    return this.slabs;
  }

  get buffersInMagazines(): number {
    return this.slabs;
  }

  get frees(): number {
    return this.sizes.otherFrees;
  }
}

/** What the pools do, by number of pages; index 0 is one page. Only areas with a tag are counted: no other is pooled. */
export class PooledSizes {
  /** Areas out of the free tree. */
  readonly areas = new Float64Array(POOLS_PER_NODE);
  /** Allocations that a pool served, and those that none could. */
  readonly hits = new Float64Array(POOLS_PER_NODE);
  readonly misses = new Float64Array(POOLS_PER_NODE);
  readonly frees = new Float64Array(POOLS_PER_NODE);
  /** Areas that no client had, and that have stopped to wait or be pooled without a hit. */
  readonly withdrawn = new Float64Array(POOLS_PER_NODE);
  /** Pages that wait in areas without a tag or too large for a pool, and how many such areas were freed so far. */
  otherPages = 0;
  otherFrees = 0;
  private readonly all: readonly PooledSize[];
  private readonly waiting: WaitingPages;

  constructor(arena: string) {
    this.all = Array.from({ length: POOLS_PER_NODE }, (_, pool) => new PooledSize(this, pool, arena));
    this.waiting = new WaitingPages(this, arena);
  }

  /** The sizes that have been asked for so far, and the pages beside them. */
  get figures(): readonly CacheFigures[] {
    return [...this.all.filter(({ allocs, slabs }) => allocs > 0 || slabs > 0), this.waiting];
  }
}

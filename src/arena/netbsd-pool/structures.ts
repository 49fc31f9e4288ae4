import type { Bytes } from '../../core/units.js';
import type { CacheAbi } from './abi.js';
import { CountedPool } from './counted-pool.js';
import { headerBytes, type PoolGeometry, poolGeometry } from './geometry.js';
import type { ItemSupply, PageSource } from './supplies.js';

/** Page of the pools that structures come from. */
const PAGE_BYTES: Bytes = 4096;

/**
 * The pools that pool(9)'s own structures come from: cache groups, and page headers by the room of their bitmap. All of
 * them take single pages from one source (pool_allocator_meta).
 * Mirrors pool_subsystem_init, subr_pool.c [netbsd@b7a6451], [netbsd@301a139].
 */
export class PoolStructures {
  readonly groups: CountedPool;
  private readonly headers = new Map<number, CountedPool>();

  constructor(
    private readonly pages: PageSource,
    private readonly abi: CacheAbi,
  ) {
    this.groups = this.pool('pcgnormal', abi.group, abi.coherencyUnit);
  }

  /** The pool of page headers that a pool of this geometry needs; null for headers in the page. */
  headersFor(geometry: Pick<PoolGeometry, 'headerInPage' | 'headerItems'>): ItemSupply | null {
    if (geometry.headerInPage) return null;
    const items = geometry.headerItems;
    let pool = this.headers.get(items);
    if (pool === undefined) {
      pool = this.pool(`phpool-${items}`, headerBytes(items, this.abi), 0);
      this.headers.set(items, pool);
    }
    return pool;
  }

  /** A pool of further structures, with pages from `pages` if they are not those of the others. */
  pool(name: string, itemBytes: Bytes, align: Bytes, pages: PageSource = this.pages): CountedPool {
    const geometry = poolGeometry({ itemBytes, align, pageBytes: PAGE_BYTES }, this.abi);
    return new CountedPool(name, geometry, pages, this.headersFor(geometry));
  }

  /** The pools of headers there are, in order of creation. */
  get headerPools(): readonly CountedPool[] {
    return [...this.headers.values()];
  }
}

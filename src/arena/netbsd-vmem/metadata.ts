import type { Bytes } from '../../core/units.js';
import { CountedPool } from '../netbsd-pool/counted-pool.js';
import { headerBytes, type PoolGeometry, poolGeometry } from '../netbsd-pool/geometry.js';
import type { ItemSupply } from '../netbsd-pool/supplies.js';
import type { Abi } from './abi.js';
import type { VmemArena } from './arena.js';
import { ArenaPages } from './arena-pages.js';
import { VmFlag } from './flags.js';

/** Page of the kernel. */
export const PAGE_BYTES = 4096;

/**
 * The pools that the structures of vmem and of pools themselves come from; their pages are single pages of the arena
 * vmem-meta. Only the page of tags may use the reserve of spare tags.
 * Mirrors pool_subsystem_init, subr_pool.c, and vmem_subsystem_init, subr_vmem.c [netbsd@b7a6451].
 */
export class MetadataPools {
  /** Boundary tags. */
  readonly tags: CountedPool;
  /** Groups of pool caches. */
  readonly groups: CountedPool;
  /** pool_cache structures. */
  readonly caches: CountedPool;
  private readonly headers = new Map<number, CountedPool>();
  private readonly pages: ArenaPages;
  private readonly abi: Abi;

  constructor(meta: VmemArena, abi: Abi) {
    this.abi = abi;
    this.pages = new ArenaPages(meta, PAGE_BYTES, VmFlag.INSTANTFIT | VmFlag.NOSLEEP);
    const populating = VmFlag.INSTANTFIT | VmFlag.NOSLEEP | VmFlag.POPULATING;
    const tagPages = new ArenaPages(meta, PAGE_BYTES, populating);
    this.tags = new CountedPool('vmembt', this.geometry(abi.tag, 0, true), tagPages, null);
    this.groups = this.pool('pcgnormal', abi.group, abi.coherencyUnit);
    this.caches = this.pool('pcache', abi.poolCache, abi.coherencyUnit);
  }

  /** Every pool: tags, groups, pool_cache structures, then page headers. */
  get all(): readonly CountedPool[] {
    return [this.tags, this.groups, this.caches, ...this.headers.values()];
  }

  /** The pool of page headers that a pool of this geometry needs; null for headers in the page. */
  headersFor(geometry: PoolGeometry): ItemSupply | null {
    if (geometry.headerInPage) return null;
    const items = geometry.headerItems;
    let pool = this.headers.get(items);
    if (pool === undefined) {
      pool = this.pool(`phpool-${items}`, headerBytes(items, this.abi), 0);
      this.headers.set(items, pool);
    }
    return pool;
  }

  private pool(name: string, itemBytes: Bytes, align: Bytes): CountedPool {
    const geometry = this.geometry(itemBytes, align, false);
    return new CountedPool(name, geometry, this.pages, this.headersFor(geometry));
  }

  private geometry(itemBytes: Bytes, align: Bytes, headerInPage: boolean): PoolGeometry {
    return poolGeometry({ itemBytes, align, pageBytes: PAGE_BYTES, headerInPage }, this.abi);
  }
}

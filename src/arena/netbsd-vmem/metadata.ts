import { CountedPool } from '../netbsd-pool/counted-pool.js';
import { poolGeometry } from '../netbsd-pool/geometry.js';
import { PoolStructures } from '../netbsd-pool/structures.js';
import type { Abi } from './abi.js';
import type { VmemArena } from './arena.js';
import { ArenaPages } from './arena-pages.js';
import { VmFlag } from './flags.js';

/** Page of the kernel. */
export const PAGE_BYTES = 4096;

const FLAGS = VmFlag.INSTANTFIT | VmFlag.NOSLEEP;

/**
 * The pools that the structures of vmem and of pools themselves come from; their pages are single pages of the arena
 * vmem-meta. Only the page of tags may use the reserve of spare tags.
 * Mirrors pool_subsystem_init, subr_pool.c, and vmem_subsystem_init, subr_vmem.c [netbsd@b7a6451].
 */
export class MetadataPools extends PoolStructures {
  /** Boundary tags. */
  readonly tags: CountedPool;
  /** pool_cache structures. */
  readonly caches: CountedPool;

  constructor(meta: VmemArena, abi: Abi) {
    super(new ArenaPages(meta, PAGE_BYTES, FLAGS), abi);
    const tagPages = new ArenaPages(meta, PAGE_BYTES, FLAGS | VmFlag.POPULATING);
    const tag = { itemBytes: abi.tag, align: 0, pageBytes: PAGE_BYTES, headerInPage: true };
    this.tags = new CountedPool('vmembt', poolGeometry(tag, abi), tagPages, null);
    this.caches = this.pool('pcache', abi.poolCache, abi.coherencyUnit);
  }

  /** Every pool: tags, groups, pool_cache structures, then page headers. */
  get all(): readonly CountedPool[] {
    return [this.tags, this.groups, this.caches, ...this.headerPools];
  }
}

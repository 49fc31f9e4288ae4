import { InvariantError } from '../../core/errors.js';
import type { Bytes } from '../../core/units.js';
import { Pool } from '../netbsd-pool/pool.js';
import { type CacheHost, PoolCache } from '../netbsd-pool/pool-cache.js';
import type { PoolStructures } from '../netbsd-pool/structures.js';
import type { ItemSupply } from '../netbsd-pool/supplies.js';
import type { Abi } from './abi.js';
import type { VmemArena } from './arena.js';
import { ArenaPages, quantumCacheGeometry, slabBytesFor } from './arena-pages.js';
import { VmFlag } from './flags.js';

/** What quantum caches are made of. */
export interface CacheParts {
  readonly abi: Abi;
  readonly host: CacheHost;
  readonly structures: PoolStructures;
  /** Supplies pool_cache structures. */
  readonly caches: ItemSupply;
}

/** The cache of an arena for one size. @throws InvariantError if there is no memory for its structure. */
export function createQuantumCache(
  arena: VmemArena,
  size: Bytes,
  qcacheMax: Bytes,
  { abi, host, structures, caches }: CacheParts,
): PoolCache {
  if (!caches.take()) throw new InvariantError('no memory for a pool_cache structure');
  const slabBytes = slabBytesFor(qcacheMax);
  const geometry = quantumCacheGeometry(size, arena.quantum, slabBytes, abi);
  const slabs = new ArenaPages(arena, slabBytes, VmFlag.INSTANTFIT | VmFlag.NOSLEEP);
  const pool = new Pool(`${arena.name}-${size}`, geometry, slabs, structures.headersFor(geometry), host);
  return new PoolCache(pool, abi.groupObjects, structures.groups, host);
}

/**
 * Caches for 1 to `quanta` quanta, created from the largest size down; a size of which no more fit into a slab than of the
 * next larger one shares its cache, and its own structure goes back to `caches`.
 * Mirrors qc_init, subr_vmem.c [netbsd@b7a6451], [netbsd@301a139].
 */
export function shareQuantumCaches(
  quanta: number,
  create: (quanta: number) => PoolCache,
  caches: ItemSupply,
): readonly PoolCache[] {
  const shared = new Array<PoolCache>(quanta);
  let larger: PoolCache | undefined;
  for (let count = quanta; count > 0; count--) {
    const cache = create(count);
    if (larger?.pool.geometry.itemsPerPage === cache.pool.geometry.itemsPerPage) caches.give();
    else larger = cache;
    shared[count - 1] = larger;
  }
  return shared;
}

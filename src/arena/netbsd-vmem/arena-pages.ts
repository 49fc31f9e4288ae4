import type { Address } from '../../core/address.js';
import type { Bytes } from '../../core/units.js';
import type { PoolAbi } from '../netbsd-pool/abi.js';
import { type PoolGeometry, poolGeometry } from '../netbsd-pool/geometry.js';
import type { PageSource } from '../netbsd-pool/supplies.js';
import type { VmemArena } from './arena.js';

/** Slab of the quantum caches of an arena: the smallest power of two above three times the largest cached size. */
export function slabBytesFor(qcacheMax: Bytes): Bytes {
  let bytes = 1;
  while (bytes <= qcacheMax * 3) bytes *= 2;
  return bytes;
}

/** Slabs hold nothing but items, so their headers are elsewhere and free items are bits. */
export function quantumCacheGeometry(
  size: Bytes,
  quantum: Bytes,
  slabBytes: Bytes,
  abi: PoolAbi,
): PoolGeometry {
  const spec = { itemBytes: size, align: quantum, pageBytes: slabBytes, noTouch: true, noAlign: true };
  return poolGeometry(spec, abi);
}

/**
 * Pages of one length from an arena. The slabs of an arena's quantum caches come from the arena itself: they are larger
 * than what it caches.
 * Mirrors qc_poolpage_alloc, pool_page_alloc_meta and pool_page_alloc_vmem_meta [netbsd@b7a6451].
 */
export class ArenaPages implements PageSource {
  private readonly arena: VmemArena;
  private readonly pageBytes: Bytes;
  private readonly flags: number;

  constructor(arena: VmemArena, pageBytes: Bytes, flags: number) {
    this.arena = arena;
    this.pageBytes = pageBytes;
    this.flags = flags;
  }

  allocPage(): Address {
    return this.arena.alloc(this.pageBytes, this.flags);
  }

  freePage(base: Address): void {
    this.arena.free(base, this.pageBytes);
  }
}

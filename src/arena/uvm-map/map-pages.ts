import type { Address } from '../../core/address.js';
import { MisuseError } from '../../core/errors.js';
import type { Bytes } from '../../core/units.js';
import type { PageSource } from '../netbsd-pool/supplies.js';
import { Attribute, MapFlag } from './flags.js';
import { ANYWHERE } from './space-search.js';
import type { UvmMap } from './uvm-map.js';

/**
 * Runs of pages of one length straight from a map, each a quantum range: `uvm_km_alloc` and `uvm_km_free` as page
 * allocator of a pool [netbsd@301a139], spec §2.6.
 */
export class MapPages implements PageSource {
  /** `align`: a power of two of at least a page, or 0. */
  constructor(
    private readonly map: UvmMap,
    private readonly bytes: Bytes,
    private readonly align: Bytes = 0,
  ) {}

  get isStarved(): boolean {
    return this.map.isStarved;
  }

  allocPage(): Address {
    return this.map.map(this.bytes, this.align, ANYWHERE, MapFlag.quantum, Attribute.allAccess);
  }

  freePage(base: Address): void {
    this.map.unmap(base, this.bytes, true);
  }
}

/**
 * Single pages through the KVA cache of a map: pool_allocator_nointr (kernel_map) and pool_allocator_kmem (kmem_map) of
 * subr_pool.c [netbsd@301a139], spec §2.6.
 */
export class KvaPages implements PageSource {
  constructor(private readonly map: UvmMap) {}

  get isStarved(): boolean {
    return this.map.isStarved;
  }

  /** @throws MisuseError if the map has no KVA cache. */
  allocPage(): Address {
    return this.cache.alloc();
  }

  freePage(base: Address): void {
    this.cache.free(base);
  }

  private get cache() {
    const { kvaCache, name } = this.map;
    if (kvaCache === null) throw new MisuseError('the map has no KVA cache', { map: name });
    return kvaCache;
  }
}

/** Serves ranges of whole pages of any length, freed as they were allocated. */
export interface RangeSource {
  /** NO_ADDRESS when exhausted. */
  alloc(bytes: Bytes): Address;
  free(base: Address, bytes: Bytes): void;
}

/** Serves requests of any length in bytes, freed with the length they were made with: kmem(9), malloc(9). */
export interface ByteSource {
  /** NO_ADDRESS when exhausted. `size` > 0. */
  alloc(size: Bytes): Address;
  free(address: Address, size: Bytes): void;
  /** Bytes that a request of `size` takes. */
  bytesFor(size: Bytes): Bytes;
}

/** Ranges straight from a map, a quantum range each: `uvm_km_alloc` and `uvm_km_free` [netbsd@301a139]. */
export class MapRanges implements RangeSource {
  constructor(private readonly map: UvmMap) {}

  alloc(bytes: Bytes): Address {
    return this.map.map(bytes, 0, ANYWHERE, MapFlag.quantum, Attribute.allAccess);
  }

  free(base: Address, bytes: Bytes): void {
    this.map.unmap(base, bytes, true);
  }
}

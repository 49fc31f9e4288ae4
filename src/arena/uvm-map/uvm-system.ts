import { type Address, NO_ADDRESS } from '../../core/address.js';
import { MisuseError } from '../../core/errors.js';
import { LockTable } from '../../core/locks.js';
import { type Bytes, roundUp } from '../../core/units.js';
import { CountedCache } from '../netbsd-pool/counted-cache.js';
import type { PoolHost } from '../netbsd-pool/pool.js';
import { PoolStructures } from '../netbsd-pool/structures.js';
import { PAGE_BYTES, UVM_ABIS, type UvmAbi } from './abi.js';
import { STATIC_ENTRY } from './entry-pages.js';
import { Attribute, MapFlag } from './flags.js';
import { CHUNK_HEADER, KvaCache } from './kva-cache.js';
import { KvaPages, MapPages } from './map-pages.js';
import { PooledEntries } from './pooled-entries.js';
import { ANYWHERE } from './space-search.js';
import { UvmMap } from './uvm-map.js';

/** A submap of kernel_map. */
export interface SubmapOptions {
  readonly name: string;
  /** Bytes asked for; a map with entries on its own pages gets room for those on top. */
  readonly size: Bytes;
  /** Used at interrupt time, so that it cuts entries from its own pages. */
  readonly isInterruptSafe: boolean;
  readonly hasKvaCache: boolean;
}

/** The address space of a kernel at boot. */
export interface UvmSystemOptions {
  readonly base: Address;
  readonly limit: Address;
  /** Bytes of the kernel image at the base. */
  readonly imageBytes: Bytes;
  /** Pages of kmem_map as asked for. */
  readonly kmemMapPages: number;
  /** Submaps made after kmem_map, in this order. */
  readonly submaps: readonly SubmapOptions[];
  readonly abi?: UvmAbi;
  readonly locks?: LockTable;
  /** Whether ranges that touch share an entry; true in the kernel. */
  readonly merge?: boolean;
}

/** Bytes of malloc(9)'s record of one page of kmem_map. */
const KMEM_USAGE_BYTES = 4;

/** Entries of a page of entries that describe the page itself. The others serve at most as many mapped pages. */
const OWN_ENTRIES = 1;

/**
 * The maps of a NetBSD 5.2 kernel after boot: kernel_map with the image, kmem_map and further submaps, and the pools that
 * their entries and KVA caches need (`uvm_km_init`, `uvm_km_suballoc` [netbsd@301a139]; spec §2.1, §2.5, §5).
 */
export class UvmSystem implements PoolHost {
  readonly kernelMap: UvmMap;
  readonly kmemMap: UvmMap;
  /** kernel_map, kmem_map, then the submaps. */
  readonly maps: readonly UvmMap[];
  /** Page headers and cache groups, in single pages of kmem_map. */
  readonly structures: PoolStructures;
  readonly pooledEntries: PooledEntries;
  readonly abi: UvmAbi;
  readonly locks: LockTable;
  private readonly merge: boolean;
  /** Seconds since boot. */
  uptime = 0;

  /** @throws MisuseError if the maps do not fit. */
  constructor(options: UvmSystemOptions) {
    const { abi = UVM_ABIS.lp64 } = options;
    this.abi = abi;
    this.merge = options.merge ?? true;
    const { merge } = this;
    this.locks = options.locks ?? new LockTable();
    this.kernelMap = new UvmMap({ name: 'kernel_map', base: options.base, limit: options.limit, abi, merge });
    this.locks.add('kernel_map', this.kernelMap.lock);
    this.kernelMap.enterFirst(STATIC_ENTRY, options.imageBytes);
    this.allocate(this.kernelMap, roundUp(options.kmemMapPages * KMEM_USAGE_BYTES, PAGE_BYTES), 0);
    const kmemBytes = options.kmemMapPages * PAGE_BYTES;
    this.kmemMap = this.createMap({ name: 'kmem_map', size: kmemBytes, isInterruptSafe: true });
    this.structures = new PoolStructures(new MapPages(this.kmemMap, PAGE_BYTES), abi);
    this.addKvaCache(this.kmemMap);
    this.addKvaCache(this.kernelMap);
    this.pooledEntries = this.createEntryPool();
    const submaps = options.submaps.map((submap) => this.createSubmap(submap));
    this.maps = [this.kernelMap, this.kmemMap, ...submaps];
  }

  /** Kernel memory of whole pages, freed exactly as it was allocated: `uvm_km_alloc`. */
  allocate(map: UvmMap, size: Bytes, align: Bytes): Address {
    return map.map(size, align, ANYWHERE, MapFlag.quantum, Attribute.allAccess);
  }

  free(map: UvmMap, address: Address, size: Bytes): void {
    map.unmap(address, size, true);
  }

  /** Lets `seconds` pass, then reclaims idle chunks of a map's KVA cache. */
  reclaim(map: UvmMap, seconds: number): void {
    this.uptime += seconds;
    map.kvaCache?.reclaim();
  }

  /** The pool cache `vmmpepl` that plain submaps share, with pages from the KVA cache of kernel_map. */
  private createEntryPool(): PooledEntries {
    const { abi, structures } = this;
    const entries = structures.pool('vmmpepl', abi.entry, 0, new KvaPages(this.kernelMap));
    return new PooledEntries(new CountedCache(entries, structures.groups, abi.groupObjects));
  }

  private createSubmap(options: SubmapOptions): UvmMap {
    const map = this.createMap(options, this.pooledEntries);
    if (options.hasKvaCache) this.addKvaCache(map);
    return map;
  }

  /** `plainSupply`: where entries come from that are not cut from the map's own pages. */
  private createMap(
    { name, size, isInterruptSafe }: Omit<SubmapOptions, 'hasKvaCache'>,
    plainSupply?: PooledEntries,
  ): UvmMap {
    const { abi, kernelMap, merge } = this;
    const pages = Math.ceil(size / PAGE_BYTES);
    const entryPages = isInterruptSafe ? Math.ceil(pages / (abi.entriesPerPage - OWN_ENTRIES)) : 0;
    const bytes = (pages + entryPages) * PAGE_BYTES;
    const base = kernelMap.map(bytes, 0, ANYWHERE, MapFlag.noMerge, Attribute.allAccess);
    if (base === NO_ADDRESS) throw new MisuseError('no room for a submap', { name, size });
    kernelMap.markSubmap(base);
    const supply = isInterruptSafe ? undefined : plainSupply;
    const map = new UvmMap({ name, base, limit: base + bytes, abi, merge, ...(supply && { supply }) });
    this.locks.add(name, map.lock);
    return map;
  }

  private addKvaCache(map: UvmMap): void {
    map.kvaCache = new KvaCache(map, this.structures.headersFor(CHUNK_HEADER)!, this);
    this.locks.add(map.kvaCache.name, map.kvaCache);
  }
}

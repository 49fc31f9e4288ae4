import { type Address, NO_ADDRESS } from '../../core/address.js';
import { MisuseError } from '../../core/errors.js';
import { type Bytes, roundUp } from '../../core/units.js';
import { PAGE_BYTES, UVM_ABIS, type UvmAbi } from './abi.js';
import { STATIC_ENTRY } from './entry-pages.js';
import { Attribute, MapFlag } from './flags.js';
import { KvaCache } from './kva-cache.js';
import { CountedCache, CountedPool } from './metadata-pools.js';
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
}

/** Bytes of malloc(9)'s record of one page of kmem_map. */
const KMEM_USAGE_BYTES = 4;

/** Entries of a page of entries that describe the page itself. The others serve at most as many mapped pages. */
const OWN_ENTRIES = 1;

/**
 * The maps of a NetBSD 5.2 kernel after boot: kernel_map with the image, kmem_map and further submaps, and the pools that
 * their entries and KVA caches need (`uvm_km_init`, `uvm_km_suballoc` [netbsd@301a139]; spec §2.1, §2.5, §5).
 */
export class UvmSystem {
  readonly kernelMap: UvmMap;
  readonly kmemMap: UvmMap;
  /** kernel_map, kmem_map, then the submaps. */
  readonly maps: readonly UvmMap[];
  /** Headers of KVA-cache chunks. */
  readonly chunkHeaders: CountedPool;
  readonly pooledEntries: PooledEntries;
  private readonly abi: UvmAbi;
  private uptime = 0;

  /** @throws MisuseError if the maps do not fit. */
  constructor(options: UvmSystemOptions) {
    const { abi = UVM_ABIS.lp64 } = options;
    this.abi = abi;
    const takeMetadataPage = () => this.allocate(this.kmemMap, PAGE_BYTES, 0) !== NO_ADDRESS;
    const headerPool = () => new CountedPool(abi.headersPerPage, takeMetadataPage, null);
    this.chunkHeaders = headerPool();
    const groups = new CountedPool(abi.groupsPerPage, takeMetadataPage, headerPool());
    const takeEntryPage = () => this.kernelMap.kvaCache!.alloc() !== NO_ADDRESS;
    const entries = new CountedPool(abi.pooledEntriesPerPage, takeEntryPage, null);
    this.pooledEntries = new PooledEntries(new CountedCache(entries, groups, abi.groupObjects));
    this.kernelMap = new UvmMap({ name: 'kernel_map', base: options.base, limit: options.limit, abi });
    this.kernelMap.enterFirst(STATIC_ENTRY, options.imageBytes);
    this.allocate(this.kernelMap, roundUp(options.kmemMapPages * KMEM_USAGE_BYTES, PAGE_BYTES), 0);
    this.kmemMap = this.createSubmap({
      name: 'kmem_map',
      size: options.kmemMapPages * PAGE_BYTES,
      isInterruptSafe: true,
      hasKvaCache: true,
    });
    this.kernelMap.kvaCache = new KvaCache(this.kernelMap, this.chunkHeaders);
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
    for (const { kvaCache } of this.maps) if (kvaCache !== null) kvaCache.now = this.uptime;
    map.kvaCache?.releaseIdle();
  }

  private createSubmap({ name, size, isInterruptSafe, hasKvaCache }: SubmapOptions): UvmMap {
    const { abi, kernelMap } = this;
    const pages = Math.ceil(size / PAGE_BYTES);
    const entryPages = isInterruptSafe ? Math.ceil(pages / (abi.entriesPerPage - OWN_ENTRIES)) : 0;
    const bytes = (pages + entryPages) * PAGE_BYTES;
    const base = kernelMap.map(bytes, 0, ANYWHERE, MapFlag.noMerge, Attribute.allAccess);
    if (base === NO_ADDRESS) throw new MisuseError('no room for a submap', { name, size });
    kernelMap.markSubmap(base);
    const supply = isInterruptSafe ? {} : { supply: this.pooledEntries };
    const map = new UvmMap({ name, base, limit: base + bytes, abi, ...supply });
    if (hasKvaCache) map.kvaCache = new KvaCache(map, this.chunkHeaders);
    return map;
  }
}

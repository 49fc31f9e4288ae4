import type { LockTable } from '../../core/locks.js';
import { KernelMalloc } from '../netbsd-malloc/kernel-malloc.js';
import type { CacheHost } from '../netbsd-pool/pool-cache.js';
import { KvaRanges } from '../uvm-map/kva-ranges.js';
import { UvmSystem, type UvmSystemOptions } from '../uvm-map/uvm-system.js';
import { CachedKmem } from './cached-kmem.js';

/** How the kernel boots. */
export interface OptionAOptions extends UvmSystemOptions {
  readonly cpus: number;
  /** Longest range, in pages, that KVA caches serve: 1 as in 5.2, up to MOST_CACHED_PAGES. */
  readonly cachedPages: number;
}

/**
 * Option a of the thread of 2011: the maps of NetBSD 5.2 with extended KVA caches on kernel_map and kmem_map, which pool(9),
 * kmem(9) and malloc(9) use; pool(9)'s own structures come straight from kmem_map. See THEORY.md.
 */
export class OptionAStack implements CacheHost {
  readonly uvm: UvmSystem;
  readonly locks: LockTable;
  readonly cpus: number;
  /** CPU that the running code is on. */
  cpu = 0;
  readonly kernelRanges: KvaRanges;
  readonly kmemMapRanges: KvaRanges;
  readonly kmem: CachedKmem;
  readonly malloc: KernelMalloc;

  /** @throws MisuseError if the maps do not fit. */
  constructor(options: OptionAOptions) {
    const { cpus, cachedPages } = options;
    this.cpus = cpus;
    this.uvm = new UvmSystem(options);
    this.locks = this.uvm.locks;
    const { kernelMap, kmemMap } = this.uvm;
    this.kernelRanges = new KvaRanges(kernelMap, cachedPages, this.uvm);
    this.kmemMapRanges = new KvaRanges(kmemMap, cachedPages, this.uvm);
    this.kmem = new CachedKmem(this.kernelRanges, this.uvm, this);
    this.malloc = new KernelMalloc(this.kmemMapRanges, kmemMap.name);
  }

  /** Seconds since boot. */
  get uptime(): number {
    return this.uvm.uptime;
  }

  /** What memory pressure sets off: caches give back what has been idle, then the KVA caches do. */
  reclaim(): void {
    this.kmem.reclaim();
    this.kernelRanges.reclaim();
    this.kmemMapRanges.reclaim();
    for (const { kvaCache } of this.uvm.maps) kvaCache?.reclaim();
  }
}

import type { Address, AddressSpace } from '../../core/address.js';
import { LockTable } from '../../core/locks.js';
import type { Bytes } from '../../core/units.js';
import { type CacheHost, KmemCache, type SlabGeometry, type SlabSource } from '../illumos-kmem/cache.js';
import { quantumCacheGeometry } from '../illumos-kmem/slab-geometry.js';
import type { CacheMetadata } from '../illumos-kmem/slab-structures.js';
import {
  type ArenaHost,
  type ArenaSpec,
  type QuantumCache,
  slabBytesFor,
  VmemArena,
  type WorkCounter,
} from './arena.js';
import { ArenaFlag } from './flags.js';

/** What may differ between two systems. */
export interface SystemOptions {
  readonly space: AddressSpace;
  readonly cpus: number;
  readonly locks?: LockTable;
  /**
   * What decides between equal slabs. Default: the address of the slab's structure, as in the kernel; where metadata are
   * not modelled, the slab's base.
   */
  readonly slabKey?: (cache: KmemCache, slabBase: Address) => number;
  /** Called when reap tasks have been queued: `runReaps` is then to be called soon. Default: never reap. */
  readonly onReapQueued?: () => void;
  /** Where caches get their structures from; default: memory that is not modelled. */
  readonly metadata?: CacheMetadata;
  /** Told of each new slab, with the address of its structure, or its base where metadata are not modelled. */
  readonly onSlabCreated?: (
    cache: KmemCache,
    slabBase: Address,
    firstBuffer: Address,
    structure: Address,
  ) => void;
}

/**
 * All arenas and caches of one kernel, with what acts on all of them: the current CPU, the 15 s ticks and the reap
 * tasks. Arenas and caches are kept in order of creation, which is the order of every global pass.
 * Mirrors vmem_update, kmem_update, kmem_reap and vmem_qcache_reap [illumos@94ab2e1].
 */
export class VmemSystem implements ArenaHost, CacheHost {
  readonly space: AddressSpace;
  readonly cpus: number;
  /** CPU that the running code is on. */
  cpu = 0;
  readonly arenas: VmemArena[] = [];
  readonly caches: KmemCache[] = [];
  readonly locks: LockTable;
  readonly work: WorkCounter = { steps: 0 };
  readonly metadata: CacheMetadata | null;
  private readonly options: SystemOptions;
  private readonly ordinaryReap = new ReapRequest();
  private readonly identifierReap = new ReapRequest();

  constructor(options: SystemOptions) {
    this.options = options;
    this.space = options.space;
    this.cpus = options.cpus;
    this.locks = options.locks ?? new LockTable();
    this.metadata = options.metadata ?? null;
  }

  /** vmem_create; an own span is added by the caller. */
  createArena(spec: ArenaSpec): VmemArena {
    const arena = this.newArena(spec);
    this.arenas.push(arena);
    return arena;
  }

  protected newArena(spec: ArenaSpec): VmemArena {
    return new VmemArena(spec, this);
  }

  /** kmem_cache_create for an object cache. */
  createCache(
    name: string,
    bufferBytes: Bytes,
    geometry: SlabGeometry,
    source: SlabSource,
    identifiers = false,
  ): KmemCache {
    const cache = new KmemCache(name, bufferBytes, geometry, source, this, identifiers);
    this.caches.push(cache);
    return cache;
  }

  createQuantumCache(arena: VmemArena, size: Bytes): QuantumCache {
    const slabBytes = slabBytesFor(arena.qcacheMax);
    const geometry = quantumCacheGeometry(size, arena.quantum, slabBytes);
    const identifiers = (arena.flags & ArenaFlag.IDENTIFIER) !== 0;
    return this.createCache(`${arena.name}_${size}`, size, geometry, arena, identifiers);
  }

  slabCreated(cache: KmemCache, slabBase: Address, firstBuffer: Address, structure: Address): number {
    this.options.onSlabCreated?.(cache, slabBase, firstBuffer, structure);
    return this.options.slabKey?.(cache, slabBase) ?? structure;
  }

  requestReap(identifiers: boolean): void {
    const { onReapQueued } = this.options;
    if (onReapQueued === undefined) return;
    if ((identifiers ? this.identifierReap : this.ordinaryReap).request()) onReapQueued();
  }

  /** Runs the reaps that were asked for: of every cache, or of those over identifier arenas. */
  runReaps(): void {
    if (this.ordinaryReap.begin()) this.reap();
    if (!this.identifierReap.begin()) return;
    for (const cache of this.caches) if (cache.identifiers) cache.reap();
  }

  /** kmem_reap run to its end: every cache in order of creation. */
  reap(): void {
    for (const cache of this.caches) cache.reap();
  }

  /** vmem_qcache_reap: everything in the depots of the arena's quantum caches goes back. */
  reapQuantumCaches(arena: VmemArena): void {
    const caches = this.caches.filter(
      (cache) => cache.source === arena && arena.quantumCaches.includes(cache),
    );
    for (const cache of caches) {
      cache.magazines.full.emptyWorkingSet();
      cache.magazines.empty.emptyWorkingSet();
    }
    for (const cache of caches) cache.reap();
  }

  /** One maintenance tick: throttles end, then vmem_update, then kmem_update. */
  tick(): void {
    this.endThrottles();
    this.vmemUpdate();
    this.kmemUpdate();
  }

  /** Lets the next failing allocation ask for a reap again, if the last one has run. */
  endThrottles(): void {
    this.ordinaryReap.endThrottle();
    this.identifierReap.endThrottle();
  }

  vmemUpdate(): void {
    for (const arena of this.arenas) arena.update();
  }

  kmemUpdate(): void {
    for (const cache of this.caches) cache.updateWorkingSet();
    for (const cache of this.caches) cache.rescaleHash();
  }
}

/** One of the two reap requests: queued, then run once, then throttled until a tick. */
class ReapRequest {
  private queued = false;
  private throttled = false;

  /** Returns whether the request is new. */
  request(): boolean {
    if (this.throttled) return false;
    this.queued = true;
    this.throttled = true;
    return true;
  }

  begin(): boolean {
    const { queued } = this;
    this.queued = false;
    return queued;
  }

  endThrottle(): void {
    if (!this.queued) this.throttled = false;
  }
}

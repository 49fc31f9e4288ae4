import type { Address, AddressSpace } from '../../core/address.js';
import { InvariantError } from '../../core/errors.js';
import { LockTable } from '../../core/locks.js';
import type { Bytes } from '../../core/units.js';
import { Pool } from '../netbsd-pool/pool.js';
import { type CacheHost, PoolCache } from '../netbsd-pool/pool-cache.js';
import { ABIS, type Abi } from './abi.js';
import { type ArenaHost, type ArenaSpec, VmemArena, type WorkCounter } from './arena.js';
import { ArenaPages, quantumCacheGeometry, slabBytesFor } from './arena-pages.js';
import { ArenaFlag, VmFlag } from './flags.js';
import { MetadataPools, PAGE_BYTES } from './metadata.js';
import { AllocSource } from './span-source.js';
import { TagSupply } from './tag-supply.js';

/** What may differ between two systems. */
export interface SystemOptions {
  readonly space: AddressSpace;
  readonly cpus: number;
  readonly locks?: LockTable;
  readonly abi?: Abi;
  /** The range of the arena of which all metadata come. It is called `kmem`, as in the kernel, unless a name is given. */
  readonly kmem: { readonly base: Address; readonly bytes: Bytes; readonly name?: string };
}

/**
 * The arenas and pools of one kernel as they landed in 2012, with what acts on all of them. `kmem` is the root; `vmemVa`
 * and `vmemMeta` below it supply boundary tags, page headers, cache groups and pool_cache structures.
 * Mirrors uvm_km_bootstrap, vmem_subsystem_init, vmem_init and vmem_rehash_all [netbsd@b7a6451].
 */
export class VmemSystem implements ArenaHost, CacheHost {
  readonly space: AddressSpace;
  readonly cpus: number;
  readonly locks: LockTable;
  readonly abi: Abi;
  /** CPU that the running code is on. */
  cpu = 0;
  /** Seconds since the start. */
  uptime = 0;
  readonly tagSupply = new TagSupply();
  readonly work: WorkCounter = { steps: 0 };
  /** In order of creation; the first three are those of the metadata. */
  readonly arenas: VmemArena[] = [];
  readonly kmem: VmemArena;
  readonly vmemVa: VmemArena;
  readonly vmemMeta: VmemArena;
  readonly pools: MetadataPools;

  /** @throws InvariantError if `kmem` has no room for the first structures. */
  constructor(options: SystemOptions) {
    this.space = options.space;
    this.cpus = options.cpus;
    this.locks = options.locks ?? new LockTable();
    this.abi = options.abi ?? ABIS.lp64;
    const common = { quantum: PAGE_BYTES, qcacheMax: 0, source: null };
    this.kmem = this.newArena({ ...common, name: options.kmem.name ?? 'kmem', flags: 0 });
    this.kmem.addSpan(options.kmem.base, options.kmem.bytes);
    this.fillSpares(this.kmem);
    const { LARGEIMPORT } = ArenaFlag;
    const va = { ...common, name: 'vmem-va', flags: LARGEIMPORT, source: new AllocSource(this.kmem) };
    this.vmemVa = this.newArena(va);
    this.fillSpares(this.vmemVa);
    const meta = { ...common, name: 'vmem-meta', flags: 0, source: new AllocSource(this.vmemVa) };
    this.vmemMeta = this.newArena(meta);
    this.fillSpares(this.vmemMeta);
    this.pools = new MetadataPools(this.vmemMeta, this.abi);
    const dependants = [this.kmem.spares, this.vmemVa.spares, this.vmemMeta.spares];
    this.tagSupply.connect(this.pools.tags, dependants);
  }

  /** vmem_create; an own span is added by the caller. */
  createArena(spec: ArenaSpec): VmemArena {
    return this.newArena(spec);
  }

  /** Largest size first; a size of which no more fit into a slab than of the next larger one shares its cache. */
  createQuantumCaches(arena: VmemArena, quanta: number): readonly PoolCache[] {
    const caches = new Array<PoolCache>(quanta);
    let larger: PoolCache | undefined;
    for (let count = quanta; count > 0; count--) {
      const cache = this.createQuantumCache(arena, count * arena.quantum, quanta * arena.quantum);
      if (larger?.pool.geometry.itemsPerPage === cache.pool.geometry.itemsPerPage) this.pools.caches.give();
      else larger = cache;
      caches[count - 1] = larger;
    }
    return caches;
  }

  /** One run of the 10-second worker: hash tables follow the number of busy tags. */
  rehash(): void {
    for (const arena of this.arenas) {
      arena.lock.acquire();
      arena.hash.rehash();
    }
  }

  /** Reclaims each quantum cache of the arena, the smallest size first. */
  reclaim(arena: VmemArena): void {
    for (const cache of new Set(arena.quantumCaches)) cache.reclaim();
  }

  private newArena(spec: ArenaSpec): VmemArena {
    const arena = new VmemArena(spec, this);
    this.arenas.push(arena);
    return arena;
  }

  /** VM_BOOTSTRAP: the arenas that tags come from have their spare ones before anyone asks for them. */
  private fillSpares(arena: VmemArena): void {
    if (!this.tagSupply.refill(arena.spares))
      throw new InvariantError('no boundary tags for the first arenas');
  }

  /** pool_cache_init over a pool. @throws InvariantError if there is no memory for the structure. */
  createPoolCache(pool: Pool): PoolCache {
    if (!this.pools.caches.take()) throw new InvariantError('no memory for a pool_cache structure');
    return new PoolCache(pool, this.abi.groupObjects, this.pools.groups, this);
  }

  private createQuantumCache(arena: VmemArena, size: Bytes, qcacheMax: Bytes): PoolCache {
    const slabBytes = slabBytesFor(qcacheMax);
    const geometry = quantumCacheGeometry(size, arena.quantum, slabBytes, this.abi);
    const slabs = new ArenaPages(arena, slabBytes, VmFlag.INSTANTFIT | VmFlag.NOSLEEP);
    const name = `${arena.name}-${size}`;
    return this.createPoolCache(new Pool(name, geometry, slabs, this.pools.headersFor(geometry), this));
  }
}

import type { Address, AddressSpace } from '../../core/address.js';
import { InvariantError } from '../../core/errors.js';
import { LockTable, type SimulatedLock } from '../../core/locks.js';
import type { Bytes } from '../../core/units.js';
import type { Pool } from '../netbsd-pool/pool.js';
import { type CacheHost, PoolCache } from '../netbsd-pool/pool-cache.js';
import { ABIS, type Abi } from './abi.js';
import { type ArenaHost, type ArenaSpec, VmemArena, type WorkCounter } from './arena.js';
import { ArenaFlag } from './flags.js';
import { MetadataPools, PAGE_BYTES } from './metadata.js';
import { createQuantumCache, shareQuantumCaches } from './quantum-caches.js';
import { LANDED_RULES } from './rules.js';
import { AllocSource } from './span-source.js';
import { SpareTags, type TagStore } from './spare-tags.js';
import { TagSupply } from './tag-supply.js';
import type { TagTable } from './tags.js';

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
  readonly rules = LANDED_RULES;
  readonly tagSupply = new TagSupply();
  readonly work: WorkCounter = { steps: 0 };
  /** In order of creation; the first three are those of the metadata. */
  readonly arenas: VmemArena[] = [];
  readonly kmem: VmemArena;
  readonly vmemVa: VmemArena;
  readonly vmemMeta: VmemArena;
  readonly pools: MetadataPools;
  /** Those of the arenas, in order of creation. */
  private readonly spares: SpareTags[] = [];

  /** @throws InvariantError if `kmem` has no room for the first structures. */
  constructor(options: SystemOptions) {
    this.space = options.space;
    this.cpus = options.cpus;
    this.locks = options.locks ?? new LockTable();
    this.abi = options.abi ?? ABIS.lp64;
    const common = { quantum: PAGE_BYTES, qcacheMax: 0, source: null };
    this.kmem = this.newArena({ ...common, name: options.kmem.name ?? 'kmem', flags: 0 });
    this.kmem.addSpan(options.kmem.base, options.kmem.bytes);
    this.fillSpares();
    const { LARGEIMPORT } = ArenaFlag;
    const va = { ...common, name: 'vmem-va', flags: LARGEIMPORT, source: new AllocSource(this.kmem) };
    this.vmemVa = this.newArena(va);
    this.fillSpares();
    const meta = { ...common, name: 'vmem-meta', flags: 0, source: new AllocSource(this.vmemVa) };
    this.vmemMeta = this.newArena(meta);
    this.fillSpares();
    this.pools = new MetadataPools(this.vmemMeta, this.abi);
    this.tagSupply.connect(this.pools.tags, [...this.spares]);
  }

  /** vmem_create; an own span is added by the caller. */
  createArena(spec: ArenaSpec): VmemArena {
    return this.newArena(spec);
  }

  createTagStore(tags: TagTable, lock: SimulatedLock): TagStore {
    const spares = new SpareTags(tags, this.tagSupply, lock);
    this.spares.push(spares);
    return spares;
  }

  createQuantumCaches(arena: VmemArena, quanta: number): readonly PoolCache[] {
    const { quantum } = arena;
    const create = (count: number) => this.createQuantumCache(arena, count * quantum, quanta * quantum);
    return shareQuantumCaches(quanta, create, this.pools.caches);
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

  /** VM_BOOTSTRAP: an arena that tags come from, just created, has its spare ones before anyone asks for them. */
  private fillSpares(): void {
    if (!this.tagSupply.refill(this.spares.at(-1)!))
      throw new InvariantError('no boundary tags for the first arenas');
  }

  /** pool_cache_init over a pool. @throws InvariantError if there is no memory for the structure. */
  createPoolCache(pool: Pool): PoolCache {
    if (!this.pools.caches.take()) throw new InvariantError('no memory for a pool_cache structure');
    return new PoolCache(pool, this.abi.groupObjects, this.pools.groups, this);
  }

  private createQuantumCache(arena: VmemArena, size: Bytes, qcacheMax: Bytes): PoolCache {
    const { abi, pools } = this;
    const parts = { abi, host: this, structures: pools, caches: pools.caches };
    return createQuantumCache(arena, size, qcacheMax, parts);
  }
}

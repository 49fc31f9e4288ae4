import { type Address, AddressSpace, NO_ADDRESS } from '../../core/address.js';
import { InvariantError } from '../../core/errors.js';
import type { LockTable, SimulatedLock } from '../../core/locks.js';
import type { Bytes } from '../../core/units.js';
import { KernelMalloc } from '../netbsd-malloc/kernel-malloc.js';
import { CountedCache } from '../netbsd-pool/counted-cache.js';
import type { CountedPool } from '../netbsd-pool/counted-pool.js';
import { type PoolSpec, poolGeometry } from '../netbsd-pool/geometry.js';
import { Pool } from '../netbsd-pool/pool.js';
import type { CacheHost, PoolCache } from '../netbsd-pool/pool-cache.js';
import type { PageSource } from '../netbsd-pool/supplies.js';
import type { ArenaHost, VmemArena, WorkCounter } from '../netbsd-vmem/arena.js';
import { PooledTags } from '../netbsd-vmem/pooled-tags.js';
import { createQuantumCache, shareQuantumCaches } from '../netbsd-vmem/quantum-caches.js';
import { OLD_RULES } from '../netbsd-vmem/rules.js';
import type { TagStore } from '../netbsd-vmem/spare-tags.js';
import type { TagTable } from '../netbsd-vmem/tags.js';
import { PAGE_BYTES } from '../uvm-map/abi.js';
import { KvaPages, MapPages, MapRanges } from '../uvm-map/map-pages.js';
import type { UvmMap } from '../uvm-map/uvm-map.js';
import { UvmSystem, type UvmSystemOptions } from '../uvm-map/uvm-system.js';
import { OLD_ABIS, type OldAbi } from './abi.js';
import { OldKmem } from './old-kmem.js';
import { PageImport } from './page-import.js';

/** How the kernel boots. */
export interface StackOptions extends Omit<UvmSystemOptions, 'abi'> {
  readonly abi?: OldAbi;
  readonly cpus?: number;
}

/**
 * The allocators of an unpatched NetBSD 5.2 above its kernel maps: pool(9), malloc(9), and kmem(9) on an arena of the old
 * vmem. See THEORY.md.
 * Mirrors uvm_init, kmem_init, vmem_create [netbsd@301a139]; spec §2.7.
 */
export class Stack2011 implements ArenaHost, CacheHost {
  readonly space = AddressSpace.canonical;
  readonly rules = OLD_RULES;
  readonly work: WorkCounter = { steps: 0 };
  readonly abi: OldAbi;
  readonly locks: LockTable;
  readonly cpus: number;
  /** CPU that the running code is on. */
  cpu = 0;
  readonly uvm: UvmSystem;
  readonly malloc: KernelMalloc;
  readonly kmem: OldKmem;
  /** Pool of boundary tags, in the KVA cache of kmem_map, and the cache in front of it. */
  readonly tagPool: CountedPool;
  readonly tags: CountedCache;
  /** pool_cache structures. */
  readonly cacheStructures: CountedPool;
  private readonly pools: Pool[] = [];
  /** Where malloc(9) has put the hash table of the arena. */
  private hashTable: Address;

  /** @throws MisuseError if the maps do not fit. @throws InvariantError if there is no room for the first structures. */
  constructor(options: StackOptions) {
    this.abi = options.abi ?? OLD_ABIS.lp64;
    this.cpus = options.cpus ?? 1;
    this.uvm = new UvmSystem({ ...options, abi: this.abi });
    this.locks = this.uvm.locks;
    const { abi } = this;
    const { structures, kernelMap, kmemMap } = this.uvm;
    this.malloc = new KernelMalloc(new MapRanges(kmemMap), kmemMap.name);
    this.tagPool = structures.pool('vmembt', abi.tag, 0, new KvaPages(kmemMap));
    this.tags = new CountedCache(this.tagPool, structures.groups, abi.groupObjects);
    const { poolCache, coherencyUnit } = abi;
    this.cacheStructures = structures.pool('pcache', poolCache, coherencyUnit, new KvaPages(kernelMap));
    this.bootMalloc(abi.arena);
    const source = new PageImport(kernelMap.name, new MapRanges(kernelMap));
    this.kmem = new OldKmem(abi.pointer, source, this);
    this.hashTable = this.bootMalloc(abi.pointer);
  }

  /** Seconds since boot. */
  get uptime(): number {
    return this.uvm.uptime;
  }

  createTagStore(tags: TagTable, _lock: SimulatedLock): TagStore {
    return new PooledTags(tags, this.tags);
  }

  createQuantumCaches(arena: VmemArena, quanta: number): readonly PoolCache[] {
    const { abi, cacheStructures } = this;
    const parts = { abi, host: this, structures: this.uvm.structures, caches: cacheStructures };
    const { quantum } = arena;
    const create = (count: number) => createQuantumCache(arena, count * quantum, quanta * quantum, parts);
    return shareQuantumCaches(quanta, create, cacheStructures);
  }

  /** A pool of pages from the KVA cache of a map: of kernel_map for those that interrupts do not use, else of kmem_map. */
  createPool(name: string, itemBytes: Bytes, map: UvmMap): Pool {
    const pool = this.addPool(name, { itemBytes, align: 0, pageBytes: PAGE_BYTES }, new KvaPages(map));
    map.reclaimers.add(pool);
    return pool;
  }

  /**
   * A pool of buffers: pages of any length, straight from a map, which does not ask for them back. Free items are marked
   * in headers with a bitmap, as the vector's are.
   */
  createLargePool(name: string, itemBytes: Bytes, pageBytes: Bytes, map: UvmMap): Pool {
    const spec = { itemBytes, align: 0, pageBytes, noTouch: true, noAlign: true };
    return this.addPool(name, spec, new MapPages(map, pageBytes));
  }

  /** What memory pressure sets off: pools and caches give back what has been idle, then the KVA caches do. */
  reclaim(): void {
    for (const pool of this.pools) pool.reclaim();
    for (const cache of new Set(this.kmem.arena.quantumCaches)) cache.reclaim();
    for (const { kvaCache } of this.uvm.maps) kvaCache?.reclaim();
  }

  /** One run of the 10-second worker. A table of another length is taken from malloc(9) before the old one is freed. */
  rehash(): void {
    const { hash, lock } = this.kmem.arena;
    const { pointer } = this.abi;
    const { chains, wantedChains } = hash;
    lock.acquire();
    if (wantedChains === chains) return;
    const table = this.malloc.alloc(wantedChains * pointer);
    if (table === NO_ADDRESS) return;
    hash.rehash();
    this.malloc.free(this.hashTable, chains * pointer);
    this.hashTable = table;
  }

  private addPool(name: string, spec: PoolSpec, pages: PageSource): Pool {
    const geometry = poolGeometry(spec, this.abi);
    const pool = new Pool(name, geometry, pages, this.uvm.structures.headersFor(geometry), this);
    this.pools.push(pool);
    return pool;
  }

  private bootMalloc(bytes: Bytes): Address {
    const address = this.malloc.alloc(bytes);
    if (address === NO_ADDRESS) throw new InvariantError('no memory for the arena of kmem(9)');
    return address;
  }
}

import { type Address, NO_ADDRESS } from '../../core/address.js';
import type { SimulatedLock } from '../../core/locks.js';
import { CacheGroups, GroupStack, NO_GROUP } from './cache-groups.js';
import { NO_ITEM, type Pool, type PoolHost } from './pool.js';
import type { ItemSupply } from './supplies.js';

/** What a cache needs of its surroundings. */
export interface CacheHost extends PoolHost {
  /** Number of the CPU that the running code is on. */
  readonly cpu: number;
  readonly cpus: number;
}

/** A group that is neither full nor empty. */
interface PartialGroup {
  readonly group: number;
  readonly count: number;
}

/** Places in `PoolCache.away` per CPU. */
const AWAY = { current: 0, currentCount: 1, previous: 2, previousCount: 3, columns: 4 } as const;

/**
 * A pool_cache(9): per CPU a current and a previous group of objects, a depot of full and empty groups, a pool below.
 * The groups of the CPU that used the cache last are in plain fields; those of the others are away.
 * Mirrors pool_cache_get, pool_cache_put, their slow paths and pool_cache_invalidate, subr_pool.c [netbsd@b7a6451].
 */
export class PoolCache {
  readonly pool: Pool;
  readonly groups: CacheGroups;
  /** Gets and puts that a group served, and gets that went to the pool. */
  gets = 0;
  puts = 0;
  misses = 0;
  /** Puts that went to the pool, for want of a group. */
  destructions = 0;
  private readonly full = new GroupStack();
  private readonly empty = new GroupStack();
  private readonly host: CacheHost;
  private readonly lock: SimulatedLock;
  private readonly capacity: number;
  private readonly away: Int32Array;
  private cpu = 0;
  private current = NO_GROUP;
  private currentCount = 0;
  private previous = NO_GROUP;
  private previousCount = 0;

  /** `supply` holds the memory of groups; each has `objects` places. */
  constructor(pool: Pool, objects: number, supply: ItemSupply, host: CacheHost) {
    this.pool = pool;
    this.capacity = objects;
    this.groups = new CacheGroups(objects, supply);
    this.host = host;
    this.lock = host.locks.create('pool cache');
    this.away = new Int32Array(host.cpus * AWAY.columns);
    for (let at = 0; at < this.away.length; at += 2) this.away[at] = NO_GROUP;
  }

  /** An object, or NO_ADDRESS when the pool is exhausted. */
  get(): Address {
    if (this.host.cpu !== this.cpu) this.switchTo(this.host.cpu);
    if (this.currentCount === 0 && !this.loadObjects()) {
      // The item's number, not its address, crosses the call: an address would be boxed.
      const item = this.takeFromPool();
      return item === NO_ITEM ? NO_ADDRESS : this.pool.addressOf(item);
    }
    this.gets++;
    this.currentCount--;
    return this.groups.objects[this.current * this.capacity + this.currentCount]!;
  }

  /** That `address` is an object of this cache is noticed only when it reaches the pool. */
  put(address: Address): void {
    if (this.host.cpu !== this.cpu) this.switchTo(this.host.cpu);
    if (!this.hasRoom() && !this.loadRoom()) {
      this.destructions++;
      this.pool.put(address);
      return;
    }
    this.groups.objects[this.current * this.capacity + this.currentCount] = address;
    this.currentCount++;
    this.puts++;
  }

  /** pool_reclaim: everything in groups goes to the pool, then pages that were idle already go back to their source. */
  reclaim(): number {
    const partial = this.unloadCpus();
    this.emptyDepot();
    for (const { group, count } of partial.reverse()) this.destroy(group, count);
    return this.pool.reclaim();
  }

  /** pool_reclaim of 5.2, which leaves the groups of the CPUs alone: those of the depot go to the pool, and so on. */
  reclaimDepot(): number {
    this.emptyDepot();
    return this.pool.reclaim();
  }

  /** Objects in groups. */
  get objectsHeld(): number {
    this.switchTo(this.cpu);
    let held = this.full.count * this.capacity;
    for (let at = 0; at < this.away.length; at += AWAY.columns) {
      held += this.away[at + AWAY.currentCount]! + this.away[at + AWAY.previousCount]!;
    }
    return held;
  }

  private takeFromPool(): number {
    this.misses++;
    return this.pool.take();
  }

  private hasRoom(): boolean {
    return this.current !== NO_GROUP && this.currentCount < this.capacity;
  }

  /** Loads a group with objects: the previous one, or a full one of the depot, to which the empty one then goes. */
  private loadObjects(): boolean {
    if (this.previousCount > 0) {
      this.swap();
      return true;
    }
    this.lock.acquire();
    const group = this.full.pop();
    if (group === NO_GROUP) return false;
    if (this.current !== NO_GROUP) this.empty.push(this.current);
    this.current = group;
    this.currentCount = this.capacity;
    return true;
  }

  /**
   * Loads a group with room: the previous one, or an empty one of the depot, or a new one. The first group of a CPU
   * becomes its previous one, and is swapped in at once.
   */
  private loadRoom(): boolean {
    while (!this.hasRoom()) {
      if (this.previous !== NO_GROUP && this.previousCount < this.capacity) {
        this.swap();
        continue;
      }
      const group = this.emptyGroup();
      if (group === NO_GROUP) return false;
      if (this.previous === NO_GROUP) this.previous = group;
      else {
        if (this.current !== NO_GROUP) this.full.push(this.current);
        this.current = group;
        this.currentCount = 0;
      }
    }
    return true;
  }

  private emptyGroup(): number {
    const created = this.empty.count === 0 ? this.groups.create() : NO_GROUP;
    this.lock.acquire();
    return created === NO_GROUP ? this.empty.pop() : created;
  }

  private swap(): void {
    const { current, currentCount } = this;
    this.current = this.previous;
    this.currentCount = this.previousCount;
    this.previous = current;
    this.previousCount = currentCount;
  }

  /** Full and empty groups of each CPU go to the depot; returns the others. */
  private unloadCpus(): PartialGroup[] {
    const partial: PartialGroup[] = [];
    for (let cpu = 0; cpu < this.host.cpus; cpu++) {
      this.switchTo(cpu);
      this.unload(this.current, this.currentCount, partial);
      this.unload(this.previous, this.previousCount, partial);
      this.current = NO_GROUP;
      this.currentCount = 0;
      this.previous = NO_GROUP;
      this.previousCount = 0;
    }
    return partial;
  }

  /** The objects of full groups go to the pool, and all groups of the depot to where they come from. */
  private emptyDepot(): void {
    this.lock.acquire();
    for (let group = this.full.pop(); group !== NO_GROUP; group = this.full.pop()) {
      this.destroy(group, this.capacity);
    }
    for (let group = this.empty.pop(); group !== NO_GROUP; group = this.empty.pop()) this.destroy(group, 0);
  }

  private unload(group: number, count: number, partial: PartialGroup[]): void {
    if (group === NO_GROUP) return;
    if (count === this.capacity) this.full.push(group);
    else if (count === 0) this.empty.push(group);
    else partial.push({ group, count });
  }

  private destroy(group: number, count: number): void {
    const first = group * this.capacity;
    for (let at = first; at < first + count; at++) this.pool.put(this.groups.objects[at]!);
    this.groups.destroy(group);
  }

  private switchTo(cpu: number): void {
    const { away } = this;
    const from = this.cpu * AWAY.columns;
    away[from + AWAY.current] = this.current;
    away[from + AWAY.currentCount] = this.currentCount;
    away[from + AWAY.previous] = this.previous;
    away[from + AWAY.previousCount] = this.previousCount;
    const to = cpu * AWAY.columns;
    this.cpu = cpu;
    this.current = away[to + AWAY.current]!;
    this.currentCount = away[to + AWAY.currentCount]!;
    this.previous = away[to + AWAY.previous]!;
    this.previousCount = away[to + AWAY.previousCount]!;
  }
}

import { type Address, NO_ADDRESS } from '../../core/address.js';
import { MisuseError } from '../../core/errors.js';
import type { SimulatedLock } from '../../core/locks.js';
import { type Bytes, highBit } from '../../core/units.js';
import { DepotList, initialRounds, MagazinePool, NONE } from './magazines.js';
import { SlabLayer } from './slabs.js';

/** Where a cache gets its slabs: a vmem arena. */
export interface SlabSource {
  readonly name: string;
  alloc(size: Bytes, flags: number): Address;
  free(address: Address, size: Bytes): void;
}

/** Geometry of a cache's slabs, see slab-geometry.ts. */
export interface SlabGeometry {
  readonly chunkBytes: Bytes;
  readonly slabBytes: Bytes;
  readonly chunks: number;
  /** Colours go from 0 to this in steps of `align`. */
  readonly maxColour: Bytes;
  readonly align: Bytes;
}

/** What a cache needs of its surroundings. */
export interface CacheHost {
  /** Number of the CPU that the running code is on. */
  readonly cpu: number;
  readonly cpus: number;
  createLock(name: string): SimulatedLock;
  /** What decides between partial slabs of equal weight: the address of the new slab's structure. */
  slabKey(cache: KmemCache, slabBase: Address): number;
}

const HASH_BUCKETS = 64;

/**
 * An illumos kmem object cache: per-CPU magazines, a depot of full and empty ones, slabs below. Objects are never
 * constructed here: a cache is about addresses. THEORY.md in this folder explains it.
 * Mirrors kmem_cache_alloc, kmem_cache_free, kmem_slab_alloc, kmem_slab_free, kmem_depot_*, kmem.c [illumos@94ab2e1].
 */
export class KmemCache {
  readonly name: string;
  readonly bufferBytes: Bytes;
  readonly geometry: SlabGeometry;
  readonly source: SlabSource;
  /** Whether the cache lives over an arena of identifiers. */
  readonly identifiers: boolean;
  readonly magazines: MagazinePool;
  readonly full: DepotList;
  readonly empty: DepotList;
  readonly slabs: SlabLayer;
  /** Per CPU: the loaded and the previous magazine and their rounds, -1 = none. */
  readonly loaded: Int32Array;
  readonly previous: Int32Array;
  readonly rounds: Int32Array;
  readonly previousRounds: Int32Array;
  private readonly magazineRounds: number;
  private readonly host: CacheHost;
  private readonly cpuLock: SimulatedLock;
  private readonly depotLock: SimulatedLock;
  private readonly slabLock: SimulatedLock;
  private colour = 0;

  /** Requests served by a magazine, and frees taken by one. */
  magazineAllocs = 0;
  magazineFrees = 0;
  slabAllocs = 0;
  slabFrees = 0;
  slabCreates = 0;
  slabDestroys = 0;
  allocFails = 0;
  hashBuckets = HASH_BUCKETS;

  constructor(
    name: string,
    bufferBytes: Bytes,
    geometry: SlabGeometry,
    source: SlabSource,
    host: CacheHost,
    identifiers = false,
  ) {
    this.name = name;
    this.bufferBytes = bufferBytes;
    this.geometry = geometry;
    this.source = source;
    this.host = host;
    this.identifiers = identifiers;
    this.magazineRounds = initialRounds(geometry.chunkBytes);
    this.magazines = new MagazinePool(this.magazineRounds);
    this.full = new DepotList(this.magazines);
    this.empty = new DepotList(this.magazines);
    this.slabs = new SlabLayer(geometry.chunkBytes, geometry.chunks);
    this.loaded = new Int32Array(host.cpus).fill(NONE);
    this.previous = new Int32Array(host.cpus).fill(NONE);
    this.rounds = new Int32Array(host.cpus).fill(-1);
    this.previousRounds = new Int32Array(host.cpus).fill(-1);
    this.cpuLock = host.createLock('kmem cpu cache');
    this.depotLock = host.createLock('kmem depot');
    this.slabLock = host.createLock('kmem slab');
  }

  /** Buffers of all slabs (kstat buf_total). */
  get buffers(): number {
    return this.slabs.count * this.geometry.chunks;
  }

  /** A buffer, or NO_ADDRESS when the source has no slab. `flags` are handed to the source. */
  alloc(flags: number): Address {
    this.cpuLock.acquire();
    const { cpu } = this.host;
    const { rounds, magazines } = this;
    do {
      const count = rounds[cpu]!;
      if (count > 0) {
        rounds[cpu] = count - 1;
        this.magazineAllocs++;
        return magazines.places[this.loaded[cpu]! * this.magazineRounds + count - 1]!;
      }
    } while (this.previousRounds[cpu]! > 0 ? this.swap(cpu) : this.loadFull(cpu));
    return this.allocFromSlab(flags);
  }

  /** @throws MisuseError if the buffer is no live one of this cache (noticed only when it reaches the slabs). */
  free(address: Address): void {
    this.cpuLock.acquire();
    const { cpu } = this.host;
    const { rounds, magazines } = this;
    do {
      const count = rounds[cpu]!;
      if (count >= 0 && count < this.magazineRounds) {
        magazines.places[this.loaded[cpu]! * this.magazineRounds + count] = address;
        rounds[cpu] = count + 1;
        this.magazineFrees++;
        return;
      }
    } while (this.previousRounds[cpu] === 0 ? this.swap(cpu) : this.loadEmpty(cpu));
    this.freeToSlab(address);
  }

  /** The cache's part of a tick: new working set of the depot. */
  updateWorkingSet(): void {
    this.full.updateWorkingSet();
    this.empty.updateWorkingSet();
  }

  /** The cache's other part of a tick: the size that its hash table would be rescaled to. */
  rescaleHash(): void {
    const mask = this.hashBuckets - 1;
    const total = this.buffers;
    if (total <= 2 * mask && !(total < mask >> 1 && mask > HASH_BUCKETS)) return;
    const wanted = Math.max(HASH_BUCKETS, 2 ** (highBit(3 * total + 4) - 2));
    if (this.hashBuckets >> 1 <= wanted && wanted <= this.hashBuckets << 1) return;
    this.hashBuckets = wanted;
  }

  /** Destroys the magazines of the depot that lie outside the working set. */
  reap(): void {
    this.reapList(this.full, this.magazineRounds);
    this.reapList(this.empty, 0);
  }

  /** Buffers in per-CPU magazines and in the depot's full ones. */
  get buffersInMagazines(): number {
    let count = this.full.total * this.magazineRounds;
    for (let cpu = 0; cpu < this.rounds.length; cpu++) {
      count += Math.max(0, this.rounds[cpu]!) + Math.max(0, this.previousRounds[cpu]!);
    }
    return count;
  }

  private swap(cpu: number): boolean {
    const loaded = this.loaded[cpu]!;
    const rounds = this.rounds[cpu]!;
    this.loaded[cpu] = this.previous[cpu]!;
    this.rounds[cpu] = this.previousRounds[cpu]!;
    this.previous[cpu] = loaded;
    this.previousRounds[cpu] = rounds;
    return true;
  }

  /** Exchanges the previous magazine for a full one of the depot; false if there is none. */
  private loadFull(cpu: number): boolean {
    this.depotLock.acquire();
    const magazine = this.full.pop();
    if (magazine === NONE) return false;
    this.load(cpu, magazine, this.magazineRounds, this.empty);
    return true;
  }

  /** Exchanges the previous magazine for an empty one of the depot, or for a new one. */
  private loadEmpty(cpu: number): boolean {
    this.depotLock.acquire();
    let magazine = this.empty.pop();
    if (magazine === NONE) {
      this.retire(this.magazines.create(), this.empty);
      this.depotLock.acquire();
      magazine = this.empty.pop();
    }
    this.load(cpu, magazine, 0, this.full);
    return true;
  }

  private load(cpu: number, magazine: number, rounds: number, retired: DepotList): void {
    if (this.previous[cpu] !== NONE) this.retire(this.previous[cpu]!, retired);
    this.previous[cpu] = this.loaded[cpu]!;
    this.previousRounds[cpu] = this.rounds[cpu]!;
    this.loaded[cpu] = magazine;
    this.rounds[cpu] = rounds;
  }

  private retire(magazine: number, list: DepotList): void {
    this.depotLock.acquire();
    list.push(magazine);
  }

  private allocFromSlab(flags: number): Address {
    this.slabLock.acquire();
    if (this.slabs.hasFree) {
      this.slabAllocs++;
      return this.slabs.take();
    }
    const base = this.source.alloc(this.geometry.slabBytes, flags);
    if (base === NO_ADDRESS) {
      this.allocFails++;
      return NO_ADDRESS;
    }
    this.slabLock.acquire();
    this.slabCreates++;
    this.slabAllocs++;
    return this.slabs.addAndTake(base, base + this.nextColour(), this.host.slabKey(this, base));
  }

  private freeToSlab(address: Address): void {
    this.slabLock.acquire();
    if (!this.slabs.give(address)) {
      throw new MisuseError('free of a buffer that is not allocated', { cache: this.name, address });
    }
    this.slabFrees++;
    if (this.slabs.emptied < 0) return;
    this.slabDestroys++;
    this.source.free(this.slabs.removeEmptied(), this.geometry.slabBytes);
  }

  private nextColour(): Bytes {
    const { align, maxColour } = this.geometry;
    const colour = this.colour + align;
    this.colour = colour > maxColour ? 0 : colour;
    return this.colour;
  }

  private reapList(list: DepotList, rounds: number): void {
    for (let left = list.reapable; left > 0; left--) {
      this.depotLock.acquire();
      const magazine = list.pop();
      if (magazine === NONE) return;
      for (let index = 0; index < rounds; index++) this.freeToSlab(this.magazines.round(magazine, index));
      this.magazines.destroy(magazine);
    }
  }
}

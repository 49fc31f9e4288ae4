import { type Address, NO_ADDRESS } from '../../core/address.js';
import { MisuseError } from '../../core/errors.js';
import type { LockTable, SimulatedLock } from '../../core/locks.js';
import { type Bytes, highBit } from '../../core/units.js';
import { type DepotList, initialRounds, MagazineLayer, NONE } from './magazines.js';
import { SLAB_STRUCTURE_BYTES } from './slab-geometry.js';
import { type CacheMetadata, SlabStructures } from './slab-structures.js';
import { NO_BUFFER, SlabLayer } from './slabs.js';

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
  /** Whether buffers are found through a hash table of bufctls; else the slab carries its own structure. */
  readonly hashed: boolean;
}

/** What a cache needs of its surroundings. */
export interface CacheHost {
  /** Number of the CPU that the running code is on. */
  readonly cpu: number;
  readonly cpus: number;
  readonly locks: LockTable;
  /** Supplies the caches' own structures; null when they come from memory that is not modelled. */
  readonly metadata: CacheMetadata | null;
  /**
   * Told of each new slab; returns what decides between partial slabs of equal weight. In the kernel that is the address
   * of the slab's `structure`, for which the slab's base stands in where metadata are not modelled.
   */
  slabCreated(cache: KmemCache, slabBase: Address, firstBuffer: Address, structure: Address): number;
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
  readonly magazines: MagazineLayer;
  readonly slabs: SlabLayer;
  private readonly host: CacheHost;
  private readonly slabLock: SimulatedLock;
  /** Of a hashed cache whose metadata are modelled. */
  private readonly structures: SlabStructures | null;
  private hashTable: Address = NO_ADDRESS;
  private colour = 0;

  slabAllocs = 0;
  slabFrees = 0;
  slabCreates = 0;
  slabDestroys = 0;
  allocFails = 0;
  /** Buckets of the table that finds bufctls; 0 without one. */
  hashBuckets: number;

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
    const { metadata } = host;
    const { chunkBytes, chunks, hashed } = geometry;
    const depotLock = host.locks.create('kmem depot');
    this.magazines = new MagazineLayer(initialRounds(chunkBytes), host.cpus, depotLock, metadata);
    this.structures = hashed && metadata !== null ? new SlabStructures(metadata, chunks) : null;
    this.slabs = new SlabLayer(chunkBytes, chunks, this.maxChunks, this.structures !== null);
    this.hashBuckets = hashed ? HASH_BUCKETS : 0;
    if (hashed && metadata !== null) this.hashTable = this.firstHashTable(metadata);
    host.locks.add('kmem cpu cache', this);
    this.slabLock = host.locks.create('kmem slab');
  }

  /** Chunks that a slab would have if it held nothing else (cache_maxchunks). */
  get maxChunks(): number {
    return Math.floor(this.geometry.slabBytes / this.geometry.chunkBytes);
  }

  /** Buffers of all slabs (kstat buf_total). */
  get buffers(): number {
    return this.slabs.count * this.geometry.chunks;
  }

  /** Requests and frees of clients, each of which takes the lock of its CPU's magazines once. */
  get acquisitions(): number {
    return this.magazines.allocs + this.magazines.frees + this.slabAllocs + this.allocFails;
  }

  /** A buffer, or NO_ADDRESS when the source has no slab. `flags` are handed to the source. */
  alloc(flags: number): Address {
    const { magazines } = this;
    if (magazines.findRound(this.host.cpu)) return magazines.pop();
    // The row of a buffer, not its address, crosses the call: an address would be boxed.
    const buffer = this.takeFromSlab(flags);
    return buffer === NO_BUFFER ? NO_ADDRESS : this.slabs.addressOf(buffer);
  }

  /** That the buffer is a live one of this cache is noticed only when it reaches the slabs. */
  free(address: Address): void {
    const { magazines } = this;
    if (magazines.findRoom(this.host.cpu)) magazines.push(address);
    else this.freeToSlab(address);
  }

  /** The cache's part of a tick: new working set of the depot. */
  updateWorkingSet(): void {
    this.magazines.full.updateWorkingSet();
    this.magazines.empty.updateWorkingSet();
  }

  /** The cache's other part of a tick: fits its hash table to the number of buffers. */
  rescaleHash(): void {
    if (!this.geometry.hashed) return;
    const mask = this.hashBuckets - 1;
    const total = this.buffers;
    if (total <= 2 * mask && !(total < mask >> 1 && mask > HASH_BUCKETS)) return;
    const wanted = Math.max(HASH_BUCKETS, 2 ** (highBit(3 * total + 4) - 2));
    if (this.hashBuckets >> 1 <= wanted && wanted <= this.hashBuckets << 1) return;
    this.replaceHashTable(wanted);
  }

  /** Gives back what the structure of a cache refers to. @throws MisuseError unless it was never used. */
  destroyUnused(): void {
    const { metadata } = this.host;
    if (this.slabCreates > 0) throw new MisuseError('destroying a cache that was used', { cache: this.name });
    if (this.hashTable !== NO_ADDRESS) metadata!.freeBufctlTable(this.hashTable, this.hashBuckets);
  }

  /** Destroys the magazines of the depot that lie outside the working set. */
  reap(): void {
    const { full, empty, pool } = this.magazines;
    this.reapList(full, pool.rounds);
    this.reapList(empty, 0);
  }

  /** @throws MisuseError when there is no memory for it, where the kernel would sleep for ever. */
  private firstHashTable(metadata: CacheMetadata): Address {
    const table = metadata.allocBufctlTable(HASH_BUCKETS);
    if (table === NO_ADDRESS)
      throw new MisuseError('no memory for the hash table of a cache', { cache: this.name });
    return table;
  }

  private takeFromSlab(flags: number): number {
    this.slabLock.acquire();
    if (this.slabs.hasFree) {
      this.slabAllocs++;
      return this.slabs.take();
    }
    const colour = this.nextColour();
    const base = this.source.alloc(this.geometry.slabBytes, flags);
    const structure = base === NO_ADDRESS ? NO_ADDRESS : this.structureOf(base, flags);
    if (structure === NO_ADDRESS) {
      this.allocFails++;
      return NO_BUFFER;
    }
    this.slabLock.acquire();
    this.slabCreates++;
    this.slabAllocs++;
    const first = base + colour;
    const key = this.host.slabCreated(this, base, first, structure);
    return this.slabs.addAndTake(base, first, key, structure, this.structures?.bufctls);
  }

  /** The structure of a new slab, or NO_ADDRESS with the slab given back. Small chunks' slabs end with theirs. */
  private structureOf(base: Address, flags: number): number {
    const { geometry, host, structures } = this;
    if (host.metadata === null) return base;
    if (structures === null) return base + geometry.slabBytes - SLAB_STRUCTURE_BYTES;
    const structure = structures.take(flags);
    if (structure === NO_ADDRESS) this.source.free(base, geometry.slabBytes);
    return structure;
  }

  /** @throws MisuseError if the buffer is not allocated. */
  private freeToSlab(address: Address): void {
    this.slabLock.acquire();
    if (!this.slabs.give(address)) {
      throw new MisuseError('free of a buffer that is not allocated', { cache: this.name, address });
    }
    this.slabFrees++;
    if (this.slabs.emptied < 0) return;
    this.slabDestroys++;
    const { structures } = this;
    const structure = this.slabs.emptiedStructure;
    const base = this.slabs.removeEmptied(structures?.bufctls);
    structures?.give(structure);
    this.source.free(base, this.geometry.slabBytes);
  }

  private replaceHashTable(buckets: number): void {
    const { metadata } = this.host;
    if (metadata !== null) {
      const table = metadata.allocBufctlTable(buckets);
      if (table === NO_ADDRESS) return;
      metadata.freeBufctlTable(this.hashTable, this.hashBuckets);
      this.hashTable = table;
    }
    this.hashBuckets = buckets;
  }

  private nextColour(): Bytes {
    const { align, maxColour } = this.geometry;
    const colour = this.colour + align;
    this.colour = colour > maxColour ? 0 : colour;
    return this.colour;
  }

  private reapList(list: DepotList, rounds: number): void {
    const { magazines } = this;
    for (let left = list.reapable; left > 0; left--) {
      const magazine = magazines.takeFrom(list);
      if (magazine === NONE) return;
      for (let index = 0; index < rounds; index++) this.freeToSlab(magazines.pool.round(magazine, index));
      magazines.pool.destroy(magazine);
    }
  }
}

import { type Address, NO_ADDRESS } from '../../core/address.js';
import { MisuseError } from '../../core/errors.js';
import type { Bytes } from '../../core/units.js';
import { doubled } from '../avl-tree.js';
import type { ItemSupply } from '../netbsd-pool/supplies.js';
import { RowStack } from '../row-stack.js';
import type { CacheFigures } from '../view.js';
import { PAGE_BYTES } from './abi.js';
import { Attribute, MapFlag } from './flags.js';
import type { Reclaimer } from './reclaim-ring.js';
import { ANYWHERE } from './space-search.js';
import type { UvmMap } from './uvm-map.js';

/** Pages of one chunk: a chunk's free pages are the bits of one word. */
export const CHUNK_PAGES = 32;
export const CHUNK_BYTES: Bytes = CHUNK_PAGES * PAGE_BYTES;

/** A chunk is all items, so its header, with a bit for each page, is elsewhere. */
export const CHUNK_HEADER = { headerInPage: false, headerItems: 64 } as const;

/** An empty chunk is given back after this time, unless the map is short of space. */
export const IDLE_SECONDS = 10;

const NO_CHUNK = -1;
const INITIAL_CHUNKS = 16;

/**
 * The KVA cache of a map, for single pages: a pool(9) whose items are pages and whose pool pages are aligned chunks of
 * 32, mapped as quantum ranges (`km_vacache_alloc`, `pool_get`, `pool_put`, `pool_reclaim` of NetBSD 5.2
 * [netbsd@301a139]; spec §2.6, §1.10). The lowest free page of the current chunk is taken.
 */
export class KvaCache implements CacheFigures, Reclaimer {
  readonly name: string;
  readonly kind = 'quantum';
  readonly arena: string;
  readonly bufferBytes = PAGE_BYTES;
  readonly slabBytes = CHUNK_BYTES;
  readonly buffersInMagazines = 0;
  readonly magazines = 0;
  readonly magazineHits = 0;
  slabs = 0;
  buffersInUse = 0;
  allocs = 0;
  frees = 0;
  fails = 0;
  private base: Float64Array = new Float64Array(INITIAL_CHUNKS);
  /** A set bit for each free page, the lowest page in bit 0. */
  private freePages: Int32Array = new Int32Array(INITIAL_CHUNKS);
  private taken: Int32Array = new Int32Array(INITIAL_CHUNKS);
  private idleSince: Float64Array = new Float64Array(INITIAL_CHUNKS);
  private next: Int32Array = new Int32Array(INITIAL_CHUNKS);
  private previous: Int32Array = new Int32Array(INITIAL_CHUNKS);
  /** Heads of the lists of chunks with some pages taken, and with none; full chunks are in neither. */
  private readonly heads = Int32Array.of(NO_CHUNK, NO_CHUNK);
  private spare = NO_CHUNK;
  private rows = 0;
  /** Chunk at each multiple of the chunk size from the map's base. */
  private chunkAt: Int32Array = new Int32Array(INITIAL_CHUNKS);
  private readonly firstChunk: number;
  /** Chunks to be given back. */
  private readonly emptied = new RowStack();

  /** `headers`: the pool of the chunks' headers. `clock` says how many seconds have passed since boot. */
  constructor(
    private readonly map: UvmMap,
    private readonly headers: ItemSupply,
    private readonly clock: { readonly uptime: number },
  ) {
    this.name = `${map.name}_vacache`;
    this.arena = map.name;
    this.firstChunk = Math.trunc(map.base / CHUNK_BYTES);
    map.caches.push(this);
    map.reclaimers.add(this);
  }

  /** The lock of the pool is taken once for each page taken, refused or put back. */
  get acquisitions(): number {
    return this.allocs + this.fails + this.frees;
  }

  get buffers(): number {
    return this.slabs * CHUNK_PAGES;
  }

  /** A page; NO_ADDRESS if the map has no room for another chunk. */
  alloc(): Address {
    const chunk = this.currentChunk();
    if (chunk === NO_CHUNK) {
      this.fails++;
      return NO_ADDRESS;
    }
    const free = this.freePages[chunk]!;
    const lowest = free & -free;
    this.freePages[chunk] = free ^ lowest;
    const taken = ++this.taken[chunk]!;
    if (taken === 1) this.move(chunk, EMPTY, PARTIAL);
    if (taken === CHUNK_PAGES) this.unlist(chunk, PARTIAL);
    this.allocs++;
    this.buffersInUse++;
    return this.base[chunk]! + (31 - Math.clz32(lowest)) * PAGE_BYTES;
  }

  /** Puts a page back. @throws MisuseError if it is none of the cache's, or free already. */
  free(address: Address): void {
    const position = Math.trunc(address / CHUNK_BYTES) - this.firstChunk;
    const chunk = position >= 0 && position < this.chunkAt.length ? this.chunkAt[position]! - 1 : NO_CHUNK;
    if (chunk === NO_CHUNK) throw this.badFree(address);
    const bit = 1 << ((address - this.base[chunk]!) / PAGE_BYTES);
    if ((this.freePages[chunk]! & bit) !== 0 || address % PAGE_BYTES !== 0) throw this.badFree(address);
    this.freePages[chunk]! |= bit;
    const taken = --this.taken[chunk]!;
    if (taken === CHUNK_PAGES - 1) this.list(chunk, PARTIAL);
    if (taken === 0) {
      this.move(chunk, PARTIAL, EMPTY);
      this.idleSince[chunk] = this.clock.uptime;
    }
    this.frees++;
    this.buffersInUse--;
  }

  /** Gives back the chunks that have been empty for 10 s, or all empty ones if the map is short of space. */
  reclaim(): void {
    const isStarved = this.map.isStarved;
    for (let chunk = this.heads[EMPTY]!; chunk !== NO_CHUNK; chunk = this.next[chunk]!) {
      if (!isStarved && this.clock.uptime - this.idleSince[chunk]! < IDLE_SECONDS) continue;
      this.emptied.push(chunk);
    }
    // In the reverse of the order in which they were found, as the kernel's list of removed pages is.
    while (this.emptied.count > 0) this.release(this.emptied.pop());
  }

  /** The first chunk with some pages taken, else the first empty one, else a new one; NO_CHUNK if there is none. */
  private currentChunk(): number {
    if (this.heads[PARTIAL] !== NO_CHUNK) return this.heads[PARTIAL]!;
    return this.heads[EMPTY] === NO_CHUNK ? this.grow() : this.heads[EMPTY]!;
  }

  private grow(): number {
    const base = this.map.map(CHUNK_BYTES, CHUNK_BYTES, ANYWHERE, MapFlag.quantum, Attribute.allAccess);
    if (base === NO_ADDRESS) return NO_CHUNK;
    if (!this.headers.take()) {
      this.map.unmap(base, CHUNK_BYTES, true);
      return NO_CHUNK;
    }
    const chunk = this.takeRow();
    this.base[chunk] = base;
    this.freePages[chunk] = -1;
    this.taken[chunk] = 0;
    this.idleSince[chunk] = this.clock.uptime;
    const position = this.positionOf(base);
    this.chunkAt[position] = chunk + 1;
    this.list(chunk, EMPTY);
    this.slabs++;
    return chunk;
  }

  private release(chunk: number): void {
    const base = this.base[chunk]!;
    this.unlist(chunk, EMPTY);
    this.chunkAt[this.positionOf(base)] = 0;
    this.next[chunk] = this.spare;
    this.spare = chunk;
    this.slabs--;
    this.map.unmap(base, CHUNK_BYTES, true);
    this.headers.give();
  }

  private positionOf(base: Address): number {
    const position = base / CHUNK_BYTES - this.firstChunk;
    while (position >= this.chunkAt.length) this.chunkAt = doubled(this.chunkAt, Int32Array);
    return position;
  }

  private move(chunk: number, from: ChunkList, to: ChunkList): void {
    this.unlist(chunk, from);
    this.list(chunk, to);
  }

  private list(chunk: number, list: ChunkList): void {
    const head = this.heads[list]!;
    this.next[chunk] = head;
    this.previous[chunk] = NO_CHUNK;
    if (head !== NO_CHUNK) this.previous[head] = chunk;
    this.heads[list] = chunk;
  }

  private unlist(chunk: number, list: ChunkList): void {
    const before = this.previous[chunk]!;
    const after = this.next[chunk]!;
    if (before === NO_CHUNK) this.heads[list] = after;
    else this.next[before] = after;
    if (after !== NO_CHUNK) this.previous[after] = before;
  }

  private takeRow(): number {
    const row = this.spare;
    if (row !== NO_CHUNK) {
      this.spare = this.next[row]!;
      return row;
    }
    if (this.rows === this.base.length) this.growColumns();
    return this.rows++;
  }

  private growColumns(): void {
    this.base = doubled(this.base, Float64Array);
    this.freePages = doubled(this.freePages, Int32Array);
    this.taken = doubled(this.taken, Int32Array);
    this.idleSince = doubled(this.idleSince, Float64Array);
    this.next = doubled(this.next, Int32Array);
    this.previous = doubled(this.previous, Int32Array);
  }

  private badFree(address: Address): MisuseError {
    return new MisuseError('free of a page that the KVA cache has not handed out', {
      cache: this.name,
      address,
    });
  }
}

type ChunkList = 0 | 1;
const PARTIAL: ChunkList = 0;
const EMPTY: ChunkList = 1;

import type { Bytes } from '../../core/units.js';
import { FreeSpectrum } from '../free-spectrum.js';
import type { KmemCache } from '../illumos-kmem/cache.js';
import { type ArenaFigures, type ArenaView, type CacheFigures, TagType, type TagVisitor } from '../view.js';
import type { Abi } from './abi.js';
import type { VmemArena } from './arena.js';
import { checkArena } from './check.js';
import { ownExtentBytes, spansInAddressOrder } from './inspect.js';
import { INITIAL_BUCKETS } from './segment-hash.js';
import { Tag } from './tags.js';

/** An arena, and the caches that take slabs from it, as probes see them. */
export class VmemView implements ArenaView {
  readonly figures: ArenaFigures;
  readonly caches: readonly CacheFigures[];

  constructor(
    private readonly arena: VmemArena,
    private readonly kmemCaches: readonly KmemCache[],
    private readonly abi: Abi,
    private readonly cpus: number,
  ) {
    this.figures = arena;
    this.caches = kmemCaches.map((cache) => {
      return new CacheView(cache, arena.quantumCaches.includes(cache) ? 'quantum' : 'object');
    });
  }

  get name(): string {
    return this.arena.name;
  }

  get source(): string | null {
    return this.arena.source?.arena.name ?? null;
  }

  get quantum(): Bytes {
    return this.arena.quantum;
  }

  largestFree(): Bytes {
    const sure = this.freeSpectrum().largestIfSure;
    return sure < 0 ? this.arena.freeLists.largest() : sure;
  }

  freeBytes(): Bytes {
    return this.freeSpectrum().bytes;
  }

  /** Arena, tags and hash table; and of the caches: their structures, slabs, bufctls, hash tables, magazines. */
  metadataBytes(): Bytes {
    const { arena, abi } = this;
    const tags = arena.spanTags + arena.freeTags + arena.allocTags;
    const table = arena.hashBuckets > INITIAL_BUCKETS ? arena.hashBuckets * abi.pointer : 0;
    let bytes = abi.arena + tags * abi.segment + table;
    for (const cache of this.kmemCaches) bytes += this.cacheBytes(cache);
    return bytes;
  }

  walk(visit: TagVisitor): void {
    const { tags } = this.arena;
    for (const tag of spansInAddressOrder(this.arena)) {
      const type = tags.isSpan(tag)
        ? TagType.span
        : tags.type[tag] === Tag.free
          ? TagType.free
          : TagType.alloc;
      visit(type, tags.start[tag]!, tags.end[tag]! - tags.start[tag]!);
    }
  }

  walkFree(visit: (size: Bytes) => void): void {
    const { tags, freeLists } = this.arena;
    freeLists.walk((_list, tag) => visit(tags.end[tag]! - tags.start[tag]!));
  }

  freeSpectrum(): FreeSpectrum {
    const { freeLists } = this.arena;
    freeLists.spectrum ??= new FreeSpectrum(this.quantum, this.walkFree.bind(this));
    return freeLists.spectrum;
  }

  extentBytes(): Bytes {
    return ownExtentBytes(this.arena);
  }

  check(): void {
    checkArena(this.arena);
  }

  /** Small chunks live in slabs that carry their own structure, without bufctls and hash table. */
  private cacheBytes(cache: KmemCache): Bytes {
    const { abi } = this;
    const { pool } = cache.magazines;
    const own = abi.cache + abi.cachePerCpu * this.cpus;
    const magazines = pool.count * (pool.rounds + 1) * abi.pointer;
    if (!cache.geometry.hashed) return own + magazines;
    const slabs = cache.slabs.count * abi.slab + cache.buffers * abi.bufctl;
    return own + magazines + slabs + cache.hashBuckets * abi.pointer;
  }
}

/** Live figures of one cache. */
class CacheView implements CacheFigures {
  constructor(
    private readonly cache: KmemCache,
    readonly kind: CacheFigures['kind'],
  ) {}

  get name(): string {
    return this.cache.name;
  }

  get arena(): string {
    return this.cache.source.name;
  }

  get bufferBytes(): Bytes {
    return this.cache.bufferBytes;
  }

  get slabBytes(): Bytes {
    return this.cache.geometry.slabBytes;
  }

  get slabs(): number {
    return this.cache.slabs.count;
  }

  get buffers(): number {
    return this.cache.buffers;
  }

  get buffersInUse(): number {
    return this.cache.slabs.buffersInUse;
  }

  get buffersInMagazines(): number {
    return this.cache.magazines.roundsHeld;
  }

  get magazines(): number {
    return this.cache.magazines.pool.count;
  }

  get allocs(): number {
    return this.cache.magazines.allocs + this.cache.slabAllocs;
  }

  get magazineHits(): number {
    return this.cache.magazines.allocs;
  }

  get frees(): number {
    return this.cache.magazines.frees;
  }
}

import type { Bytes } from '../../core/units.js';
import { FreeSpectrum } from '../free-spectrum.js';
import { type ArenaFigures, type ArenaView, type CacheFigures, TagType, type TagVisitor } from '../view.js';
import type { Abi } from './abi.js';
import type { VmemArena } from './arena.js';
import { MIN_CHAINS } from './busy-hash.js';
import { checkArena } from './check.js';
import { addressOrder, extentBytes } from './inspect.js';
import { Tag } from './tags.js';
import type { ZoneCache } from './zone-cache.js';

/** An arena, and its quantum caches, as probes see them. */
export class VmemView implements ArenaView {
  readonly figures: ArenaFigures;
  readonly caches: readonly CacheFigures[];
  private readonly arena: VmemArena;
  private readonly abi: Abi;
  private readonly cpus: number;

  constructor(arena: VmemArena, abi: Abi, cpus: number) {
    this.arena = arena;
    this.abi = abi;
    this.cpus = cpus;
    this.figures = arena;
    this.caches = arena.quantumCaches.caches.map((cache) => new ZoneCacheView(cache, arena.name));
  }

  get name(): string {
    return this.arena.name;
  }

  get source(): string | null {
    return this.arena.source?.name ?? null;
  }

  get quantum(): Bytes {
    return this.arena.quantum;
  }

  largestFree(): Bytes {
    const sure = this.freeSpectrum().largestIfSure;
    return sure < 0 ? this.arena.freeLists.largest() : sure;
  }

  freeBytes(): Bytes {
    return this.arena.totalBytes - this.arena.inUseBytes;
  }

  /** Arena, tags, spare ones included, and hash table; and of the caches: their zones and buckets. */
  metadataBytes(): Bytes {
    const { arena, abi } = this;
    const tags = arena.spanTags + arena.freeTags + arena.allocTags + arena.spares.count;
    const table = arena.hashBuckets > MIN_CHAINS ? arena.hashBuckets * abi.pointer : 0;
    let bytes = abi.arena + tags * abi.tag + table;
    for (const { buckets, bucketEntries } of arena.quantumCaches.caches) {
      bytes += abi.zone + this.cpus * abi.zonePerCpu + abi.zonePerDomain;
      bytes += buckets * abi.bucketHeader + bucketEntries * abi.pointer;
    }
    return bytes;
  }

  /** Spans that touch and share a span tag are shown as one. */
  walk(visit: TagVisitor): void {
    const { tags } = this.arena;
    const { start, size, type } = tags;
    const order = [...addressOrder(this.arena)];
    for (const [index, tag] of order.entries()) {
      if (!tags.isSpan(tag)) {
        visit(type[tag] === Tag.free ? TagType.free : TagType.alloc, start[tag]!, size[tag]!);
        continue;
      }
      let last = index;
      while (last + 1 < order.length && !tags.isSpan(order[last + 1]!)) last++;
      visit(TagType.span, start[tag]!, start[order[last]!]! + size[order[last]!]! - start[tag]!);
    }
  }

  walkFree(visit: (size: Bytes) => void): void {
    const { tags, freeLists } = this.arena;
    freeLists.walk((_list, tag) => visit(tags.size[tag]!));
  }

  freeSpectrum(): FreeSpectrum {
    const { freeLists } = this.arena;
    freeLists.spectrum ??= new FreeSpectrum(this.quantum, this.walkFree.bind(this));
    return freeLists.spectrum;
  }

  extentBytes(): Bytes {
    return extentBytes(this.arena);
  }

  check(): void {
    checkArena(this.arena);
  }
}

/** Live figures of one zone cache. It has no slabs: each item counts as one. */
class ZoneCacheView implements CacheFigures {
  readonly kind = 'quantum';

  constructor(
    private readonly cache: ZoneCache,
    readonly arena: string,
  ) {}

  get name(): string {
    return this.cache.name;
  }

  get bufferBytes(): Bytes {
    return this.cache.itemBytes;
  }

  get slabBytes(): Bytes {
    return this.cache.itemBytes;
  }

  get slabs(): number {
    return this.cache.imported;
  }

  get buffers(): number {
    return this.cache.imported;
  }

  get buffersInUse(): number {
    return this.cache.imported;
  }

  get buffersInMagazines(): number {
    return this.cache.cached;
  }

  get magazines(): number {
    return this.cache.buckets;
  }

  get allocs(): number {
    return this.cache.allocs;
  }

  get magazineHits(): number {
    return this.cache.hits;
  }

  get frees(): number {
    return this.cache.frees;
  }
}

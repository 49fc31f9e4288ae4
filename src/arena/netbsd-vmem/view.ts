import type { Bytes } from '../../core/units.js';
import type { CountedPool } from '../netbsd-pool/counted-pool.js';
import { headerBytes } from '../netbsd-pool/geometry.js';
import type { PoolCache } from '../netbsd-pool/pool-cache.js';
import { CountedPoolView, PoolCacheView } from '../netbsd-pool/view.js';
import {
  type ArenaFigures,
  type ArenaView,
  type CacheFigures,
  type SpareTagFigures,
  TagType,
  type TagVisitor,
} from '../view.js';
import type { Abi } from './abi.js';
import type { VmemArena } from './arena.js';
import { checkArena } from './check.js';
import { addressOrder } from './inspect.js';
import { Tag } from './tags.js';

/** An arena, its quantum caches and other caches that take their pages from it, as probes see them. */
export class VmemView implements ArenaView {
  readonly figures: ArenaFigures;
  readonly caches: readonly CacheFigures[];
  private readonly arena: VmemArena;
  private readonly abi: Abi;
  private readonly poolCaches: readonly PoolCache[];

  /** `objectCaches` are clients of the arena, the pools of `metadata` hold what other figures count as metadata. */
  constructor(
    arena: VmemArena,
    abi: Abi,
    objectCaches: readonly PoolCache[] = [],
    metadata: readonly CountedPool[] = [],
  ) {
    this.arena = arena;
    this.abi = abi;
    this.figures = arena;
    const quantumCaches = [...new Set(arena.quantumCaches)];
    this.poolCaches = [...quantumCaches, ...objectCaches];
    this.caches = [
      ...quantumCaches.map((cache) => new PoolCacheView(cache, 'quantum', arena.name)),
      ...objectCaches.map((cache) => new PoolCacheView(cache, 'object', arena.name)),
      ...metadata.map((pool) => new CountedPoolView(pool, arena.name)),
    ];
  }

  get spareTags(): SpareTagFigures {
    return this.arena.spares;
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
    return this.arena.freeLists.largest();
  }

  freeBytes(): Bytes {
    return this.arena.totalBytes - this.arena.inUseBytes;
  }

  /** Arena, tags, spare ones included, and hash table; and of the caches: their structures, page headers and groups. */
  metadataBytes(): Bytes {
    const { arena, abi } = this;
    const tags = arena.spanTags + arena.freeTags + arena.allocTags + arena.spares.count;
    const table = arena.hashBuckets > 1 ? arena.hashBuckets * abi.pointer : 0;
    let bytes = abi.arena + tags * abi.tag + table;
    for (const { pool, groups } of this.poolCaches) {
      const header = headerBytes(pool.geometry.headerItems, abi);
      bytes += abi.poolCache + pool.pages.count * header + groups.count * abi.group;
    }
    return bytes;
  }

  walk(visit: TagVisitor): void {
    const { tags } = this.arena;
    for (const tag of addressOrder(this.arena)) {
      const type = tags.type[tag];
      const shown = tags.isSpan(tag) ? TagType.span : type === Tag.free ? TagType.free : TagType.alloc;
      visit(shown, tags.start[tag]!, tags.size[tag]!);
    }
  }

  walkFree(visit: (size: Bytes) => void): void {
    const { tags, freeLists } = this.arena;
    freeLists.walk((_list, tag) => visit(tags.size[tag]!));
  }

  check(): void {
    checkArena(this.arena);
  }
}

import { type Address, NO_ADDRESS } from '../../core/address.js';
import { MisuseError } from '../../core/errors.js';
import { type Bytes, highBit, roundUp } from '../../core/units.js';
import { doubled } from '../avl-tree.js';
import type { ArenaFigures } from '../view.js';
import { PAGE_BYTES } from './abi.js';
import { KvaTag, KvaTags, LIST_END } from './kva-tags.js';

const LISTS = 90;
/** Free segments of up to so many pages have a list for their exact length. */
const EXACT_LISTS = 32;
const NO_TAG = LIST_END;
const PER_PAGE = 1 / PAGE_BYTES;

/** Where stacks get address space from. A vmem model of FreeBSD's can take the place of `KvaArena` behind this. */
export interface KvaSupply {
  readonly totalBytes: Bytes;
  readonly inUseBytes: Bytes;
  /** Best fit, no alignment; NO_ADDRESS when exhausted. */
  alloc(size: Bytes): Address;
  /** Best fit, aligned to a power of two of bytes. */
  allocAligned(size: Bytes, align: Bytes): Address;
  free(address: Address, size: Bytes): void;
}

/** Where an arena imports its spans from. */
export interface KvaSpanSource {
  /** Imports are multiples of this. */
  readonly importQuantum: Bytes;
  /** Bytes that it takes from its own source beyond those of a span. */
  readonly lostBytes?: Bytes;
  importSpan(size: Bytes): Address;
  /** Without it, spans are kept, and adjacent ones become one. */
  releaseSpan?(start: Address, size: Bytes): void;
}

/**
 * A vmem arena of FreeBSD 13, as far as kernel stacks need it: page quantum, best fit, alignment, imports. No first fit,
 * no next fit, no quantum caches, no bounds. Mirrors vmem_xalloc, vmem_try_fetch, vmem_xfree, vmem_add1 and vmem_import,
 * subr_vmem.c [freebsd@f13fa9df05].
 */
export class KvaArena implements KvaSupply, ArenaFigures {
  readonly waits = 0;
  totalBytes = 0;
  inUseBytes = 0;
  /** With what its imports lose. */
  importBytes = 0;
  spanTags = 0;
  freeTags = 0;
  allocTags = 0;
  allocs = 0;
  frees = 0;
  fails = 0;
  lookups = 0;
  searches = 0;
  splits = 0;
  merges = 0;
  imports = 0;
  releases = 0;
  readonly name: string;
  private readonly source: KvaSpanSource;
  private readonly tags = new KvaTags();
  private readonly lists = new Int32Array(LISTS);
  private buckets: Int32Array = new Int32Array(16);
  private lowest: Address = Number.POSITIVE_INFINITY;
  private highest: Address = 0;

  constructor(name: string, source: KvaSpanSource) {
    this.name = name;
    this.source = source;
  }

  get hashBuckets(): number {
    return this.buckets.length;
  }

  get reachBytes(): Bytes {
    return Math.max(0, this.highest - this.lowest);
  }

  alloc(size: Bytes): Address {
    return this.allocAligned(size, PAGE_BYTES);
  }

  allocAligned(size: Bytes, align: Bytes): Address {
    let tag = this.find(size, align);
    if (tag === NO_TAG && this.importFor(size, align)) tag = this.find(size, align);
    if (tag === NO_TAG) {
      this.fails++;
      return NO_ADDRESS;
    }
    const address = roundUp(this.tags.start[tag]!, align);
    this.carve(tag, address, size);
    this.allocs++;
    this.inUseBytes += size;
    if (address < this.lowest) this.lowest = address;
    if (address + size > this.highest) this.highest = address + size;
    return address;
  }

  free(address: Address, size: Bytes): void {
    const { tags } = this;
    const tag = this.takeBusy(address);
    if (tag === NO_TAG || tags.size[tag] !== size) {
      throw new MisuseError('no such allocation', { arena: this.name, address, size });
    }
    this.frees++;
    this.inUseBytes -= size;
    const after = tags.next[tag]!;
    if (tags.type[after] === KvaTag.free) {
      tags.size[tag]! += tags.size[after]!;
      this.unlist(after);
      this.merges++;
      tags.remove(after);
    }
    const before = tags.previous[tag]!;
    if (tags.type[before] === KvaTag.free) {
      tags.size[tag]! += tags.size[before]!;
      tags.start[tag] = tags.start[before]!;
      this.unlist(before);
      this.merges++;
      tags.remove(before);
    }
    if (!this.releaseSpan(tag)) this.list(tag);
  }

  /** Calls `visit` for each tag, spans in order of import; `type` is one of KvaTag. */
  walk(visit: (type: number, start: Address, size: Bytes) => void): void {
    const { tags } = this;
    for (let tag = tags.next[LIST_END]!; tag !== LIST_END; tag = tags.next[tag]!) {
      visit(tags.type[tag]!, tags.start[tag]!, tags.size[tag]!);
    }
  }

  /** The first segment that fits, from the list of the request's length upwards, each list from its newest member. */
  private find(size: Bytes, align: Bytes): number {
    const { tags } = this;
    for (let list = listOf(size); list < LISTS; list++) {
      for (let tag = this.lists[list]!; tag !== NO_TAG; tag = tags.kinNext[tag]!) {
        this.searches++;
        const skipped = roundUp(tags.start[tag]!, align) - tags.start[tag]!;
        if (tags.size[tag]! - skipped >= size) return tag;
      }
    }
    return NO_TAG;
  }

  /** Cuts the allocation out of a free segment; the front part is filed first, and the tag that was found keeps the tail. */
  private carve(tag: number, address: Address, size: Bytes): void {
    const { tags } = this;
    this.unlist(tag);
    const front = address - tags.start[tag]!;
    if (front > 0) {
      this.list(tags.insert(tags.previous[tag]!, KvaTag.free, tags.start[tag]!, front));
      tags.start[tag] = address;
      tags.size[tag]! -= front;
      this.splits++;
    }
    const tail = tags.size[tag]! - size;
    if (tail === 0) {
      this.addBusy(tag);
      return;
    }
    this.splits++;
    tags.start[tag] = address + size;
    tags.size[tag] = tail;
    this.list(tag);
    this.addBusy(tags.insert(tags.previous[tag]!, KvaTag.free, address, size));
  }

  /** Imports for a request; an aligned one asks for twice the alignment more. */
  private importFor(size: Bytes, align: Bytes): boolean {
    const wanted = align === PAGE_BYTES ? size : size + 2 * align;
    const bytes = roundUp(wanted, this.source.importQuantum);
    const start = this.source.importSpan(bytes);
    if (start === NO_ADDRESS) return false;
    this.imports++;
    this.importBytes += bytes + (this.source.lostBytes ?? 0);
    this.addSpan(start, bytes);
    return true;
  }

  private addSpan(start: Address, size: Bytes): void {
    const { tags } = this;
    this.totalBytes += size;
    const last = tags.previous[LIST_END]!;
    const isSegment = tags.type[last] === KvaTag.free || tags.type[last] === KvaTag.busy;
    const joins =
      this.source.releaseSpan === undefined && isSegment && tags.start[last]! + tags.size[last]! === start;
    if (joins && tags.type[last] === KvaTag.free) {
      this.unlist(last);
      tags.size[last]! += size;
      this.list(last);
      return;
    }
    const before = joins ? last : tags.insert(last, KvaTag.span, start, size);
    if (!joins) this.spanTags++;
    this.list(tags.insert(before, KvaTag.free, start, size));
  }

  /** Gives back the span that `tag` fills, if it does. */
  private releaseSpan(tag: number): boolean {
    const { source, tags } = this;
    if (source.releaseSpan === undefined) return false;
    const span = tags.previous[tag]!;
    if (tags.type[span] !== KvaTag.span || tags.size[span] !== tags.size[tag]) return false;
    const start = tags.start[tag]!;
    const size = tags.size[tag]!;
    tags.remove(tag);
    tags.remove(span);
    this.spanTags--;
    this.releases++;
    this.totalBytes -= size;
    this.importBytes -= size + (source.lostBytes ?? 0);
    source.releaseSpan(start, size);
    return true;
  }

  private list(tag: number): void {
    const { kinNext, kinPrevious, size, type } = this.tags;
    const list = listOf(size[tag]!);
    const after = this.lists[list]!;
    this.freeTags++;
    type[tag] = KvaTag.free;
    kinNext[tag] = after;
    kinPrevious[tag] = NO_TAG;
    if (after !== NO_TAG) kinPrevious[after] = tag;
    this.lists[list] = tag;
  }

  private unlist(tag: number): void {
    this.freeTags--;
    const { kinNext, kinPrevious, size } = this.tags;
    const after = kinNext[tag]!;
    const before = kinPrevious[tag]!;
    if (before === NO_TAG) this.lists[listOf(size[tag]!)] = after;
    else kinNext[before] = after;
    if (after !== NO_TAG) kinPrevious[after] = before;
  }

  /** Files a tag that is on no list yet, and not of type busy, lest a rehash file it as well. */
  private addBusy(tag: number): void {
    if (++this.allocTags > this.buckets.length) this.rehash();
    this.tags.type[tag] = KvaTag.busy;
    this.chain(tag);
  }

  private chain(tag: number): void {
    const bucket = this.bucketOf(this.tags.start[tag]!);
    this.tags.kinNext[tag] = this.buckets[bucket]!;
    this.buckets[bucket] = tag;
  }

  private takeBusy(address: Address): number {
    const { kinNext, start } = this.tags;
    const bucket = this.bucketOf(address);
    let before = NO_TAG;
    let tag = this.buckets[bucket]!;
    while (tag !== NO_TAG && start[tag] !== address) {
      this.lookups++;
      before = tag;
      tag = kinNext[tag]!;
    }
    if (tag === NO_TAG) return NO_TAG;
    if (before === NO_TAG) this.buckets[bucket] = kinNext[tag]!;
    else kinNext[before] = kinNext[tag]!;
    this.allocTags--;
    return tag;
  }

  private rehash(): void {
    const { tags } = this;
    this.buckets = doubled(this.buckets, Int32Array).fill(NO_TAG);
    for (let tag = tags.next[LIST_END]!; tag !== LIST_END; tag = tags.next[tag]!) {
      if (tags.type[tag] === KvaTag.busy) this.chain(tag);
    }
  }

  private bucketOf(address: Address): number {
    const page = (address * PER_PAGE) | 0;
    return (page ^ (page >>> 10)) & (this.buckets.length - 1);
  }
}

/** Free list of a size: one per page count up to 32, then one per power of two. */
function listOf(size: Bytes): number {
  const pages = size * PER_PAGE;
  return pages <= EXACT_LISTS ? pages - 1 : highBit(pages) + 25;
}

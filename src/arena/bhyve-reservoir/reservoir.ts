import { InvariantError, MisuseError } from '../../core/errors.js';
import type { Bytes } from '../../core/units.js';
import { NIL } from '../avl-tree.js';
import { type ArenaFigures, type ArenaView, type CacheFigures, TagType, type TagVisitor } from '../view.js';
import { SpanSet } from './span-set.js';
import { type SpanIndex, SpanTable } from './span-table.js';

/** What a Reservoir is made of. */
export interface ReservoirOptions {
  /** Bytes that it may hold in all, see reservoirLimit. */
  readonly limit: Bytes;
  readonly pageSize: Bytes;
  /** Bytes of one span's structure, for `metadataBytes`. */
  readonly spanBytes: Bytes;
}

/** A guest's memory: the number of its first span. */
export type Region = SpanIndex;

/** The answer to a request that the reservoir cannot serve (ENOSPC). */
export const NO_REGION: Region = NIL;

/**
 * The most that a reservoir may hold: RAM less 1.2 times what must stay unlocked (vmmr_init) [illumos@b57f5d3]. The
 * result need not be whole pages.
 */
export function reservoirLimit(physmem: Bytes, pagesPpMaximum: Bytes, pageSize: Bytes): Bytes {
  const pages = Math.floor(physmem / pageSize);
  const kept = Math.floor(pagesPpMaximum / pageSize);
  return Math.floor(((pages * 10 - kept * 12) * pageSize) / 10);
}

/** See ArenaFigures for each, and THEORY.md for what they mean here. */
class ReservoirFigures implements ArenaFigures {
  readonly importBytes = 0;
  readonly spanTags = 0;
  readonly waits = 0;
  readonly lookups = 0;
  readonly hashBuckets = 0;
  allocTags = 0;
  allocs = 0;
  frees = 0;
  fails = 0;
  imports = 0;
  releases = 0;
  lowest = Number.POSITIVE_INFINITY;
  highest = 0;

  constructor(private readonly reservoir: Reservoir) {}

  get totalBytes(): Bytes {
    return this.reservoir.heldBytes;
  }

  get inUseBytes(): Bytes {
    return this.reservoir.allocBytes + this.reservoir.allocTransientBytes;
  }

  get freeTags(): number {
    return this.reservoir.free.count;
  }

  get searches(): number {
    return this.reservoir.free.steps + this.reservoir.empty.steps;
  }

  get splits(): number {
    return this.reservoir.free.splits + this.reservoir.empty.splits;
  }

  get merges(): number {
    return this.reservoir.free.merges + this.reservoir.empty.merges;
  }

  get reachBytes(): Bytes {
    return Math.max(0, this.highest - this.lowest);
  }
}

/**
 * The memory reservoir of bhyve on illumos since 2021 (io/vmm/vmm_reservoir.c) [illumos@b57f5d3]: pages set aside for
 * guests, addressed by offsets. A region may be made of any number of spans, so it fails for want of bytes only, never
 * for fragmentation. See THEORY.md.
 */
export class Reservoir implements ArenaView {
  readonly name = 'vmm_reservoir';
  readonly source = null;
  readonly quantum: Bytes;
  /** The limit. */
  readonly capacityBytes: Bytes;
  readonly caches: readonly CacheFigures[] = [];
  readonly figures: ReservoirFigures;
  readonly spans = new SpanTable();
  /** Spans with pages that no guest has. */
  readonly free = new SpanSet(this.spans);
  /** Offsets without pages, to be used again before new ones. */
  readonly empty = new SpanSet(this.spans);
  /** Bytes by whom they are for. What is transient comes and goes with its guest. */
  freeReservedBytes: Bytes = 0;
  allocBytes: Bytes = 0;
  freeTransientBytes: Bytes = 0;
  allocTransientBytes: Bytes = 0;
  /** Offsets from here on have never been used. */
  last: Bytes = 0;
  private readonly spanBytes: Bytes;

  constructor({ limit, pageSize, spanBytes }: ReservoirOptions) {
    this.capacityBytes = limit;
    this.quantum = pageSize;
    this.spanBytes = spanBytes;
    this.figures = new ReservoirFigures(this);
  }

  /** Bytes with pages, whoever has them. */
  get heldBytes(): Bytes {
    return this.freeReservedBytes + this.allocBytes + this.freeTransientBytes + this.allocTransientBytes;
  }

  /** Grows it by `size` bytes. False (ENOSPC) where it would pass its limit. @throws MisuseError for part of a page. */
  add(size: Bytes, isTransient: boolean): boolean {
    this.requirePages(size);
    if (this.heldBytes + size > this.capacityBytes) return false;
    for (let rest = size; rest > 0; ) {
      const span = this.empty.count > 0 ? this.empty.take(rest) : this.freshSpan(rest);
      rest -= this.spans.size[span]!;
      this.free.insert(span);
    }
    if (isTransient) this.freeTransientBytes += size;
    else this.freeReservedBytes += size;
    this.figures.imports++;
    return true;
  }

  /** Shrinks it by `size` bytes that are free. False (ENOSPC) where there are not so many. @throws MisuseError as add. */
  remove(size: Bytes, isTransient: boolean): boolean {
    this.requirePages(size);
    if (size > (isTransient ? this.freeTransientBytes : this.freeReservedBytes)) return false;
    for (let rest = size; rest > 0; ) {
      const span = this.free.take(rest);
      rest -= this.spans.size[span]!;
      this.empty.insert(span);
    }
    if (isTransient) this.freeTransientBytes -= size;
    else this.freeReservedBytes -= size;
    this.figures.releases++;
    return true;
  }

  /**
   * Memory for a guest: of what is set aside or, transient, added for it. NO_REGION (ENOSPC) where there is too little.
   * @throws MisuseError for part of a page.
   */
  alloc(size: Bytes, isTransient: boolean): Region {
    this.requirePages(size);
    const isServed = isTransient ? this.add(size, true) : size <= this.freeReservedBytes;
    if (!isServed) {
      this.figures.fails++;
      return NO_REGION;
    }
    const region = this.gather(size);
    this.spans.regionSize[region] = size;
    this.spans.isTransient[region] = isTransient ? 1 : 0;
    if (isTransient) {
      this.freeTransientBytes -= size;
      this.allocTransientBytes += size;
    } else {
      this.freeReservedBytes -= size;
      this.allocBytes += size;
    }
    this.figures.allocs++;
    return region;
  }

  /** Gives a region's memory back; transient memory leaves the reservoir. @throws MisuseError if it is no live region. */
  release(region: Region): void {
    const { spans, figures } = this;
    const size = spans.regionSize[region] ?? 0;
    if (size === 0) throw new MisuseError('free of what is no region', { arena: this.name, region });
    const isTransient = spans.isTransient[region] === 1;
    spans.regionSize[region] = 0;
    for (let span = region; span !== NIL; ) {
      const next = spans.next[span]!;
      figures.allocTags--;
      this.free.insert(span);
      span = next;
    }
    figures.frees++;
    if (isTransient) {
      this.allocTransientBytes -= size;
      this.freeTransientBytes += size;
      this.remove(size, true);
    } else {
      this.allocBytes -= size;
      this.freeReservedBytes += size;
    }
  }

  largestFree(): Bytes {
    return this.free.longest;
  }

  freeBytes(): Bytes {
    return this.free.bytes;
  }

  metadataBytes(): Bytes {
    return (this.free.count + this.empty.count + this.figures.allocTags) * this.spanBytes;
  }

  /** Each run of offsets with pages is a span tag. */
  walk(visit: TagVisitor): void {
    const held = this.heldSpans();
    held.forEach(({ type, start, size }, index) => {
      const before = held[index - 1];
      if (before === undefined || before.start + before.size < start) {
        let end = start + size;
        for (let next = index + 1; held[next]?.start === end; next++) end += held[next]!.size;
        visit(TagType.span, start, end - start);
      }
      visit(type, start, size);
    });
  }

  walkFree(visit: (size: Bytes) => void): void {
    this.free.walk((_start, size) => visit(size));
  }

  check(): void {
    const problem = this.free.contradiction() || this.empty.contradiction() || this.contradictionOfBytes();
    if (problem !== '') throw new InvariantError(`${this.name}: ${problem}`);
  }

  private requirePages(size: Bytes): void {
    if (size > 0 && size % this.quantum === 0) return;
    throw new MisuseError('size is not of whole pages', { arena: this.name, size, pageSize: this.quantum });
  }

  private freshSpan(size: Bytes): SpanIndex {
    const span = this.spans.add(this.last, size);
    this.last += size;
    return span;
  }

  /** Chains free spans of `size` bytes in all, in the order in which they are taken. */
  private gather(size: Bytes): Region {
    const { spans, figures } = this;
    let first: SpanIndex = NIL;
    let previous: SpanIndex = NIL;
    for (let rest = size; rest > 0; ) {
      const span = this.free.take(rest);
      const start = spans.start[span]!;
      rest -= spans.size[span]!;
      spans.next[span] = NIL;
      if (previous === NIL) first = span;
      else spans.next[previous] = span;
      previous = span;
      figures.allocTags++;
      if (start < figures.lowest) figures.lowest = start;
      if (start + spans.size[span]! > figures.highest) figures.highest = start + spans.size[span]!;
    }
    return first;
  }

  /** Spans with pages in address order. */
  private heldSpans(): { type: TagType; start: Bytes; size: Bytes }[] {
    const { spans } = this;
    const held: { type: TagType; start: Bytes; size: Bytes }[] = [];
    this.free.walk((start, size) => held.push({ type: TagType.free, start, size }));
    for (let region = 1; region < spans.limit; region++) {
      if (spans.regionSize[region] === 0) continue;
      for (let span = region; span !== NIL; span = spans.next[span]!) {
        held.push({ type: TagType.alloc, start: spans.start[span]!, size: spans.size[span]! });
      }
    }
    return held.sort((one, other) => one.start - other.start);
  }

  /** Whether the spans with pages and without tile [0, last), and the counters are right. */
  private contradictionOfBytes(): string {
    const held = this.heldSpans();
    const all = held.map(({ start, size }) => ({ start, size }));
    this.empty.walk((start, size) => all.push({ start, size }));
    let end = 0;
    for (const { start, size } of all.sort((one, other) => one.start - other.start)) {
      if (start !== end) return `nothing ends at ${start}`;
      end += size;
    }
    if (end !== this.last) return `spans end at ${end}, not at ${this.last}`;
    const inUse = held.reduce((sum, { type, size }) => sum + (type === TagType.alloc ? size : 0), 0);
    if (inUse !== this.figures.inUseBytes)
      return `${inUse} bytes in regions, ${this.figures.inUseBytes} counted`;
    return this.free.bytes === this.freeReservedBytes + this.freeTransientBytes
      ? ''
      : 'free bytes do not add up';
  }
}

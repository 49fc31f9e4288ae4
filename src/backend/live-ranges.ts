import { EntryTree, HEAD, NIL } from '../arena/entry-map/entry-tree.js';
import { RangeFigures } from '../arena/range-arena.js';
import { type ArenaView, type CacheFigures, TagType, type TagVisitor } from '../arena/view.js';
import { type Address, AddressSpace, NO_ADDRESS } from '../core/address.js';
import { InvariantError } from '../core/errors.js';
import { REQUEST_CLASS_NAMES } from '../core/request.js';
import type { Bytes } from '../core/units.js';

/** What is remembered of a live allocation: all that its free must say, and which operation made it. */
export interface LiveRange {
  readonly address: Address;
  readonly cls: number;
  readonly size: Bytes;
  readonly constraint: number;
  readonly operation: number;
}

/** Live allocations in address order, as an observer of the backend's answers knows them. O(log n) each. */
export class LiveRanges {
  readonly tree: EntryTree;
  /** By row of the tree. */
  private readonly ranges: (LiveRange | undefined)[] = [];

  constructor(base: Address, limit: Address) {
    this.tree = new EntryTree(base, limit);
  }

  /** A live range that shares a byte with [start, end), or undefined. */
  overlapping(start: Address, end: Address): LiveRange | undefined {
    const { tree } = this;
    const before = tree.findEntry(start);
    if (before !== HEAD && tree.end[before]! > start) return this.ranges[before];
    const after = tree.next[before]!;
    return after !== NIL && tree.start[after]! < end ? this.ranges[after] : undefined;
  }

  /** Enters a range that overlaps none; `length` bytes from its address on are taken. */
  enter(range: LiveRange, length: Bytes): void {
    const { tree } = this;
    const before = tree.findEntry(range.address);
    this.ranges[tree.insertAfter(before, range.address, range.address + length)] = range;
  }

  /** Removes the live range at an address and returns how many bytes it took. */
  remove(address: Address): Bytes {
    const { tree } = this;
    const row = tree.findEntry(address);
    const length = tree.end[row]! - tree.start[row]!;
    tree.remove(row);
    this.ranges[row] = undefined;
    return length;
  }

  /** All live ranges, in no particular order. */
  all(): LiveRange[] {
    return this.ranges.filter((range) => range !== undefined);
  }
}

/** A live range in words. */
export function describeRange({ cls, size, address, operation }: LiveRange): string {
  const where = AddressSpace.canonical.format(address);
  return `${REQUEST_CLASS_NAMES[cls]} ${size} at ${where} of operation ${operation}`;
}

/** What a backend without arenas of its own may say of its work. */
export interface Effort {
  workDone?(): number;
  metadataBytes?(): Bytes;
}

/** What can be told from outside; see ArenaFigures for each. Tags, splits and merges are nobody's, so they are 0. */
class LiveFigures extends RangeFigures {
  readonly freeTags = 0;
  readonly lookups = 0;
  readonly hashBuckets = 0;

  constructor(
    totalBytes: Bytes,
    private readonly tree: EntryTree,
    private readonly effort: Effort,
  ) {
    super(totalBytes);
  }

  get allocTags(): number {
    return this.tree.size;
  }

  get searches(): number {
    return this.effort.workDone?.() ?? 0;
  }
}

/**
 * One arena as it looks from outside the backend: what it has answered and not been given back is allocated, from the
 * address on for the length of the footprint; all else in its range is free.
 */
export class LiveView implements ArenaView {
  readonly source = null;
  readonly quantum = 1;
  readonly caches: readonly CacheFigures[] = [];
  readonly figures: LiveFigures;
  readonly live: LiveRanges;

  constructor(
    readonly name: string,
    private readonly base: Address,
    size: Bytes,
    private readonly effort: Effort,
  ) {
    this.live = new LiveRanges(base, base + size);
    this.figures = new LiveFigures(size, this.live.tree, effort);
  }

  /** Counts an answer: a range of `length` bytes, or NO_ADDRESS. */
  answered(address: Address, length: Bytes): void {
    const { figures } = this;
    if (address === NO_ADDRESS) {
      figures.fails++;
      return;
    }
    figures.allocs++;
    figures.inUseBytes += length;
    figures.reach(address, address + length);
  }

  freed(length: Bytes): void {
    this.figures.frees++;
    this.figures.inUseBytes -= length;
  }

  largestFree(): Bytes {
    return this.live.tree.largestGap;
  }

  freeBytes(): Bytes {
    return this.figures.totalBytes - this.figures.inUseBytes;
  }

  metadataBytes(): Bytes {
    return this.effort.metadataBytes?.() ?? 0;
  }

  walk(visit: TagVisitor): void {
    const { start, end, gap, next } = this.live.tree;
    visit(TagType.span, this.base, this.figures.totalBytes);
    for (let row = HEAD; row !== NIL; row = next[row]!) {
      if (row !== HEAD) visit(TagType.alloc, start[row]!, end[row]! - start[row]!);
      if (gap[row]! > 0) visit(TagType.free, end[row]!, gap[row]!);
    }
  }

  check(): void {
    const problem = this.live.tree.contradiction();
    if (problem !== '') throw new InvariantError(`${this.name}: ${problem}`);
  }
}

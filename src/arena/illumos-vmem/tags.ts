import type { Address } from '../../core/address.js';

/** Kinds of boundary tag. The anchor of the arena list counts as a span, as in the kernel. */
export const Tag = {
  span: 0,
  free: 1,
  alloc: 2,
  /** A span that was imported, so it may be given back. */
  importedSpan: 3,
  rotor: 4,
  /** Head of a free list; never in the arena list. */
  head: 5,
} as const;

/** Fixed rows of every table. */
export const ANCHOR = 0;
/** No tag: the anchor is never a result. */
export const NO_TAG = 0;
export const ROTOR = 1;
/** Row of the head of free list 0; the heads of the others follow, the last being the sentinel. */
export const FIRST_HEAD = 2;
/** One list per bit of a size, and the sentinel. Sizes end at 2^53 here, so the lists above stay empty. */
export const FREE_LISTS = 64;
export const SENTINEL = FIRST_HEAD + FREE_LISTS;
const FIRST_TAG = SENTINEL + 1;

/**
 * The boundary tags of one arena: a tag is a row number. Columns:
 * `start`, `end` (exclusive) in bytes; `type`; `next`, `previous` in the arena list (address order within a span,
 * spans in order of creation); `kinNext`, `kinPrevious` by type: free-list neighbours of a free tag, hash-chain
 * successor of an allocated one. Columns are replaced when the table grows, so `reserve` before hoisting them.
 * Mirrors illumos struct vmem_seg, vmem_impl.h [illumos@94ab2e1].
 */
export class TagTable {
  start: Float64Array;
  end: Float64Array;
  type: Uint8Array;
  next: Int32Array;
  previous: Int32Array;
  kinNext: Int32Array;
  kinPrevious: Int32Array;
  /** First row of the chain of unused rows (through `kinNext`), 0 when all rows below `used` are in use. */
  private unused = 0;
  /** Rows from here on were never used. */
  private used = FIRST_TAG;

  constructor(capacity = 256) {
    this.start = new Float64Array(capacity);
    this.end = new Float64Array(capacity);
    this.type = new Uint8Array(capacity);
    this.next = new Int32Array(capacity);
    this.previous = new Int32Array(capacity);
    this.kinNext = new Int32Array(capacity);
    this.kinPrevious = new Int32Array(capacity);
    this.type[ROTOR] = Tag.rotor;
    this.next[ANCHOR] = ROTOR;
    this.previous[ANCHOR] = ROTOR;
    for (let list = 0; list <= FREE_LISTS; list++) {
      const head = FIRST_HEAD + list;
      this.type[head] = Tag.head;
      this.kinNext[head] = list < FREE_LISTS ? head + 1 : 0;
      this.kinPrevious[head] = list > 0 ? head - 1 : 0;
    }
  }

  /** Makes sure that `create` will not move the columns for the next `count` tags. */
  reserve(count: number): void {
    if (this.used + count > this.start.length) this.grow();
  }

  /** A new tag [start, end) of `type`, linked into the arena list behind `previous`. */
  createAfter(previous: number, type: number, start: Address, end: Address): number {
    const tag = this.take();
    this.start[tag] = start;
    this.end[tag] = end;
    this.type[tag] = type;
    this.linkAfter(previous, tag);
    return tag;
  }

  /** Takes a tag out of the arena list and forgets it. */
  destroy(tag: number): void {
    this.unlink(tag);
    this.kinNext[tag] = this.unused;
    this.unused = tag;
  }

  linkAfter(previous: number, tag: number): void {
    const next = this.next[previous]!;
    this.next[tag] = next;
    this.previous[tag] = previous;
    this.next[previous] = tag;
    this.previous[next] = tag;
  }

  unlink(tag: number): void {
    const next = this.next[tag]!;
    const previous = this.previous[tag]!;
    this.next[previous] = next;
    this.previous[next] = previous;
  }

  isSpan(tag: number): boolean {
    const type = this.type[tag]!;
    return type === Tag.span || type === Tag.importedSpan;
  }

  private take(): number {
    const tag = this.unused;
    if (tag === 0) return this.used++;
    this.unused = this.kinNext[tag]!;
    return tag;
  }

  private grow(): void {
    const capacity = this.start.length * 2;
    this.start = copyInto(new Float64Array(capacity), this.start);
    this.end = copyInto(new Float64Array(capacity), this.end);
    this.type = copyInto(new Uint8Array(capacity), this.type);
    this.next = copyInto(new Int32Array(capacity), this.next);
    this.previous = copyInto(new Int32Array(capacity), this.previous);
    this.kinNext = copyInto(new Int32Array(capacity), this.kinNext);
    this.kinPrevious = copyInto(new Int32Array(capacity), this.kinPrevious);
  }
}

function copyInto<T extends Float64Array | Int32Array | Uint8Array>(larger: T, column: T): T {
  larger.set(column);
  return larger;
}

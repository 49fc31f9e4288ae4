import type { Address } from '../../core/address.js';

/** No tag; also the anchor of the segment list. */
export const NO_TAG = 0;

/** Free lists, one per power of two of quanta. */
export const FREE_LISTS = 64;

/** Row of free list 0's head. */
export const FIRST_HEAD = 1;

const FIRST_TAG = FIRST_HEAD + FREE_LISTS;
const FIRST_CAPACITY = 128;

/** What a row of the table is. */
export const Tag = { none: 0, staticSpan: 1, span: 2, free: 3, busy: 4 } as const;

/** Where a tag's memory came from, and goes back to. */
export const Origin = { pool: 0, static: 1 } as const;

/**
 * The boundary tags of one arena, a row each: struct of arrays, rows used again. `next` and `previous` link the segment
 * list, spans in order of creation, each followed by its segments. `kinNext` and `kinPrevious` link the free lists, the
 * hash chains and the spare tags; a tag is on one of them at a time.
 */
export class TagTable {
  start = new Float64Array(FIRST_CAPACITY);
  size = new Float64Array(FIRST_CAPACITY);
  type = new Uint8Array(FIRST_CAPACITY);
  origin = new Uint8Array(FIRST_CAPACITY);
  next = new Int32Array(FIRST_CAPACITY);
  previous = new Int32Array(FIRST_CAPACITY);
  kinNext = new Int32Array(FIRST_CAPACITY);
  kinPrevious = new Int32Array(FIRST_CAPACITY);
  private rows = FIRST_TAG;
  private unused = NO_TAG;

  /** A row for a tag that the arena did not have before. */
  create(origin: number): number {
    let tag = this.unused;
    if (tag !== NO_TAG) this.unused = this.kinNext[tag]!;
    else {
      if (this.rows === this.start.length) this.grow();
      tag = this.rows++;
    }
    this.origin[tag] = origin;
    return tag;
  }

  /** Forgets a tag that is on no list. */
  destroy(tag: number): void {
    this.kinNext[tag] = this.unused;
    this.unused = tag;
  }

  set(tag: number, type: number, start: Address, size: number): void {
    this.type[tag] = type;
    this.start[tag] = start;
    this.size[tag] = size;
  }

  insertAfter(tag: number, before: number): void {
    const after = this.next[before]!;
    this.next[tag] = after;
    this.previous[tag] = before;
    this.next[before] = tag;
    this.previous[after] = tag;
  }

  unlink(tag: number): void {
    const after = this.next[tag]!;
    const before = this.previous[tag]!;
    this.next[before] = after;
    this.previous[after] = before;
  }

  isSpan(tag: number): boolean {
    const type = this.type[tag]!;
    return type === Tag.span || type === Tag.staticSpan;
  }

  private grow(): void {
    const capacity = this.rows * 2;
    this.start = copyInto(new Float64Array(capacity), this.start);
    this.size = copyInto(new Float64Array(capacity), this.size);
    this.type = copyInto(new Uint8Array(capacity), this.type);
    this.origin = copyInto(new Uint8Array(capacity), this.origin);
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

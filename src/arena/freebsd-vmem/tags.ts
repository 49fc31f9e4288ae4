import type { Address } from '../../core/address.js';
import type { Bytes } from '../../core/units.js';

/** No tag; also the anchor of the segment list. */
export const NO_TAG = 0;

/** Free lists: by quantum up to 32 quanta, then by power of two (VMEM_MAXORDER, rounded up to whole words). */
export const FREE_LISTS = 96;

/** Row of free list 0's head. */
export const FIRST_HEAD = 1;

/** Row of the cursor, which always is in the segment list. */
export const CURSOR = FIRST_HEAD + FREE_LISTS;

const FIRST_TAG = CURSOR + 1;
const FIRST_CAPACITY = 256;

/** What a row of the table is. */
export const Tag = { none: 0, staticSpan: 1, span: 2, free: 3, busy: 4, cursor: 5 } as const;

/**
 * The boundary tags of one arena, a row each: struct of arrays, rows used again. `next` and `previous` link the segment
 * list: spans in order of creation, each followed by its segments, and the cursor somewhere among them, at first alone.
 * `kinNext` and `kinPrevious` link the free lists and the hash chains; a tag is on one of them at a time.
 */
export class TagTable {
  start = new Float64Array(FIRST_CAPACITY);
  size = new Float64Array(FIRST_CAPACITY);
  type = new Uint8Array(FIRST_CAPACITY);
  next = new Int32Array(FIRST_CAPACITY);
  previous = new Int32Array(FIRST_CAPACITY);
  kinNext = new Int32Array(FIRST_CAPACITY);
  kinPrevious = new Int32Array(FIRST_CAPACITY);
  private rows = FIRST_TAG;
  private unused = NO_TAG;

  constructor() {
    this.type[CURSOR] = Tag.cursor;
    this.insertAfter(CURSOR, NO_TAG);
  }

  /** A row that is on no list. */
  create(): number {
    const tag = this.unused;
    if (tag !== NO_TAG) {
      this.unused = this.kinNext[tag]!;
      return tag;
    }
    if (this.rows === this.start.length) this.grow();
    return this.rows++;
  }

  /** Forgets a tag that is on no list. */
  destroy(tag: number): void {
    this.kinNext[tag] = this.unused;
    this.unused = tag;
  }

  set(tag: number, type: number, start: Address, size: Bytes): void {
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

import type { Address } from '../../core/address.js';
import type { Bytes } from '../../core/units.js';
import { doubled } from '../avl-tree.js';

/** Stands for both ends of the segment list. */
export const LIST_END = 0;

export const KvaTag = { end: 0, span: 1, free: 2, busy: 3 } as const;

const FIRST_ROWS = 64;

/** Boundary tags of one arena: `next` and `previous` link segments, the other two a free list or a hash chain. */
export class KvaTags {
  start: Float64Array = new Float64Array(FIRST_ROWS);
  size: Float64Array = new Float64Array(FIRST_ROWS);
  type: Int8Array = new Int8Array(FIRST_ROWS);
  next: Int32Array = new Int32Array(FIRST_ROWS);
  previous: Int32Array = new Int32Array(FIRST_ROWS);
  kinNext: Int32Array = new Int32Array(FIRST_ROWS);
  kinPrevious: Int32Array = new Int32Array(FIRST_ROWS);
  private rows = 1;
  private unused = LIST_END;

  /** A new tag behind `before` in the segment list. */
  insert(before: number, type: number, start: Address, size: Bytes): number {
    const tag = this.takeRow();
    const after = this.next[before]!;
    this.type[tag] = type;
    this.start[tag] = start;
    this.size[tag] = size;
    this.next[tag] = after;
    this.previous[tag] = before;
    this.next[before] = tag;
    this.previous[after] = tag;
    return tag;
  }

  /** Takes a tag that is on no other list out of the segment list. */
  remove(tag: number): void {
    const after = this.next[tag]!;
    const before = this.previous[tag]!;
    this.next[before] = after;
    this.previous[after] = before;
    this.kinNext[tag] = this.unused;
    this.unused = tag;
  }

  private takeRow(): number {
    const reused = this.unused;
    if (reused !== LIST_END) {
      this.unused = this.kinNext[reused]!;
      return reused;
    }
    if (this.rows === this.start.length) this.grow();
    return this.rows++;
  }

  private grow(): void {
    this.start = doubled(this.start, Float64Array);
    this.size = doubled(this.size, Float64Array);
    this.type = doubled(this.type, Int8Array);
    this.next = doubled(this.next, Int32Array);
    this.previous = doubled(this.previous, Int32Array);
    this.kinNext = doubled(this.kinNext, Int32Array);
    this.kinPrevious = doubled(this.kinPrevious, Int32Array);
  }
}

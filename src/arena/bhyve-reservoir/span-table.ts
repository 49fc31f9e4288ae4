import type { Bytes } from '../../core/units.js';
import { doubled, INITIAL_CAPACITY, NIL } from '../avl-tree.js';

/** Number of a span, from 1 up; NIL stands for none. */
export type SpanIndex = number;

/** Spans of the reservoir's offsets as columns. Nothing is allocated but when they double. */
export class SpanTable {
  /** Offset of the first byte. */
  start: Float64Array = new Float64Array(INITIAL_CAPACITY);
  size: Float64Array = new Float64Array(INITIAL_CAPACITY);
  /** The next span of a region, or of the chain of unused rows. */
  next: Int32Array = new Int32Array(INITIAL_CAPACITY);
  /** Bytes of the whole region, of its first span; 0 for any other. */
  regionSize: Float64Array = new Float64Array(INITIAL_CAPACITY);
  /** 1 for the first span of a transient region. */
  isTransient: Int8Array = new Int8Array(INITIAL_CAPACITY);
  private spare: SpanIndex = NIL;
  private rows = 1;

  /** Exclusive bound of the row numbers in use so far. */
  get limit(): SpanIndex {
    return this.rows;
  }

  /** A new span that belongs to nobody. */
  add(start: Bytes, size: Bytes): SpanIndex {
    const span = this.takeRow();
    this.start[span] = start;
    this.size[span] = size;
    this.next[span] = NIL;
    return span;
  }

  /** Forgets a span; its row is used again. */
  drop(span: SpanIndex): void {
    this.next[span] = this.spare;
    this.spare = span;
  }

  private takeRow(): SpanIndex {
    const span = this.spare;
    if (span !== NIL) {
      this.spare = this.next[span]!;
      return span;
    }
    if (this.rows === this.start.length) this.grow();
    return this.rows++;
  }

  private grow(): void {
    this.start = doubled(this.start, Float64Array);
    this.size = doubled(this.size, Float64Array);
    this.next = doubled(this.next, Int32Array);
    this.regionSize = doubled(this.regionSize, Float64Array);
    this.isTransient = doubled(this.isTransient, Int8Array);
  }
}

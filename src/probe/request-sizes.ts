import { REQUEST_CLASS_NAMES } from '../core/request.js';
import { type Bytes, highBit } from '../core/units.js';

/** Steps in which sizes are told apart between a power of two and the next. */
const STEPS = 32;
const STEP_BITS = 5;

const TWO_31 = 2 ** 31;

/** Steps for sizes up to 2^53. */
const BUCKETS = STEPS * (54 - STEP_BITS);

/**
 * The sizes that were asked for, by request class, in constant memory: a histogram with 32 steps per power of two,
 * each named by its largest size. Sizes up to 64 and multiples of a page up to 64 pages have a step of their own; any
 * other size is rounded up by less than 1/32. The largest size is kept as it is.
 */
export class RequestSizes {
  private readonly counts = new Float64Array(REQUEST_CLASS_NAMES.length * BUCKETS);
  private readonly requests = new Float64Array(REQUEST_CLASS_NAMES.length);
  private readonly largest = new Float64Array(REQUEST_CLASS_NAMES.length);

  /** Counts a request of `size` bytes, from 1 to 2^53. */
  record(cls: number, size: Bytes): void {
    this.counts[cls * BUCKETS + stepOf(size)]! += 1;
    this.requests[cls]! += 1;
    if (size > this.largest[cls]!) this.largest[cls] = size;
  }

  /** Requests of the class. */
  count(cls: number): number {
    return this.requests[cls]!;
  }

  /** Largest size asked for, 0 if none was. */
  max(cls: number): Bytes {
    return this.largest[cls]!;
  }

  /** Steps with requests, each with its largest size, ascending. */
  steps(cls: number): { readonly largest: Bytes; readonly requests: number }[] {
    const counts = this.counts.subarray(cls * BUCKETS, (cls + 1) * BUCKETS);
    return [...counts.entries()]
      .filter(([, requests]) => requests > 0)
      .map(([step, requests]) => ({ largest: largestOf(step), requests }));
  }

  /**
   * Quantile by nearest rank: the smallest step whose sizes, with those below, make up at least `percent` % of the
   * requests. 0 if there were none.
   */
  quantile(cls: number, percent: number): Bytes {
    const rank = Math.ceil((this.requests[cls]! * percent) / 100);
    let below = 0;
    let step = -1;
    while (below < rank) below += this.counts[cls * BUCKETS + ++step]!;
    return step < 0 ? 0 : Math.min(largestOf(step), this.largest[cls]!);
  }
}

/** Number of the step that holds `size`. Each power of two begins, behind it, a new row of steps. */
function stepOf(size: Bytes): number {
  const offset = size - 1;
  if (offset < 2 * STEPS) return offset;
  if (offset < TWO_31) {
    const narrow = 31 - STEP_BITS - Math.clz32(offset);
    return narrow * STEPS + (offset >> narrow);
  }
  const shift = highBit(offset) - STEP_BITS - 1;
  return shift * STEPS + Math.floor(offset / 2 ** shift);
}

/** Largest size in a step. */
function largestOf(step: number): Bytes {
  if (step < 2 * STEPS) return step + 1;
  const shift = Math.floor(step / STEPS) - 1;
  return (step - shift * STEPS + 1) * 2 ** shift;
}

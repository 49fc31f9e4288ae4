import { type Bytes, highBit } from '../core/units.js';

/** Steps in which lengths are told apart between a power of two and the next. */
const STEPS = 32;
const STEP_BITS = 5;

/** Buckets for lengths up to 2^53 quanta. */
const BUCKETS = STEPS * (54 - STEP_BITS) + STEPS;

/** Buckets below this hold one length each. */
const SINGLE_LENGTHS = 2 * STEPS;

/** Exact bounds that are followed at a time; there are rarely more largest sizes than request classes. */
const WATCHES = 8;

const TWO_31 = 2 ** 31;

/** Calls its argument with the size of each free segment. */
export type FreeWalk = (visit: (size: Bytes) => void) => void;

/**
 * How the free space of an arena is cut, kept up to date by its owner: free segments and their bytes in buckets with 32
 * steps per power of two, so that whoever samples need not walk. It fills itself by one walk when it is made; from then
 * on the owner calls `add` and `remove` as segments come and go: constant time each, nothing is allocated. All segments
 * are whole quanta, so up to 64 quanta each bucket holds one length and its answers are exact; where a bucket is wider,
 * bounds inside it are followed by themselves.
 */
export class FreeSpectrum {
  /** Free segments and their bytes. */
  segments = 0;
  bytes: Bytes = 0;
  private readonly counts = new Float64Array(BUCKETS);
  private readonly sums = new Float64Array(BUCKETS);
  /** Watches per bucket. A watch follows the bytes of the segments in its bucket that are smaller than its bound. */
  private readonly watched = new Uint8Array(BUCKETS);
  private readonly watchBound = new Float64Array(WATCHES);
  private readonly watchBelow = new Float64Array(WATCHES);
  private oldestWatch = 0;
  private readonly perQuantum: number;

  /** `quantum` is a power of two; `walk` visits the free segments as they are when it is called. */
  constructor(
    private readonly quantum: Bytes,
    private readonly walk: FreeWalk,
  ) {
    this.perQuantum = 1 / quantum;
    walk((size) => this.add(size));
  }

  /** A segment of `size` bytes has become free. */
  add(size: Bytes): void {
    const bucket = this.bucketOf(size);
    this.segments++;
    this.bytes += size;
    this.counts[bucket]! += 1;
    this.sums[bucket]! += size;
    if (this.watched[bucket] !== 0) this.adjustWatches(bucket, size, size);
  }

  /** A free segment of `size` bytes is none any more. */
  remove(size: Bytes): void {
    const bucket = this.bucketOf(size);
    this.segments--;
    this.bytes -= size;
    this.counts[bucket]! -= 1;
    this.sums[bucket]! -= size;
    if (this.watched[bucket] !== 0) this.adjustWatches(bucket, size, -size);
  }

  /** Adds the segments of each power-of-two class (2^n ≤ size < 2^(n+1) at index n) and their bytes to the columns. */
  addClasses(segments: Float64Array, bytes: Float64Array): void {
    for (let bucket = 0; bucket < BUCKETS; bucket++) {
      if (this.counts[bucket] === 0) continue;
      const log2 = highBit(this.leastOf(bucket)) - 1;
      segments[log2]! += this.counts[bucket]!;
      bytes[log2]! += this.sums[bucket]!;
    }
  }

  /**
   * Bytes of the segments smaller than `size`, exact. O(1), but for a bound inside a wide bucket that has not been asked
   * for lately: that takes one walk, after which it is followed.
   */
  bytesBelow(size: Bytes): Bytes {
    const last = this.bucketOf(size);
    let below = 0;
    for (let bucket = 0; bucket < last; bucket++) below += this.sums[bucket]!;
    if (size === this.leastOf(last) || this.counts[last] === 0) return below;
    return below + (last < SINGLE_LENGTHS ? this.sums[last]! : this.belowInBucket(last, size));
  }

  /** Size of the largest segment, 0 if there is none; -1 if the last bucket does not tell which of its lengths it is. */
  get largestIfSure(): Bytes {
    for (let bucket = BUCKETS - 1; bucket >= 0; bucket--) {
      const count = this.counts[bucket]!;
      if (count === 0) continue;
      return count === 1 || bucket < SINGLE_LENGTHS ? this.sums[bucket]! / count : -1;
    }
    return 0;
  }

  /** Compares everything with a walk; answers what is wrong, or '' if nothing is. */
  contradiction(): string {
    const fresh = new FreeSpectrum(this.quantum, this.walk);
    const bucket = this.sums.findIndex(
      (sum, index) => sum !== fresh.sums[index] || this.counts[index] !== fresh.counts[index],
    );
    if (bucket >= 0) return `free segments from ${this.leastOf(bucket)} bytes up are miscounted`;
    if (fresh.segments !== this.segments || fresh.bytes !== this.bytes)
      return `${this.segments} free segments with ${this.bytes} bytes counted`;
    const wrong = this.watchBound.find(
      (bound, watch) =>
        bound > 0 && this.watchBelow[watch] !== fresh.belowInBucket(fresh.bucketOf(bound), bound),
    );
    return wrong === undefined ? '' : `bytes of free segments below ${wrong} bytes are miscounted`;
  }

  private belowInBucket(bucket: number, bound: Bytes): Bytes {
    const known = this.watchBound.indexOf(bound);
    if (known >= 0) return this.watchBelow[known]!;
    const watch = this.oldestWatch;
    this.oldestWatch = (watch + 1) % WATCHES;
    if (this.watchBound[watch]! > 0) this.watched[this.bucketOf(this.watchBound[watch]!)]! -= 1;
    this.watchBound[watch] = bound;
    this.watched[bucket]! += 1;
    let below = 0;
    this.walk((size) => {
      if (size < bound && this.bucketOf(size) === bucket) below += size;
    });
    this.watchBelow[watch] = below;
    return below;
  }

  private adjustWatches(bucket: number, size: Bytes, change: number): void {
    for (let watch = 0; watch < WATCHES; watch++) {
      const bound = this.watchBound[watch]!;
      if (size < bound && this.bucketOf(bound) === bucket) this.watchBelow[watch]! += change;
    }
  }

  /** Each power of two from 32 quanta on begins a new row of steps; below, the bucket is the number of quanta. */
  private bucketOf(size: Bytes): number {
    const quanta = size * this.perQuantum;
    if (quanta < SINGLE_LENGTHS) return quanta | 0;
    if (quanta < TWO_31) {
      const shift = 31 - STEP_BITS - Math.clz32(quanta);
      return shift * STEPS + (quanta >> shift);
    }
    const shift = highBit(quanta) - STEP_BITS - 1;
    return shift * STEPS + Math.floor(quanta / 2 ** shift);
  }

  /** Smallest size in a bucket, in bytes. */
  private leastOf(bucket: number): Bytes {
    if (bucket < SINGLE_LENGTHS) return bucket * this.quantum;
    const shift = Math.floor(bucket / STEPS) - 1;
    return (bucket - shift * STEPS) * 2 ** shift * this.quantum;
  }
}

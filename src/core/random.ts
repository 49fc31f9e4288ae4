import seedrandom from 'seedrandom';
import { InputError, MisuseError } from './errors.js';

const TWO_32 = 2 ** 32;
const TWO_53 = 2 ** 53;

/**
 * A stream of random integers, named and derived from the run's seed. Streams of different names are independent:
 * adding one changes no other.
 *
 * The text `seed/name` keys ARC4 (seedrandom's default generator), whose first 128 bits are the state of a xorshift
 * generator (Marsaglia 2003, seedrandom's xor128, period 2^128 − 1), which supplies the words. Both are integer
 * arithmetic only, so the words are the same in every engine; test/core/random.test.ts freezes them.
 * Not: xor128 keyed with the text itself (near seeds start near), nor ARC4 throughout (ten times slower); seedrandom's
 * tychei departs from its paper in one rotation.
 */
export class RandomStream {
  private readonly next: () => number;

  constructor(seed: number, name: string) {
    const expander = seedrandom(`${seed}/${name}`);
    const [x, y, z, w] = [expander.int32(), expander.int32(), expander.int32(), expander.int32()];
    this.next = seedrandom.xor128('', { state: { x, y, z, w } }).int32;
  }

  /** An integer from 0 to 2^32 − 1. */
  uint32(): number {
    return this.next() >>> 0;
  }

  /**
   * An integer from 0 to `limit` − 1, each with exactly the same chance: words past the last whole multiple of the
   * limit are drawn again.
   * @throws MisuseError unless `limit` is an integer from 1 to 2^53.
   */
  below(limit: number): number {
    if (!(Number.isInteger(limit) && limit >= 1 && limit <= TWO_53)) {
      throw new MisuseError('bad limit of a random integer', { limit });
    }
    if (limit > TWO_32) return this.belowWide(limit);
    const whole = TWO_32 - (TWO_32 % limit);
    let word = this.uint32();
    while (word >= whole) word = this.uint32();
    return word % limit;
  }

  private belowWide(limit: number): number {
    const whole = TWO_53 - (TWO_53 % limit);
    for (;;) {
      const high = this.uint32() % 2 ** 21;
      const word = high * TWO_32 + this.uint32();
      if (word < whole) return word % limit;
    }
  }
}

/**
 * Draws i with a chance of exactly weights[i] / sum, in constant time: Walker's alias method in Vose's form (1991), on
 * integers.
 */
export class AliasTable {
  private readonly total: number;
  /** A draw below `threshold` out of `total` stays in its column, else it goes to the column's alias. */
  private readonly threshold: Float64Array;
  private readonly alias: Int32Array;

  /** @throws InputError unless the weights are integers ≥ 0 whose sum, times their number, is from 1 to 2^53. */
  constructor(weights: ArrayLike<number>) {
    const columns = weights.length;
    this.total = sumOfIntegers(weights);
    if (!(this.total >= 1 && this.total * columns <= TWO_53)) {
      throw new InputError(`weights that sum to ${this.total} in ${columns} columns`, {
        allowed: 'integers from 0 up, not all 0, whose sum times their number is at most 2^53',
      });
    }
    this.threshold = new Float64Array(columns).fill(this.total);
    this.alias = Int32Array.from(weights, (_, column) => column);
    this.fill(Float64Array.from(weights, (weight) => weight * columns));
  }

  /** Number of columns. */
  get length(): number {
    return this.alias.length;
  }

  draw(stream: RandomStream): number {
    const column = stream.below(this.alias.length);
    return stream.below(this.total) < this.threshold[column]! ? column : this.alias[column]!;
  }

  /** Tops up each column that has less than `total` from one that has more. */
  private fill(share: Float64Array): void {
    const small: number[] = [];
    const large: number[] = [];
    share.forEach((value, column) => {
      if (value < this.total) small.push(column);
      else if (value > this.total) large.push(column);
    });
    for (let giver = large.at(-1); giver !== undefined && small.length > 0; giver = large.at(-1)) {
      const taker = small.pop()!;
      this.threshold[taker] = share[taker]!;
      this.alias[taker] = giver;
      share[giver] = share[giver]! - (this.total - share[taker]!);
      if (share[giver]! <= this.total) large.pop();
      if (share[giver]! < this.total) small.push(giver);
    }
  }
}

function sumOfIntegers(weights: ArrayLike<number>): number {
  let sum = 0;
  for (let column = 0; column < weights.length; column++) {
    const weight = weights[column]!;
    if (!(Number.isInteger(weight) && weight >= 0)) return Number.NaN;
    sum += weight;
  }
  return sum;
}

import { MisuseError } from '../core/errors.js';
import type { RandomStream } from '../core/random.js';

/** The answer of an exhausted pool. */
export const NO_SLOT = -1;

/**
 * Object slots of a generator: the slot released last is taken first, fresh ones ascend from 0 to `limit` − 1, and a
 * live one can be drawn at random. All in constant time, and memory for the peak population only.
 *
 * `order` is a permutation of the slots seen so far: the live ones first, in no particular order, then the free ones,
 * the next one to be taken in front.
 */
export class SlotPool {
  private order: Int32Array;
  private position: Int32Array;
  private liveCount = 0;

  /** @throws MisuseError unless `limit` is an integer from 1 to 2^31 − 1. */
  constructor(
    readonly limit: number,
    capacity = 64,
  ) {
    if (!(Number.isInteger(limit) && limit >= 1 && limit < 2 ** 31)) {
      throw new MisuseError('bad limit of a slot pool', { limit });
    }
    this.order = Int32Array.from({ length: Math.min(limit, capacity) }, (_, slot) => slot);
    this.position = this.order.slice();
  }

  /** Slots taken and not released. */
  get live(): number {
    return this.liveCount;
  }

  isLive(slot: number): boolean {
    return slot >= 0 && slot < this.order.length && this.position[slot]! < this.liveCount;
  }

  /** A free slot, now live; NO_SLOT when `limit` are. */
  take(): number {
    if (this.liveCount === this.order.length) {
      if (this.liveCount === this.limit) return NO_SLOT;
      this.grow();
    }
    return this.order[this.liveCount++]!;
  }

  /** Gives a live slot back. @throws MisuseError if it is not live. */
  release(slot: number): void {
    if (!this.isLive(slot)) throw new MisuseError('release of a slot that is not live', { slot });
    const last = --this.liveCount;
    const mover = this.order[last]!;
    const hole = this.position[slot]!;
    this.order[hole] = mover;
    this.position[mover] = hole;
    this.order[last] = slot;
    this.position[slot] = last;
  }

  /** A random live slot, each with the same chance; it stays live. @throws MisuseError if none is live. */
  pick(stream: RandomStream): number {
    return this.order[stream.below(this.liveCount)]!;
  }

  private grow(): void {
    const length = Math.min(this.order.length * 2, this.limit);
    this.order = lengthened(this.order, length);
    this.position = lengthened(this.position, length);
  }
}

/** A permutation with more members, each at its own place. */
function lengthened(permutation: Int32Array, length: number): Int32Array {
  const longer = new Int32Array(length);
  longer.set(permutation);
  for (let slot = permutation.length; slot < length; slot++) longer[slot] = slot;
  return longer;
}

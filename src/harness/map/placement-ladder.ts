import { type Address, NO_ADDRESS } from '../../core/address.js';
import { REQUEST_CLASS_NAMES } from '../../core/request.js';
import type { Nanoseconds } from '../../core/units.js';

/** Every answer up to this one has a rung; then every second one up to twice as many, and so on. */
const EACH = 1024;
/** Rungs up to 2^53 answers. */
const MOST_RUNGS = EACH + 43 * (EACH / 2) + 1;
const TWO_32 = 2 ** 32;

/**
 * Digests of a run's answers so far, at rungs that become rarer: two runs of one workload are held against each other
 * by their rungs, and the first pair that differs brackets the first answer that does, to the very one among the first
 * 1024 and to a thousandth of its number behind. What is digested is the distance from the first object of its class,
 * so that kernels with different bases can be compared.
 */
export class PlacementLadder {
  /** Answers so far. */
  answers = 0;
  rungs = 0;
  readonly answer = new Float64Array(MOST_RUNGS);
  readonly timeNs = new Float64Array(MOST_RUNGS);
  readonly digest = new Uint32Array(MOST_RUNGS);
  private readonly origin = new Float64Array(REQUEST_CLASS_NAMES.length).fill(NO_ADDRESS);
  private state = 0x811c9dc5 | 0;
  private stride = 1;

  /** Takes one answer; NO_ADDRESS for a refusal. */
  add(cls: number, address: Address, now: Nanoseconds): void {
    if (this.origin[cls] === NO_ADDRESS) this.origin[cls] = address;
    const distance = address === NO_ADDRESS ? 0.5 : address - this.origin[cls]!;
    const low = distance === 0.5 ? 0x55555555 : distance | 0;
    let mixed = Math.imul(this.state ^ low, 0x01000193);
    mixed = Math.imul(mixed ^ (mixed >>> 15) ^ Math.floor(distance / TWO_32), 0x5bd1e995);
    this.state = mixed ^ (mixed >>> 13);
    this.answers++;
    if (this.answers % this.stride !== 0) return;
    const rung = this.rungs++;
    this.answer[rung] = this.answers;
    this.timeNs[rung] = now;
    this.digest[rung] = this.state;
    if (this.answers === EACH * this.stride) this.stride *= 2;
  }
}

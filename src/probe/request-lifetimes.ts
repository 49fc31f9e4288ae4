import { REQUEST_CLASS_NAMES } from '../core/request.js';
import { highBit, type Nanoseconds } from '../core/units.js';

/** No time at all, and lifetimes from 2^n up to below 2^(n+1) ns for n from 0 to 53. */
export const LIFETIME_CLASSES = 55;

/** How long objects lived that have been freed, by request class: a class of lifetimes for each power of two. */
export class RequestLifetimes {
  private readonly counts = new Float64Array(REQUEST_CLASS_NAMES.length * LIFETIME_CLASSES);

  /** Counts an object that is freed `lifetime` after it was granted. */
  record(cls: number, lifetime: Nanoseconds): void {
    this.counts[cls * LIFETIME_CLASSES + highBit(lifetime)]! += 1;
  }

  /** Objects in a class of lifetimes: 0 is no time, n is from 2^(n-1) up to below 2^n ns. */
  objectsIn(cls: number, lifetimeClass: number): number {
    return this.counts[cls * LIFETIME_CLASSES + lifetimeClass]!;
  }
}

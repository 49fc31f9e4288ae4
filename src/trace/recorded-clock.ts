import { decimalValue, isDigit, ZERO } from './text-scan.js';

const POINT = 0x2e;
const BILLION = 1e9;
/** Digits of a fraction in nanoseconds. */
export const NANOSECOND_DIGITS = 9;
/** Digits of whole seconds that are exact as a number. */
export const MAX_SECOND_DIGITS = 15;
export const POWERS_OF_TEN: readonly number[] = [1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9];

/**
 * Reads time stamps and counts nanoseconds from the first one. Stamps are seconds with a fraction, or bare integers
 * (cycles, jiffies, event numbers), of which each unit counts `tickNs` nanoseconds. They stay integers throughout:
 * whole seconds (or billions of ticks) and the rest apart, because a stamp of today in nanoseconds is above 2^53.
 */
export class RecordedClock {
  /** Nanoseconds of the last stamp since the first one; negative if it lies before. */
  nowNs = Number.NaN;
  /** First stamp as it was written, empty before there is one. */
  origin = '';
  /** Whether stamps are bare integers; undefined before the first one. */
  ticks: boolean | undefined;
  private originWhole = Number.NaN;
  private originRest = Number.NaN;

  constructor(private readonly tickNs: number) {}

  /** Reads the stamp in bytes[start, end). Returns false if it is none. */
  read(bytes: Uint8Array, start: number, end: number): boolean {
    let whole = 0;
    let at = start;
    for (; at < end && isDigit(bytes[at]!); at++) whole = whole * 10 + bytes[at]! - ZERO;
    if (at === start) return false;
    if (at === end) return this.readTicks(bytes, start, end);
    const plain = bytes[at] === POINT && at - start <= MAX_SECOND_DIGITS;
    return plain && this.readFraction(bytes, start, at + 1, end, whole);
  }

  private readFraction(bytes: Uint8Array, start: number, from: number, end: number, whole: number): boolean {
    if (from === end || end - from > NANOSECOND_DIGITS) return false;
    let rest = 0;
    for (let at = from; at < end; at++) {
      if (!isDigit(bytes[at]!)) return false;
      rest = rest * 10 + bytes[at]! - ZERO;
    }
    const nanoseconds = rest * POWERS_OF_TEN[NANOSECOND_DIGITS - (end - from)]!;
    return this.set(bytes, start, end, whole, nanoseconds, false, 1);
  }

  /** As `read`, for a stamp in bytes[start, end) that says these seconds and nanoseconds. */
  readSeconds(bytes: Uint8Array, start: number, end: number, seconds: number, nanoseconds: number): boolean {
    return this.set(bytes, start, end, seconds, nanoseconds, false, 1);
  }

  private readTicks(bytes: Uint8Array, start: number, end: number): boolean {
    if (end - start > 20) return false;
    const split = Math.max(start, end - 9);
    const whole = decimalValue(bytes, start, split);
    return this.set(bytes, start, end, whole, decimalValue(bytes, split, end), true, this.tickNs);
  }

  private set(
    bytes: Uint8Array,
    start: number,
    end: number,
    whole: number,
    rest: number,
    ticks: boolean,
    unitNs: number,
  ): boolean {
    if (this.ticks === undefined) {
      this.ticks = ticks;
      this.originWhole = whole;
      this.originRest = rest;
      this.origin = Buffer.from(bytes.subarray(start, end)).toString('latin1');
    }
    this.nowNs = ((whole - this.originWhole) * BILLION + (rest - this.originRest)) * unitNs;
    return this.ticks === ticks && Math.abs(this.nowNs) <= Number.MAX_SAFE_INTEGER;
  }
}

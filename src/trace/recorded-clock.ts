import { decimalValue, digitsEnd, isDigit } from './text-scan.js';

const POINT = 0x2e;
const BILLION = 1e9;

/**
 * Reads time stamps and counts nanoseconds from the first one. Stamps are seconds with a fraction, or bare integers
 * (cycles, jiffies, event numbers), of which each unit counts `tickNs` nanoseconds. They stay integers throughout:
 * whole seconds (or billions of ticks) and the rest apart, because a stamp of today in nanoseconds is above 2^53.
 */
export class RecordedClock {
  /** Nanoseconds of the last stamp since the first one; negative if it lies before. */
  nowNs = 0;
  /** First stamp as it was written, empty before there is one. */
  origin = '';
  /** Whether stamps are bare integers; undefined before the first one. */
  ticks: boolean | undefined;
  private originWhole = 0;
  private originRest = 0;

  constructor(private readonly tickNs: number) {}

  /** Reads the stamp in bytes[start, end). Returns false if it is none. */
  read(bytes: Uint8Array, start: number, end: number): boolean {
    const point = digitsEnd(bytes, start, end);
    if (point === start) return false;
    return point === end ? this.readTicks(bytes, start, end) : this.readSeconds(bytes, start, point, end);
  }

  private readSeconds(bytes: Uint8Array, start: number, point: number, end: number): boolean {
    const digits = end - point - 1;
    const plain = bytes[point] === POINT && digits >= 1 && digits <= 9 && point - start <= 15;
    if (!plain || digitsEnd(bytes, point + 1, end) !== end) return false;
    let rest = decimalValue(bytes, point + 1, end);
    for (let digit = digits; digit < 9; digit++) rest *= 10;
    return this.set(bytes, start, end, decimalValue(bytes, start, point), rest, false, 1);
  }

  private readTicks(bytes: Uint8Array, start: number, end: number): boolean {
    if (end - start > 20 || !isDigit(bytes[start]!)) return false;
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

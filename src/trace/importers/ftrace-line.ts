import { MAX_SECOND_DIGITS, NANOSECOND_DIGITS, POWERS_OF_TEN } from '../recorded-clock.js';
import {
  COLON,
  DASH,
  decimalValue,
  digitsEnd,
  isDigit,
  MAX_PID_DIGITS,
  SPACE,
  spacesEnd,
  ZERO,
} from '../text-scan.js';
import { COLONS, firstNonSpace, firstOf, RepeatedBytes, SPACES, viewOf } from '../word-scan.js';
import type { EventForm } from './event-text.js';

const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const OPEN_PAREN = 0x28;
const CLOSE_PAREN = 0x29;
/** ftrace pads the task's name to 16 characters, so the dash before the process id stands here. */
const USUAL_DASH = 16;
const POINT = 0x2e;
const MAX_CPU = 65_535;
/** From the dash to the point of the stamp: some 30 bytes, and a thread group. */
const MAX_REPEATED_BYTES = 96;
/** The thread group in brackets, padded: a longer one is none, and would be looked through behind each dash. */
const MAX_GROUP_BYTES = 32;

/**
 * The part of an ftrace line that all events share, `TASK-PID (TGID) [CPU] flags STAMP: NAME:`, where the thread
 * group and the flags may be absent. Positions are those of the bytes given to `scan`.
 */
export class FtraceLine implements EventForm {
  pid = 0;
  cpu = 0;
  stampStart = 0;
  stampEnd = 0;
  seconds = 0;
  nanoseconds = -1;
  nameStart = 0;

  /** The bytes of the last line four at a time: many lines lie in the same array. */
  private view = viewOf(new Uint8Array(0));
  private viewed: Uint8Array | undefined;
  /**
   * The last line from its dash to the point of its stamp. Most lines are of the same process, CPU and second as the
   * line before, and then all that these bytes say is known; a task's name says nothing.
   */
  private readonly repeated = new RepeatedBytes(MAX_REPEATED_BYTES);
  /** Where the stamp begins behind the dash of such a line. */
  private stampOffset = 0;
  private end = 0;

  /** Looked for when it is asked for: who knows the rest of the line need not know it. */
  get nameEnd(): number {
    return firstOf(this.view, COLONS, this.nameStart, this.end);
  }

  /** Reads the line in bytes[start, end). Returns whether it has that form. */
  scan(bytes: Uint8Array, start: number, end: number): boolean {
    if (bytes !== this.viewed) {
      this.viewed = bytes;
      this.view = viewOf(bytes);
    }
    this.end = end;
    return this.scanRepeated(bytes, start + USUAL_DASH, end) || this.scanWhole(bytes, start, end);
  }

  /** Reads a line that begins as the line before did. */
  private scanRepeated(bytes: Uint8Array, dash: number, end: number): boolean {
    const { view, repeated } = this;
    if (!repeated.standAt(view, dash, end)) return false;
    const point = dash + repeated.length;
    let fraction = 0;
    let stop = point;
    for (; stop < end && isDigit(bytes[stop]!); stop++) fraction = fraction * 10 + bytes[stop]! - ZERO;
    const digits = stop - point;
    if (digits === 0 || digits > NANOSECOND_DIGITS) return false;
    if (stop + 2 >= end || bytes[stop] !== COLON || bytes[stop + 1] !== SPACE) return false;
    this.nanoseconds = fraction * POWERS_OF_TEN[NANOSECOND_DIGITS - digits]!;
    this.stampStart = dash + this.stampOffset;
    this.stampEnd = stop;
    this.nameStart = stop + 2;
    return bytes[this.nameStart] !== COLON;
  }

  private scanWhole(bytes: Uint8Array, start: number, end: number): boolean {
    this.repeated.length = 0;
    this.nanoseconds = -1;
    // The name may hold brackets, dashes and digits: the usual column first, then each bracket from the left.
    const dash = start + USUAL_DASH;
    const usual = this.scanTask(bytes, dash, end);
    if (usual > 0) {
      const whole = this.scanStamp(bytes, usual, end);
      if (whole) this.keep(bytes, dash);
      return whole;
    }
    for (let at = start; at < end; at++) {
      if (bytes[at] !== DASH) continue;
      const behind = this.scanTask(bytes, at, end);
      if (behind > 0 && this.scanStamp(bytes, behind, end)) return true;
    }
    return false;
  }

  /** Keeps what the next line may repeat; a stamp without a point holds nothing that stays. */
  private keep(bytes: Uint8Array, dash: number): void {
    const point = digitsEnd(bytes, this.stampStart, this.stampEnd);
    if (bytes[point] !== POINT || point - this.stampStart > MAX_SECOND_DIGITS) return;
    this.seconds = decimalValue(bytes, this.stampStart, point);
    this.repeated.take(this.view, dash, point + 1);
    this.stampOffset = this.stampStart - dash;
  }

  /** Reads `-PID (TGID) [CPU]` at `dash`; returns the position behind it, -1 if it is not there. */
  private scanTask(bytes: Uint8Array, dash: number, end: number): number {
    if (dash >= end || bytes[dash] !== DASH) return -1;
    const pidEnd = digitsEnd(bytes, dash + 1, end);
    let at = spacesEnd(bytes, pidEnd, end);
    if (pidEnd === dash + 1 || at === pidEnd || pidEnd - dash > MAX_PID_DIGITS + 1) return -1;
    if (bytes[at] === OPEN_PAREN) {
      const last = Math.min(end, at + MAX_GROUP_BYTES);
      while (at < last && bytes[at] !== CLOSE_PAREN) at++;
      at = spacesEnd(bytes, at + 1, end);
    }
    const cpuEnd = digitsEnd(bytes, at + 1, end);
    const bracketed = bytes[at] === OPEN_BRACKET && bytes[cpuEnd] === CLOSE_BRACKET && cpuEnd < end;
    if (!bracketed || cpuEnd === at + 1) return -1;
    this.pid = decimalValue(bytes, dash + 1, pidEnd);
    this.cpu = decimalValue(bytes, at + 1, cpuEnd);
    return this.cpu <= MAX_CPU ? cpuEnd + 1 : -1;
  }

  /** Reads ` flags STAMP: NAME`, flags optional. */
  private scanStamp(bytes: Uint8Array, from: number, end: number): boolean {
    const { view } = this;
    let start = firstNonSpace(view, from, end);
    let stop = firstOf(view, SPACES, start, end);
    if (stop < end && bytes[stop - 1] !== COLON) {
      start = firstNonSpace(view, stop, end);
      stop = firstOf(view, SPACES, start, end);
    }
    if (stop >= end || bytes[stop - 1] !== COLON || !isDigit(bytes[start]!)) return false;
    this.stampStart = start;
    this.stampEnd = stop - 1;
    this.nameStart = stop + 1;
    return this.nameEnd > this.nameStart;
  }
}

import { COLON, DASH, decimalValue, digitsEnd, isDigit, MAX_PID_DIGITS, spacesEnd } from '../text-scan.js';
import { COLONS, firstNonSpace, firstOf, SPACES, viewOf } from '../word-scan.js';
import type { EventForm } from './event-text.js';

const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const OPEN_PAREN = 0x28;
const CLOSE_PAREN = 0x29;
/** ftrace pads the task's name to 16 characters, so the dash before the process id stands here. */
const USUAL_DASH = 16;
const MAX_CPU = 65_535;
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
  nameStart = 0;
  /** Position of the colon behind the event's name, or of the line's end where the name has none. */
  nameEnd = 0;

  /** The bytes of the last line four at a time: many lines lie in the same array. */
  private view = viewOf(new Uint8Array(0));
  private viewed: Uint8Array | undefined;

  /** Reads the line in bytes[start, end). Returns whether it has that form. */
  scan(bytes: Uint8Array, start: number, end: number): boolean {
    if (bytes !== this.viewed) {
      this.viewed = bytes;
      this.view = viewOf(bytes);
    }
    // The name may hold brackets, dashes and digits: the usual column first, then each bracket from the left.
    const usual = this.scanTask(bytes, start + USUAL_DASH, end);
    if (usual > 0) return this.scanStamp(bytes, usual, end);
    for (let at = start; at < end; at++) {
      if (bytes[at] !== DASH) continue;
      const behind = this.scanTask(bytes, at, end);
      if (behind > 0 && this.scanStamp(bytes, behind, end)) return true;
    }
    return false;
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
    this.nameEnd = firstOf(view, COLONS, this.nameStart, end);
    return this.nameEnd > this.nameStart;
  }
}

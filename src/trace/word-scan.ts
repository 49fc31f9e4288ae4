import { canonical, ZERO } from './text-scan.js';

/*
 * Readers of a line's bytes four at a time, for what most lines of a recording go through. They see exactly what those
 * of text-scan.ts see, which test/trace/word-scan.test.ts holds them against.
 */

/** A byte in each place of a word, for `firstOf`. */
export const SPACES = 0x20202020;
export const COLONS = 0x3a3a3a3a;
const ONES = 0x01010101;
const HIGH_BITS = 0x80808080;
const WORD = 4;
/** Bytes of a double. */
const DOUBLE = 8;

/** The name of a field as it stands in a line, for comparisons of whole words: a space, and at least three bytes more. */
export class FieldName {
  readonly length: number;
  /** Words at 0, 4, 8, ... and the one that ends with the name. */
  readonly first: number;
  readonly words: Int32Array;
  readonly last: number;

  constructor(text: string) {
    const bytes = Uint8Array.from(Buffer.from(text, 'latin1'));
    const view = viewOf(bytes);
    this.length = bytes.length;
    this.words = Int32Array.from({ length: bytes.length >> 2 }, (_, word) =>
      view.getInt32(word * WORD, true),
    );
    this.first = this.words[0]!;
    this.last = view.getInt32(bytes.length - WORD, true);
  }
}

/**
 * Bytes as they stood in one line, for comparisons with other lines, eight at a time. They are a copy, because a line's
 * memory is used again. The eight are compared as doubles, which V8 does in one instruction; two doubles are equal only
 * if their bytes are, but for zeros, which have two forms, and are therefore not held, and for NaNs, which equal nothing.
 */
export class RepeatedBytes {
  /** Bytes that are held; 0 for none. */
  length = 0;
  /** From the end backward, because the ends of names and of numbers differ most; what overlaps comes last. */
  private readonly doubles: Float64Array;
  private first = Number.NaN;

  /** Holds at most `capacity` bytes. */
  constructor(private readonly capacity: number) {
    this.doubles = new Float64Array(capacity >> 3);
  }

  /** Takes the bytes in [start, end); none where they are too many, fewer than eight, or eight zeros in a row. */
  take(view: DataView, start: number, end: number): void {
    this.length = 0;
    if (end - start < DOUBLE || end - start > this.capacity) return;
    this.first = view.getFloat64(start, true);
    let zero = this.first === 0;
    for (let at = end - DOUBLE, index = 0; at >= start; at -= DOUBLE, index++) {
      this.doubles[index] = view.getFloat64(at, true);
      zero ||= this.doubles[index] === 0;
    }
    if (!zero) this.length = end - start;
  }

  /** Whether there are bytes, and they stand at `start` and end at `end` at the latest. */
  standAt(view: DataView, start: number, end: number): boolean {
    const { length, doubles } = this;
    if (length === 0 || start + length > end) return false;
    for (let at = start + length - DOUBLE, index = 0; at >= start; at -= DOUBLE, index++) {
      if (view.getFloat64(at, true) !== doubles[index]) return false;
    }
    return view.getFloat64(start, true) === this.first;
  }
}

export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Position of the first byte that `bytes` is made of, `end` if there is none. */
export function firstOf(view: DataView, bytes: number, start: number, end: number): number {
  let at = start;
  for (; at + WORD <= end; at += WORD) {
    const word = view.getInt32(at, true) ^ bytes;
    const found = (word - ONES) & ~word & HIGH_BITS;
    if (found !== 0) return at + lowestByte(found);
  }
  while (at < end && view.getUint8(at) !== (bytes & 0xff)) at++;
  return at;
}

/** Position of the first byte that is no space, `end` if there is none. */
export function firstNonSpace(view: DataView, start: number, end: number): number {
  let at = start;
  for (; at + WORD <= end; at += WORD) {
    const word = view.getInt32(at, true) ^ SPACES;
    if (word !== 0) return at + lowestByte(word);
  }
  while (at < end && view.getUint8(at) === (SPACES & 0xff)) at++;
  return at;
}

/** Number of the lowest byte that is not 0, of a word that has one. */
function lowestByte(word: number): number {
  return (31 - Math.clz32(word & -word)) >> 3;
}

/** Whether the name stands at `at` and ends at `end` at the latest. */
export function standsAt(view: DataView, name: FieldName, at: number, end: number): boolean {
  const stop = at + name.length;
  if (stop > end || view.getInt32(at, true) !== name.first) return false;
  for (let word = 1; word < name.words.length; word++) {
    if (view.getInt32(at + word * WORD, true) !== name.words[word]) return false;
  }
  return view.getInt32(stop - WORD, true) === name.last;
}

/** Position behind the first occurrence of the name in [start, end), -1 if there is none. */
export function afterName(view: DataView, name: FieldName, start: number, end: number): number {
  const last = end - name.length;
  for (let at = start; at <= last; ) {
    // In a word without a space no name begins.
    const word = view.getInt32(at, true) ^ SPACES;
    const found = (word - ONES) & ~word & HIGH_BITS;
    if (found === 0) {
      at += WORD;
      continue;
    }
    at += lowestByte(found);
    if (standsAt(view, name, at, end)) return at + name.length;
    at++;
  }
  return -1;
}

/** Values of two hexadecimal digits by their bytes as a little-endian word, negative for all else. */
const DIGIT_PAIRS = digitPairs();

function digitPairs(): Int16Array {
  const pairs = new Int16Array(65_536).fill(-1);
  const digits = [...'0123456789abcdef', ...'ABCDEF'];
  for (const high of digits) {
    for (const low of digits) {
      const bytes = high.charCodeAt(0) | (low.charCodeAt(0) << 8);
      pairs[bytes] = Number.parseInt(high + low, 16);
    }
  }
  return pairs;
}

/**
 * A 64-bit address of exactly sixteen hexadecimal digits, as a number of AddressSpace.canonical; NaN for all else,
 * which `scanHexAddress` may yet read.
 */
export function wholeAddress(view: DataView, at: number, end: number): number {
  if (at < 0 || at + 16 > end || (at + 16 < end && isHexDigit(view.getUint8(at + 16)))) return Number.NaN;
  const a = DIGIT_PAIRS[view.getUint16(at, true)]!;
  const b = DIGIT_PAIRS[view.getUint16(at + 2, true)]!;
  const c = DIGIT_PAIRS[view.getUint16(at + 4, true)]!;
  const d = DIGIT_PAIRS[view.getUint16(at + 6, true)]!;
  const e = DIGIT_PAIRS[view.getUint16(at + 8, true)]!;
  const f = DIGIT_PAIRS[view.getUint16(at + 10, true)]!;
  const g = DIGIT_PAIRS[view.getUint16(at + 12, true)]!;
  const h = DIGIT_PAIRS[view.getUint16(at + 14, true)]!;
  if ((a | b | c | d | e | f | g | h) < 0) return Number.NaN;
  return canonical((a << 24) | (b << 16) | (c << 8) | d, (e << 24) | (f << 16) | (g << 8) | h);
}

function isHexDigit(byte: number): boolean {
  return DIGIT_PAIRS[(byte << 8) | ZERO]! >= 0;
}

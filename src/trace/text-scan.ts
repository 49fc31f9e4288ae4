import { NO_ADDRESS } from '../core/address.js';

/** Readers of numbers and fields in the bytes of a line. None of them makes a string or any other object. */

export const SPACE = 0x20;
export const COLON = 0x3a;
export const DASH = 0x2d;
export const ZERO = 0x30;
/** Process ids have 32 bits. */
export const MAX_PID_DIGITS = 10;
const LETTER_X = 0x78;
const TWO_32 = 2 ** 32;
/** Hexadecimal digits of 32 bits. */
const HALF_DIGITS = 8;
/** Least number of AddressSpace.canonical in the upper half, where kernels live. */
const UPPER_HALF = 2 ** 52;

export function isDigit(byte: number): boolean {
  return byte >= ZERO && byte <= 0x39;
}

/** Value of each byte as a hexadecimal digit, -1 if it is none. */
const HEX_DIGITS = Int8Array.from({ length: 256 }, (_, byte) => {
  const digit = Number.parseInt(String.fromCharCode(byte), 16);
  return Number.isNaN(digit) ? -1 : digit;
});

/** Position of the first non-digit. */
export function digitsEnd(bytes: Uint8Array, start: number, end: number): number {
  let at = start;
  while (at < end && isDigit(bytes[at]!)) at++;
  return at;
}

/** Position of the first byte that is no space. */
export function spacesEnd(bytes: Uint8Array, start: number, end: number): number {
  let at = start;
  while (at < end && bytes[at] === SPACE) at++;
  return at;
}

/** Position behind `text`, which must begin in bytes[start, end); -1 if it is not there. First occurrence. */
export function after(bytes: Uint8Array, text: Uint8Array, start: number, end: number): number {
  const first = text[0]!;
  const last = end - text.length;
  for (let at = start; at <= last; at++) {
    if (bytes[at] === first && startsWith(bytes, text, at, end)) return at + text.length;
  }
  return -1;
}

/** As `after`, last occurrence: for lines whose earlier fields hold free text. */
export function afterLast(bytes: Uint8Array, text: Uint8Array, start: number, end: number): number {
  for (let at = end - text.length; at >= start; at--) {
    if (startsWith(bytes, text, at, end)) return at + text.length;
  }
  return -1;
}

/** Whether `text` stands at `at`. */
export function startsWith(bytes: Uint8Array, text: Uint8Array, at: number, end: number): boolean {
  if (at < 0 || at + text.length > end) return false;
  for (let index = 0; index < text.length; index++) if (bytes[at + index] !== text[index]) return false;
  return true;
}

/** Integer in decimal digits, or in hexadecimal ones after 0x; NaN if there is none or it is above 2^53. */
export function scanInteger(bytes: Uint8Array, start: number, end: number): number {
  if (start < 0) return Number.NaN;
  const hex = bytes[start] === ZERO && bytes[start + 1] === LETTER_X;
  const base = hex ? 16 : 10;
  const first = hex ? start + 2 : start;
  let value = 0;
  let at = first;
  for (; at < end; at++) {
    const digit = HEX_DIGITS[bytes[at]!]!;
    if (digit < 0 || digit >= base) break;
    value = value * base + digit;
  }
  return at > first && value <= 2 ** 53 ? value : Number.NaN;
}

/**
 * 64-bit address in hexadecimal digits, with or without 0x, as a number of AddressSpace.canonical; NaN if there are
 * no digits or too many, or if it is not canonical.
 */
export function scanHexAddress(bytes: Uint8Array, start: number, end: number): number {
  if (start < 0) return Number.NaN;
  const first = bytes[start] === ZERO && bytes[start + 1] === LETTER_X ? start + 2 : start;
  const half = Math.min(first + HALF_DIGITS, end);
  let head = 0;
  let at = first;
  for (; at < half; at++) {
    const digit = HEX_DIGITS[bytes[at]!]!;
    if (digit < 0) break;
    head = (head << 4) | digit;
  }
  if (at < first + HALF_DIGITS) return at === first ? Number.NaN : head >>> 0;
  const stop = Math.min(half + HALF_DIGITS, end);
  let rest = 0;
  for (; at < stop; at++) {
    const digit = HEX_DIGITS[bytes[at]!]!;
    if (digit < 0) break;
    rest = (rest << 4) | digit;
  }
  const more = at - half;
  if (more === HALF_DIGITS) {
    return at < end && HEX_DIGITS[bytes[at]!]! >= 0 ? Number.NaN : canonical(head >>> 0, rest >>> 0);
  }
  if (more === 0) return head >>> 0;
  return canonical(head >>> (32 - 4 * more), ((head << (4 * more)) | rest) >>> 0);
}

/** As `scanHexAddress`, for a 64-bit address in decimal digits. */
export function scanDecimalAddress(bytes: Uint8Array, start: number, end: number): number {
  if (start < 0) return Number.NaN;
  const stop = digitsEnd(bytes, start, end);
  if (stop === start || stop - start > 20) return Number.NaN;
  const split = Math.max(start, stop - 9);
  const billions = decimalValue(bytes, start, split);
  // billions · 10^9 + rest in units of 2^16, so that no product leaves the exact range of a double.
  const high = Math.floor(billions / 65_536);
  const low = (billions - high * 65_536) * 1e9 + decimalValue(bytes, split, stop);
  const carry = Math.floor(low / 65_536);
  const units = high * 1e9 + carry;
  const upper = Math.floor(units / 65_536);
  if (upper >= TWO_32) return Number.NaN;
  return canonical(upper, (units - upper * 65_536) * 65_536 + (low - carry * 65_536));
}

/** Value of at most 15 decimal digits. */
export function decimalValue(bytes: Uint8Array, start: number, end: number): number {
  let value = 0;
  for (let at = start; at < end; at++) value = value * 10 + bytes[at]! - ZERO;
  return value;
}

/**
 * Number of AddressSpace.canonical from the halves of a 64-bit address, each as an integer of 32 bits with or without
 * sign; NaN if its upper 12 bits differ.
 */
export function canonical(high: number, low: number): number {
  const upper = high >>> 20;
  if (upper === 0) return high * TWO_32 + (low >>> 0);
  return upper === 0xfff ? (high & 0x1f_ffff) * TWO_32 + (low >>> 0) : Number.NaN;
}

/** The address if it can be one of a kernel; NO_ADDRESS for what lies in the lower half, as hashed pointers do. */
export function kernelAddress(address: number): number {
  return address >= UPPER_HALF ? address : NO_ADDRESS;
}

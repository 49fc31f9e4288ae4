import { InputError, type InputPlace } from './errors.js';

/** A length in bytes: an integer from 0 to 2^53. */
export type Bytes = number;

/** A point in simulated time: integer nanoseconds since the start of the run. */
export type Nanoseconds = number;

export const KIB = 1024;
export const MIB = 1024 * KIB;
export const GIB = 1024 * MIB;
export const TIB = 1024 * GIB;
export const SECOND: Nanoseconds = 1e9;

const TWO_32 = 2 ** 32;

/** Rounds `value` up to a multiple of `unit`. Exact while the result is at most 2^53. */
export function roundUp(value: number, unit: number): number {
  const rest = value % unit;
  return rest === 0 ? value : value - rest + unit;
}

/** Rounds `value` down to a multiple of `unit`. */
export function roundDown(value: number, unit: number): number {
  return value - (value % unit);
}

/** 1-based index of the highest set bit of an integer from 0 to 2^53; 0 for 0. */
export function highBit(value: number): number {
  if (value < TWO_32) return 32 - Math.clz32(value);
  return 64 - Math.clz32(value / TWO_32);
}

/** Whether an integer from 1 to 2^53 is a power of two. */
export function isPowerOfTwo(value: number): boolean {
  if (value < TWO_32) return value > 0 && (value & (value - 1)) === 0;
  const high = value / TWO_32;
  return high === Math.floor(high) && isPowerOfTwo(high);
}

const SUFFIXES: Readonly<Record<string, number>> = {
  '': 1,
  B: 1,
  K: KIB,
  KIB: KIB,
  M: MIB,
  MIB: MIB,
  G: GIB,
  GIB: GIB,
  T: TIB,
  TIB: TIB,
};

/**
 * Reads a length such as `4096`, `0x1000`, `64KiB`, `1.5G`. Units are powers of 1024.
 * @throws InputError when the text is no length, is fractional in bytes, negative or above 2^53.
 */
export function parseBytes(text: string | number, place: InputPlace = {}): Bytes {
  const allowed = 'a length in bytes such as 4096, 0x1000, 64KiB or 1.5G, at most 2^53';
  const match = /^(0x[0-9a-f]+|\d+(?:\.\d+)?)\s*([a-z]*)$/i.exec(String(text).trim());
  const unit = match === null ? undefined : SUFFIXES[match[2]!.toUpperCase()];
  const value = match === null || unit === undefined ? Number.NaN : Number(match[1]) * unit;
  if (!(Number.isInteger(value) && value <= 2 ** 53)) {
    throw new InputError(`'${text}' is not a length`, { allowed, ...place });
  }
  return value;
}

const DURATION_UNITS: Readonly<Record<string, number>> = {
  '': 1,
  ns: 1,
  us: 1e3,
  ms: 1e6,
  s: SECOND,
  min: 60 * SECOND,
  h: 3600 * SECOND,
};

/**
 * Reads a duration such as `2s`, `1.5ms`, `10us`, `90min` or, in nanoseconds, `250`.
 * @throws InputError when the text is no duration, is fractional in nanoseconds, negative or above 2^53.
 */
export function parseDuration(text: string | number, place: InputPlace = {}): Nanoseconds {
  const allowed =
    'a duration such as 2s, 500ms, 1.5us, 10min or 3h, or nanoseconds without a unit, at most 2^53';
  const match = /^(\d+)(?:\.(\d+))?\s*([a-z]*)$/.exec(String(text).trim());
  const unit = match === null ? undefined : DURATION_UNITS[match[3]!];
  const value =
    match === null || unit === undefined ? Number.NaN : decimalTimes(match[1]!, match[2] ?? '', unit);
  if (!(Number.isInteger(value) && value <= 2 ** 53)) {
    throw new InputError(`'${text}' is not a duration`, { allowed, ...place });
  }
  return value;
}

/** `whole.fraction` times an integer, exact where a product of doubles is not: 1.1 × 10^9 has a last digit wrong. */
function decimalTimes(whole: string, fraction: string, unit: number): number {
  const scale = 10 ** fraction.length;
  return Number(whole) * unit + (Number(fraction) * unit) / scale;
}

/** A duration in its largest unit that leaves an integer: `90s`, `1500us`. */
export function formatDuration(duration: Nanoseconds): string {
  const units = Object.entries(DURATION_UNITS).filter(([name, unit]) => name !== '' && duration % unit === 0);
  const [name, unit] = duration === 0 ? ['s', 1] : units.at(-1)!;
  return `${duration / unit}${name}`;
}

/** `bytes` with a binary unit and at most three significant decimals, for people: `1.5 GiB`. */
export function formatBytes(bytes: Bytes): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB', 'EiB'];
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  const digits = Number.isInteger(value) ? String(value) : value.toPrecision(value >= 100 ? 4 : 3);
  return `${digits} ${units[unit]}`;
}

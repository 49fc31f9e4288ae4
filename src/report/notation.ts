import { formatBytes } from '../core/units.js';

/** At most seven characters; what is not 0 does not print as 0. */
export function formatRatio(value: number): string {
  if (value >= 1e5 || (value > 0 && value < 0.0005)) return value.toExponential(1);
  return value >= 100 ? value.toFixed(0) : value.toFixed(3);
}

/** `14.1 MiB` as `14.1M`, at most seven characters. */
export function formatShortBytes(bytes: number): string {
  return formatBytes(bytes).replace(/ (.).*/, '$1');
}

/** A count in at most five characters: `12.3k`. */
export function formatCount(value: number): string {
  const units = ['', 'k', 'M', 'G', 'T'];
  let scaled = value;
  let unit = 0;
  while (scaled >= 10_000 && unit < units.length - 1) {
    scaled /= 1000;
    unit++;
  }
  return unit === 0 ? String(value) : `${scaled.toFixed(scaled >= 100 ? 0 : 1)}${units[unit]}`;
}

/** So many of what the noun says: `1 cell`, `2 cells`. */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

/** Text of at most `length` characters, shortened in the middle. */
export function shorten(text: string, length: number): string {
  if (text.length <= length) return text;
  // Labels differ in their last parameters rather than in their first letters.
  const tail = Math.ceil((length - 1) / 2);
  return `${text.slice(0, length - 1 - tail)}…${text.slice(-tail)}`;
}

/** A figure of a column's unit for people; `–` where there is none. */
export function formatFigure(value: number, unit: string | undefined): string {
  if (Number.isNaN(value)) return '–';
  if (unit === 'bytes') return formatBytes(Math.round(value));
  if (unit === 'ns') return formatSeconds(value);
  if (unit === 'count') return formatCount(value < 10_000 ? Number(value.toFixed(1)) : value);
  return value === 0 ? '0' : formatRatio(value);
}

/** Nanoseconds in the largest unit that leaves at least 1: `1.50 ms`. */
export function formatSeconds(ns: number): string {
  const units = ['ns', 'µs', 'ms', 's'];
  let scaled = ns;
  let unit = 0;
  while (scaled >= 1000 && unit < units.length - 1) {
    scaled /= 1000;
    unit++;
  }
  return `${unit === 0 || scaled >= 100 ? scaled.toFixed(0) : scaled.toPrecision(3)} ${units[unit]}`;
}

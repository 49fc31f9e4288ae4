import { InputError } from '../core/errors.js';

/** Values of an option that may be repeated, or undefined where it was not given. */
export function repeated(value: unknown): readonly string[] | undefined {
  if (value === undefined) return undefined;
  return (Array.isArray(value) ? value : [value]).map(String);
}

/** An option that is an integer in a range. @throws InputError if it is none. */
export function integerOption(option: string, text: string, minimum: number, maximum: number): number {
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (value >= minimum && value <= maximum) return value;
  throw new InputError(`'${text}' is not acceptable`, {
    field: `--${option}`,
    allowed: `an integer from ${minimum} to ${maximum}`,
  });
}

/** An option that may be given once, as `read` reads it. @throws InputError where it is given more often. */
export function singleOption<T>(
  args: Readonly<Record<string, unknown>>,
  option: string,
  read: (text: string) => T,
): T | undefined {
  const values = repeated(args[option]);
  if (values === undefined) return undefined;
  if (values.length > 1) throw new InputError('given more than once', { field: `--${option}` });
  return read(values[0]!);
}

/**
 * The option `--out` of a command that writes no single stream of text. Whoever means a file called `-` writes `./-`.
 * @param allowed what it is then, for the message
 * @throws InputError where it is given more often than once, or is standard output.
 */
export function outputPath(
  args: Readonly<Record<string, unknown>>,
  allowed: 'a folder' | 'a file',
): string | undefined {
  const path = singleOption(args, 'out', String);
  if (path === '-') throw new InputError('cannot go to standard output', { field: '--out', allowed });
  return path;
}

/** An option such as `2/3`: a number and how many there are. @throws InputError if it is none. */
export function shareOption(option: string, text: string): { index: number; count: number } {
  const match = /^(\d+)\/(\d+)$/.exec(text);
  const [index, count] = [Number(match?.[1]), Number(match?.[2])];
  if (index >= 1 && index <= count) return { index, count };
  throw new InputError(`'${text}' is not acceptable`, {
    field: `--${option}`,
    allowed: 'which part of how many, from 1/n to n/n',
  });
}

const UNITS_MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };
/** Longer timers end at once (Node). */
const LONGEST_MS = 2 ** 31 - 1;

/** An option that is a time such as `90s`, in milliseconds. @throws InputError if it is none. */
export function durationOption(option: string, text: string): number {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h)$/.exec(text);
  const value = match === null ? Number.NaN : Math.round(Number(match[1]) * UNITS_MS[match[2]!]!);
  if (value >= 1 && value <= LONGEST_MS) return value;
  throw new InputError(`'${text}' is not acceptable`, {
    field: `--${option}`,
    allowed: 'a time such as 500ms, 90s, 10m or 2h, at most 596h',
  });
}

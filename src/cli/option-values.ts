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

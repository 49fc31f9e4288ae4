import { type TObject, type TSchema, Type } from '@sinclair/typebox';
import { InputError, type InputPlace } from '../core/errors.js';
import { formatDuration, KIB, type Nanoseconds, parseBytes, parseDuration } from '../core/units.js';
import type { RawParameters } from './parameters.js';
import { schemaProblem } from './schema-check.js';

/** Most cells of a suite: more is a slip of the pen. */
export const MOST_CELLS = 100_000;

/** Parameters of one point of a sweep. */
export interface SweepPoint {
  readonly raw: RawParameters;
  /** For a parameter that was written as a list, the index of its item. */
  readonly items: Readonly<Record<string, number>>;
}

/** A sweep spread out: every combination of the values given. */
export interface Sweep {
  /** Names of the parameters with several values, in the order in which they were written. */
  readonly swept: readonly string[];
  /** The last of them varies fastest. */
  readonly points: readonly SweepPoint[];
}

/**
 * Spreads out parameters that are given as lists (where their schema wants a single value; a list of lists where it
 * wants a list) or as ranges `{from, to, step}` and `{from, to, times}`, both ends included. Values are not checked
 * here, nor names.
 * @throws InputError for an empty list, a bad range, or more than MOST_CELLS combinations.
 */
export function spreadOut(
  schema: TObject,
  raw: RawParameters,
  place: (parameter: string) => InputPlace,
): Sweep {
  const axes = Object.entries(raw)
    .map(([name, value]) => readAxis(name, value, schema.properties[name], { field: name, ...place(name) }))
    .filter((axis) => axis !== undefined);
  refuseTooMany(
    axes.reduce((product, { values }) => product * values.length, 1),
    place(''),
  );
  let points: SweepPoint[] = [{ raw, items: {} }];
  for (const axis of axes) points = points.flatMap((point) => vary(point, axis));
  return { swept: axes.map(({ name }) => name), points };
}

/** @throws InputError with the number of cells when there are more than MOST_CELLS. */
export function refuseTooMany(cells: number, place: InputPlace = {}): void {
  if (cells <= MOST_CELLS) return;
  throw new InputError(`${cells} cells`, { ...place, allowed: `at most ${MOST_CELLS}` });
}

interface Axis {
  readonly name: string;
  readonly values: readonly unknown[];
  readonly isList: boolean;
}

function vary(point: SweepPoint, { name, values, isList }: Axis): SweepPoint[] {
  return values.map((value, index) => ({
    raw: { ...point.raw, [name]: value },
    items: isList ? { ...point.items, [name]: index } : point.items,
  }));
}

function readAxis(
  name: string,
  value: unknown,
  schema: TSchema | undefined,
  place: InputPlace,
): Axis | undefined {
  if (Array.isArray(value)) {
    const isValue = schema?.type === 'array' && !(value.length > 0 && value.every(Array.isArray));
    if (isValue) return undefined;
    if (value.length === 0)
      throw new InputError('an empty list', { ...place, allowed: 'values to run with' });
    return { name, values: value, isList: true };
  }
  // An unknown parameter is refused as such, whatever its value.
  if (typeof value !== 'object' || value === null || schema === undefined) return undefined;
  return { name, values: rangeValues(value, schema, place), isList: false };
}

const end = Type.Union([Type.Number(), Type.String()]);
const RANGE_SCHEMA = Type.Object(
  {
    from: end,
    to: end,
    step: Type.Optional(end),
    times: Type.Optional(Type.Number({ exclusiveMinimum: 1 })),
  },
  { additionalProperties: false },
);

const RANGE_NOTATION =
  '{from: 1, to: 8}, {from: 1, to: 8, step: 0.5} or {from: 4KiB, to: 64KiB, times: 2}, upwards';

/** The values of a range. Those of a length are written with KiB where that is exact. */
function rangeValues(value: object, schema: TSchema, place: InputPlace): unknown[] {
  const problem = schemaProblem(RANGE_SCHEMA, value);
  if (problem !== undefined) {
    const part = [place.field, ...problem.path].join('.');
    throw new InputError(`${part === place.field ? '' : `${part}: `}${problem.text}`, {
      ...place,
      allowed: `a value, a list, or a range such as ${RANGE_NOTATION}`,
    });
  }
  const isLength = schema.format === 'bytes';
  const isDuration = schema.format === 'duration';
  const { from, to, step, times } = value as Record<string, string | number | undefined>;
  const number = (text: string | number): number => {
    if (isLength) return parseBytes(text, place);
    return isDuration ? parseDuration(text, place) : Number(text);
  };
  const [first, last, distance] = [number(from!), number(to!), number(step ?? 1)];
  const isStepped = times === undefined;
  // From one length to another by single bytes is not meant, nor by nanoseconds.
  const isClear = isStepped
    ? distance > 0 && !((isLength || isDuration) && step === undefined)
    : first > 0 && step === undefined;
  if (!(first <= last && isClear)) throw new InputError('no range', { ...place, allowed: RANGE_NOTATION });
  const numbers = isStepped
    ? arithmetic(first, last, distance, place)
    : geometric(first, last, Number(times));
  if (isDuration) return numbers.map(durationText);
  return isLength ? numbers.map(lengthText) : numbers;
}

function arithmetic(first: number, last: number, distance: number, place: InputPlace): number[] {
  const length = Math.floor((last - first) / distance) + 1;
  refuseTooMany(length, place);
  return Array.from({ length }, (_, index) => first + index * distance);
}

function geometric(first: number, last: number, factor: number): number[] {
  const numbers: number[] = [];
  for (let value = first; value <= last && numbers.length <= MOST_CELLS; value *= factor) numbers.push(value);
  return numbers;
}

function durationText(duration: Nanoseconds): string | number {
  return Number.isInteger(duration) ? formatDuration(duration) : duration;
}

function lengthText(bytes: number): string | number {
  return bytes > 0 && bytes % KIB === 0 ? `${bytes / KIB}KiB` : bytes;
}

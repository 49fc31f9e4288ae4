import { logAverage as geometricMean } from 'simple-statistics';
import { median } from '../../harness/statistics.js';
import { signedRank } from './signed-rank.js';

/** How a figure has changed. */
export interface Change {
  /** Figures of each side: the value itself, or the median of several. */
  readonly old: number;
  readonly new: number;
  /** Estimated change over the old value: 0.02 is 2 % more; infinite where something has come out of nothing. */
  readonly relative: number;
  /** Estimated change in the metric's unit. */
  readonly absolute: number;
  /** 95 % interval of the change; undefined where there is none. */
  readonly interval?: ChangeInterval | undefined;
  /** Chance of as much of a shift where there is none; undefined where nothing was tested. */
  readonly p?: number | undefined;
}

/** An interval of the relative or of the absolute change. */
export interface ChangeInterval {
  readonly of: 'relative' | 'absolute';
  readonly low: number;
  readonly high: number;
}

/**
 * Change of one exact figure, or of a figure over several seeds, each of which makes a pair. Where all values are above 0 the
 * pairs are taken as ratios, so that a seed with a greater load weighs no more than another; otherwise as differences.
 * @param olds finite, at least one.
 * @param news as many.
 */
export function pairedChange(olds: readonly number[], news: readonly number[]): Change {
  const [old, new_] = [medianOf(olds), medianOf(news)];
  if (isOneObservation(olds, news) || olds.every((value, index) => value === news[index])) {
    return { old, new: new_, relative: relativeChange(old, new_), absolute: new_ - old };
  }
  const differences = signedRank(news.map((value, index) => value - olds[index]!));
  const absolute = differences.shift;
  if (![...olds, ...news].every((value) => value > 0)) {
    const relative = relativeChange(old, old + absolute);
    const interval = intervalOf('absolute', differences.interval, (bound) => bound);
    return { old, new: new_, relative, absolute, interval, p: differences.p };
  }
  const logarithms = signedRank(news.map((value, index) => Math.log(value / olds[index]!)));
  const interval = intervalOf('relative', logarithms.interval, Math.expm1);
  return { old, new: new_, relative: Math.expm1(logarithms.shift), absolute, interval, p: logarithms.p };
}

/** Whether all seeds say the same, as they do where a trace is replayed: then they are one observation. */
export function isOneObservation(olds: readonly number[], news: readonly number[]): boolean {
  return olds.every((value) => value === olds[0]) && news.every((value) => value === news[0]);
}

/** `(after − before) / before`; 0 where nothing has changed, infinite where something has come out of nothing. */
export function relativeChange(before: number, after: number): number {
  if (before === after) return 0;
  return (after - before) / Math.abs(before);
}

/** Geometric mean of the changes of rows of which both figures are above 0; undefined for fewer than two. */
export function meanChange(changes: readonly Change[]): (Change & { readonly rows: number }) | undefined {
  const usable = changes.filter(({ old, new: new_, relative }) => old > 0 && new_ > 0 && relative > -1);
  if (usable.length < 2) return undefined;
  const old = geometricMean(usable.map((change) => change.old));
  const new_ = geometricMean(usable.map((change) => change.new));
  const relative = geometricMean(usable.map((change) => 1 + change.relative)) - 1;
  return { old, new: new_, relative, absolute: new_ - old, rows: usable.length };
}

function intervalOf(
  of: ChangeInterval['of'],
  bounds: readonly [number, number] | undefined,
  scale: (bound: number) => number,
): ChangeInterval | undefined {
  return bounds === undefined ? undefined : { of, low: scale(bounds[0]), high: scale(bounds[1]) };
}

function medianOf(values: readonly number[]): number {
  return median(Float64Array.from(values).sort());
}

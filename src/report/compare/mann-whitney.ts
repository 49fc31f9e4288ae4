import { errorFunction } from 'simple-statistics';
import { MisuseError } from '../../core/errors.js';
import { median } from '../../harness/statistics.js';
import { doubledRanks, tieTerm } from './ranks.js';

/** Most samples on both sides together for which the distribution is counted out: the counts stay below 2^53. */
export const MOST_EXACT = 50;

/** Whether two samples come from one distribution. */
export interface MannWhitney {
  /** Pairs in which the first sample's value is the larger, those that are equal counting half [Mann47]. */
  readonly u: number;
  /** Chance of a U at least as far from its mean, if there is no difference. */
  readonly p: number;
  /** How p was found: counted out over all divisions of the values, or by the normal distribution. */
  readonly method: 'exact' | 'normal';
  /**
   * Vargha and Delaney's A of the second sample over the first: the chance that a value of the second is the larger,
   * equality counting half; 0.5 is no effect [Vargha00].
   */
  readonly effect: number;
  /** Hodges and Lehmann's estimate of how far the second lies above the first: median of all differences [Hodges63]. */
  readonly shift: number;
}

/**
 * Two-sided Mann-Whitney test of independent samples, ties included: exact up to 50 values together, given the ties; beyond,
 * the normal approximation with corrections for ties and continuity.
 * @throws MisuseError if a sample is empty or a value is not a finite number.
 */
export function mannWhitney(first: readonly number[], second: readonly number[]): MannWhitney {
  const values = [...first, ...second];
  if (first.length === 0 || second.length === 0 || !values.every(Number.isFinite)) {
    throw new MisuseError('samples that cannot be ranked', { first, second });
  }
  const ranks = doubledRanks(values);
  const doubledSum = ranks.slice(0, first.length).reduce((sum, rank) => sum + rank, 0);
  const pairs = first.length * second.length;
  const u = doubledSum / 2 - (first.length * (first.length + 1)) / 2;
  const isExact = values.length <= MOST_EXACT;
  return {
    u,
    p: isExact ? exactP(ranks, first.length, doubledSum) : normalP(u, pairs, values),
    method: isExact ? 'exact' : 'normal',
    effect: (pairs - u) / pairs,
    shift: median(Float64Array.from(second.flatMap((above) => first.map((below) => above - below))).sort()),
  };
}

/** Share of all choices of `chosen` ranks whose sum is at least as far from the mean as this one. */
function exactP(ranks: readonly number[], chosen: number, doubledSum: number): number {
  const mean = chosen * (ranks.length + 1);
  const counts = sumsOfChoices(ranks, chosen);
  let [total, far] = [0, 0];
  counts.forEach((count, sum) => {
    total += count;
    if (Math.abs(sum - mean) >= Math.abs(doubledSum - mean)) far += count;
  });
  return far / total;
}

/** How many choices of `chosen` of the ranks have each sum. */
function sumsOfChoices(ranks: readonly number[], chosen: number): Float64Array {
  const most = ranks.reduce((sum, rank) => sum + rank, 0);
  const counts = Array.from({ length: chosen + 1 }, () => new Float64Array(most + 1));
  counts[0]![0] = 1;
  for (const [seen, rank] of ranks.entries()) {
    for (let size = Math.min(seen + 1, chosen); size > 0; size--) {
      const [from, to] = [counts[size - 1]!, counts[size]!];
      for (let sum = most; sum >= rank; sum--) to[sum] = to[sum]! + from[sum - rank]!;
    }
  }
  return counts[chosen]!;
}

function normalP(u: number, pairs: number, values: readonly number[]): number {
  const n = values.length;
  const variance = (pairs / 12) * (n + 1 - tieTerm(values) / (n * (n - 1)));
  return twoSidedP(Math.abs(u - pairs / 2) - 0.5, Math.sqrt(variance));
}

/** Chance of a normal deviate at least `distance` from its mean on either side; 1 where there is no spread. */
export function twoSidedP(distance: number, deviation: number): number {
  if (distance <= 0 || deviation === 0) return 1;
  return 1 - errorFunction(distance / deviation / Math.SQRT2);
}

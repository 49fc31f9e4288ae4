import { MisuseError } from '../../core/errors.js';
import { median } from '../../harness/statistics.js';
import { MOST_EXACT, twoSidedP } from './mann-whitney.js';
import { doubledRanks, tieTerm } from './ranks.js';

/** What pairs of values say about a shift between them. */
export interface SignedRank {
  /** Pairs, those without a difference included. */
  readonly pairs: number;
  /** Hodges and Lehmann's estimate: median of the means of every two differences, each with itself too [Hodges63]. */
  readonly shift: number;
  /** 95 % interval of the shift; undefined for fewer than six pairs, which cannot give one. */
  readonly interval: readonly [low: number, high: number] | undefined;
  /** Of Wilcoxon's signed-rank test, two-sided, pairs without a difference left out [Wilcoxon45]. */
  readonly p: number;
}

const ALPHA = 0.05;
/** The normal deviate that is exceeded on either side with a chance of ALPHA. */
const DEVIATE = 1.959963984540054;

/** Fewest pairs that can give a 95 % interval: all of them on one side has a chance of 2 / 2^6. */
export const FEWEST_PAIRS = 6;

/**
 * Shift of paired values by their differences: the test is exact, given the ties, up to 50 differences that are not 0,
 * the interval is that of the test turned around, exact up to 50 pairs. It takes differences to lie symmetrically about
 * the shift, and nothing more.
 * @throws MisuseError if there is no difference, or one is not a finite number.
 */
export function signedRank(differences: readonly number[]): SignedRank {
  if (differences.length === 0 || !differences.every(Number.isFinite)) {
    throw new MisuseError('differences that cannot be ranked', { differences });
  }
  const means = walshMeans(differences);
  const cut = cutOff(differences.length);
  return {
    pairs: differences.length,
    shift: median(means),
    interval: cut === 0 ? undefined : [means[cut - 1]!, means[means.length - cut]!],
    p: signedRankP(differences.filter((difference) => difference !== 0)),
  };
}

/** The means of every two differences, each with itself too, ascending. */
function walshMeans(differences: readonly number[]): Float64Array {
  const n = differences.length;
  const means = new Float64Array((n * (n + 1)) / 2);
  let at = 0;
  for (let one = 0; one < n; one++) {
    for (let other = one; other < n; other++) means[at++] = (differences[one]! + differences[other]!) / 2;
  }
  return means.sort();
}

/** How many means are left out on either side of the interval; 0 where it has no bounds. */
function cutOff(pairs: number): number {
  const most = (pairs * (pairs + 1)) / 2;
  if (pairs > MOST_EXACT) {
    const deviation = Math.sqrt((most * (2 * pairs + 1)) / 12);
    return Math.floor(most / 2 - DEVIATE * deviation);
  }
  const counts = sumsOfSubsets(Array.from({ length: pairs }, (_, index) => index + 1));
  let below = 0;
  let cut = 0;
  while ((below + counts[cut]!) / 2 ** pairs < ALPHA / 2) below += counts[cut++]!;
  return cut;
}

function signedRankP(differences: readonly number[]): number {
  const sizes = differences.map(Math.abs);
  const ranks = doubledRanks(sizes);
  const most = ranks.reduce((sum, rank) => sum + rank, 0);
  const positive = ranks.reduce((sum, rank, index) => sum + (differences[index]! > 0 ? rank : 0), 0);
  const smaller = Math.min(positive, most - positive);
  const n = differences.length;
  if (n > MOST_EXACT) {
    const variance = (n * (n + 1) * (2 * n + 1)) / 24 - tieTerm(sizes) / 48;
    return twoSidedP((most / 2 - smaller) / 2 - 0.5, Math.sqrt(variance));
  }
  const tail = sumsOfSubsets(ranks)
    .subarray(0, smaller + 1)
    .reduce((sum, count) => sum + count, 0);
  return Math.min(1, (2 * tail) / 2 ** n);
}

/** How many subsets of the ranks have each sum. */
function sumsOfSubsets(ranks: readonly number[]): Float64Array {
  const most = ranks.reduce((sum, rank) => sum + rank, 0);
  const counts = new Float64Array(most + 1);
  counts[0] = 1;
  for (const rank of ranks) {
    for (let sum = most; sum >= rank; sum--) counts[sum] = counts[sum]! + counts[sum - rank]!;
  }
  return counts;
}

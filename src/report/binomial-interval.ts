import { MisuseError } from '../core/errors.js';

/** Bounds of a probability. */
export interface BinomialInterval {
  readonly low: number;
  readonly high: number;
}

const HALVINGS = 60;

/** Terms that are so much smaller than the largest change no sum. */
const NEGLIGIBLE = 1e-20;

/**
 * The exact interval of Clopper and Pearson [Clopper34] for the probability of something that happened in `count` of
 * `trials`: whatever the probability is, the interval misses it in at most the share 1 − `level` of all experiments,
 * half of that on each side. Only sums, products and quotients, so that every engine finds the same bounds.
 * @throws MisuseError unless 0 ≤ count ≤ trials, trials ≥ 1 and 0 < level < 1.
 */
export function binomialInterval(count: number, trials: number, level: number): BinomialInterval {
  const isCount = Number.isInteger(count) && count >= 0;
  if (!(isCount && Number.isInteger(trials) && trials >= 1 && count <= trials && level > 0 && level < 1)) {
    throw new MisuseError('no interval', { count, trials, level });
  }
  const side = (1 - level) / 2;
  return {
    low: count === 0 ? 0 : 1 - solve(trials - count, trials, side),
    high: count === trials ? 1 : solve(count, trials, side),
  };
}

/**
 * The least number of trials without a single failure after which the interval lies below `probability`.
 * @throws MisuseError unless probability and level are between 0 and 1.
 */
export function trialsWithoutFailure(probability: number, level: number): number {
  if (!(probability > 0 && probability < 1 && level > 0 && level < 1)) {
    throw new MisuseError('no number of trials', { probability, level });
  }
  const side = (1 - level) / 2;
  let trials = 0;
  for (let chance = 1; chance > side; chance *= 1 - probability) trials++;
  return trials;
}

/** The probability at which at most `count` of `trials` happen with the chance `tail`. */
function solve(count: number, trials: number, tail: number): number {
  let low = 0;
  let high = 1;
  for (let halving = 0; halving < HALVINGS; halving++) {
    const middle = (low + high) / 2;
    if (chanceOfAtMost(count, trials, middle) > tail) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

/**
 * The chance that at most `count` of `trials` happen: terms of the binomial distribution relative to its largest, each
 * from its neighbour, so that none underflows before it is negligible.
 */
function chanceOfAtMost(count: number, trials: number, probability: number): number {
  const odds = probability / (1 - probability);
  const mode = Math.min(trials, Math.floor((trials + 1) * probability));
  let below = mode <= count ? 1 : 0;
  let all = 1;
  let term = 1;
  for (let k = mode; k < trials && term > NEGLIGIBLE; k++) {
    term *= ((trials - k) / (k + 1)) * odds;
    all += term;
    if (k + 1 <= count) below += term;
  }
  term = 1;
  for (let k = mode; k > 0 && term > NEGLIGIBLE; k--) {
    term *= k / ((trials - k + 1) * odds);
    all += term;
    if (k - 1 <= count) below += term;
  }
  return below / all;
}

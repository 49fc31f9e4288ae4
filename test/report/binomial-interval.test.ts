import { describe, expect, it } from 'vitest';
import { binomialInterval, trialsWithoutFailure } from '../../src/report/binomial-interval.js';

describe('the interval of Clopper and Pearson', () => {
  // Quantiles of beta distributions, computed with scipy 1.17.
  it.each([
    [0, 10, 0.95, 0, 0.30849710781876077],
    [10, 10, 0.95, 0.6915028921812392, 1],
    [3, 20, 0.95, 0.032070937185463715, 0.37892682654531396],
    [975, 4000, 0.95, 0.23051074411617176, 0.25736455365201116],
    [1, 100_000, 0.99, 5.0125416979164106e-8, 7.429890621390486e-5],
  ])('%i of %i at %f', (count, trials, level, low, high) => {
    const interval = binomialInterval(count, trials, level);
    expect(interval.low).toBeCloseTo(low, 10);
    expect(interval.high).toBeCloseTo(high, 10);
  });

  it('covers: of all outcomes, those whose interval misses the truth have less than a chance of 5 %', () => {
    for (const truth of [0.01, 0.3, 0.77]) {
      const trials = 40;
      let chance = (1 - truth) ** trials;
      let missed = 0;
      for (let count = 0; count <= trials; count++) {
        const { low, high } = binomialInterval(count, trials, 0.95);
        if (truth < low || truth > high) missed += chance;
        chance *= ((trials - count) / (count + 1)) * (truth / (1 - truth));
      }
      expect(missed).toBeLessThan(0.05);
    }
  });

  it('tells how many runs without failure a bound takes', () => {
    const runs = trialsWithoutFailure(0.001, 0.95);
    expect(runs).toBe(3688);
    expect(binomialInterval(0, runs, 0.95).high).toBeLessThan(0.001);
    expect(binomialInterval(0, runs - 1, 0.95).high).toBeGreaterThan(0.001);
  });

  it.each([
    [-1, 10, 0.95],
    [11, 10, 0.95],
    [0, 0, 0.95],
    [1, 10, 1],
    [0.5, 10, 0.95],
  ])('refuses %f of %f at %f', (count, trials, level) => {
    expect(() => binomialInterval(count, trials, level)).toThrow('no interval');
  });

  it('refuses a bound that no number of runs reaches', () => {
    expect(() => trialsWithoutFailure(0, 0.95)).toThrow('no number of trials');
  });
});

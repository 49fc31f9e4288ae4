import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RandomStream } from '../../../src/core/random.js';
import { holm } from '../../../src/report/compare/holm.js';
import { mannWhitney, twoSidedP } from '../../../src/report/compare/mann-whitney.js';
import { medianRatio } from '../../../src/report/compare/median-ratio.js';
import { doubledRanks, tieTerm } from '../../../src/report/compare/ranks.js';
import { signedRank } from '../../../src/report/compare/signed-rank.js';

/** Few different values, so that ties abound. */
const sample = (most: number) => fc.array(fc.integer({ min: -4, max: 4 }), { minLength: 1, maxLength: most });

/** Every way to choose so many of a list, by index. */
function choices(length: number, chosen: number): number[][] {
  if (chosen === 0) return [[]];
  if (length < chosen) return [];
  const last = length - 1;
  return [...choices(last, chosen), ...choices(last, chosen - 1).map((rest) => [...rest, last])];
}

function pairsWon(first: readonly number[], second: readonly number[]): number {
  return first
    .flatMap((one) => second.map((other) => (one > other ? 1 : one === other ? 0.5 : 0)))
    .reduce<number>((sum, won) => sum + won, 0);
}

function middle(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return (sorted[(sorted.length - 1) >> 1]! + sorted[sorted.length >> 1]!) / 2;
}

/** Two samples without ties whose U is the given one. */
function samplesOf(n: number, u: number): [number[], number[]] {
  const first = Array.from({ length: n }, (_, index) => {
    const won = Math.min(n, Math.max(0, u - n * (n - 1 - index)));
    return won + (index + 1) / 100;
  });
  return [first, Array.from({ length: n }, (_, index) => index + 0.5)];
}

describe('ranks', () => {
  it('are shared by equal values', () => {
    expect(doubledRanks([5, 1, 5, 3])).toEqual([7, 2, 7, 4]);
    expect(tieTerm([2, 1, 2, 2, 1])).toBe(24 + 6);
    expect(doubledRanks([])).toEqual([]);
  });
});

describe('the Mann-Whitney test', () => {
  it('agrees with the worked example of R (?wilcox.test): permeability, Hollander and Wolfe 1973, p. 69', () => {
    const term = [0.8, 0.83, 1.89, 1.04, 1.45, 1.38, 1.91, 1.64, 0.73, 1.46];
    const early = [1.15, 0.88, 0.9, 0.74, 1.21];
    const { u, p, method, shift } = mannWhitney(term, early);
    expect({ u, method }).toEqual({ u: 35, method: 'exact' });
    // R prints the one-sided p = 0.1272; two-sided it is 764 of 3003 divisions.
    expect(p).toBeCloseTo(764 / 3003, 12);
    expect(shift).toBeCloseTo(-0.305, 12);
  });

  it('agrees with the worked example of SciPy (scipy.stats.mannwhitneyu): U = 17, p = 0.1111', () => {
    const { u, p, effect } = mannWhitney([19, 22, 16, 29, 24], [20, 11, 17, 12]);
    expect(u).toBe(17);
    expect(p).toBeCloseTo(0.1111111111111111, 14);
    expect(effect).toBeCloseTo(1 - 17 / 20, 14);
  });

  it.each([
    [4, 0],
    [5, 2],
    [6, 5],
    [8, 13],
    [10, 23],
    [15, 64],
    [20, 127],
  ])('has the critical value of the published tables (two-sided 5 %%): n = %i, U = %i', (n, critical) => {
    const at = (u: number) => mannWhitney(...samplesOf(n, u));
    expect([at(critical).u, at(critical + 1).u]).toEqual([critical, critical + 1]);
    expect(at(critical).p).toBeLessThanOrEqual(0.05);
    expect(at(critical + 1).p).toBeGreaterThan(0.05);
  });

  it('agrees with SciPy 1.17.1 on ties (permutation_test over all divisions)', () => {
    expect(mannWhitney([1, 2, 2, 3, 5, 5, 8], [2, 4, 5, 5, 9, 10]).p).toBeCloseTo(0.20745920745920746, 12);
  });

  it('agrees with SciPy 1.17.1 beyond 50 values, with ties (method asymptotic)', () => {
    const first = Array.from({ length: 30 }, (_, index) => (index * 7) % 23);
    const second = Array.from({ length: 28 }, (_, index) => ((index * 5) % 29) + 2);
    const { u, p, method } = mannWhitney(first, second);
    expect({ u, method }).toEqual({ u: 289.5, method: 'normal' });
    expect(p).toBeCloseTo(0.042958084779796804, 6);
  });

  it('counts every division of the values', () => {
    fc.assert(
      fc.property(sample(5), sample(5), (first, second) => {
        const values = [...first, ...second];
        const mean = (first.length * second.length) / 2;
        const distance = (chosen: readonly number[]) => {
          const rest = values.filter((_, index) => !chosen.includes(index));
          return Math.abs(
            pairsWon(
              chosen.map((index) => values[index]!),
              rest,
            ) - mean,
          );
        };
        const all = choices(values.length, first.length).map(distance);
        const observed = Math.abs(pairsWon(first, second) - mean);
        const { u, p, effect, shift } = mannWhitney(first, second);
        expect(u).toBe(pairsWon(first, second));
        expect(p).toBeCloseTo(all.filter((one) => one >= observed).length / all.length, 12);
        expect(effect).toBeCloseTo(pairsWon(second, first) / (first.length * second.length), 12);
        expect(shift).toBe(middle(second.flatMap((above) => first.map((below) => above - below))) + 0);
      }),
    );
  });

  it('does not care which side is first', () => {
    fc.assert(
      fc.property(sample(30), sample(30), (first, second) => {
        const [one, other] = [mannWhitney(first, second), mannWhitney(second, first)];
        expect(other.p).toBeCloseTo(one.p, 10);
        expect(other.effect).toBeCloseTo(1 - one.effect, 10);
        expect(one.p).toBeGreaterThan(0);
        expect(one.p).toBeLessThanOrEqual(1);
      }),
    );
  });

  it('finds nothing where all values are equal, however many', () => {
    expect(mannWhitney([3, 3], [3, 3, 3])).toMatchObject({ p: 1, effect: 0.5, shift: 0 });
    const many = new Array<number>(40).fill(3);
    expect(mannWhitney(many, many)).toMatchObject({ p: 1, effect: 0.5, method: 'normal' });
    expect(twoSidedP(1.959963984540054, 1)).toBeCloseTo(0.05, 6);
  });

  it('refuses samples that have no ranks', () => {
    expect(() => mannWhitney([], [1])).toThrow('samples that cannot be ranked [first= second=1]');
    expect(() => mannWhitney([1], [Number.NaN])).toThrow('samples that cannot be ranked');
  });
});

describe('the signed-rank test', () => {
  const before = [1.83, 0.5, 1.62, 2.48, 1.68, 1.88, 1.55, 3.06, 1.3];
  const after = [0.878, 0.647, 0.598, 2.05, 1.06, 1.29, 1.06, 3.14, 1.29];
  const differences = before.map((value, index) => value - after[index]!);

  it('agrees with the worked example of R (?wilcox.test): depression, Hollander and Wolfe 1973, p. 29', () => {
    const { p, shift, interval, pairs } = signedRank(differences);
    // R prints V = 40 and the one-sided p = 0.01953.
    expect(p).toBeCloseTo(2 * 0.01953125, 12);
    expect(pairs).toBe(9);
    expect(shift).toBeCloseTo(0.46, 10);
    expect(interval![0]).toBeCloseTo(0.01, 10);
    expect(interval![1]).toBeCloseTo(0.786, 10);
  });

  it.each([
    [6, 0],
    [7, 2],
    [8, 3],
    [9, 5],
    [10, 8],
    [15, 25],
    [20, 52],
    [25, 89],
  ])('has the critical value of the published tables (two-sided 5 %%): n = %i, T = %i', (n, critical) => {
    const at = (negative: number) => {
      let rest = negative;
      const signed = Array.from({ length: n }, (_, index) => {
        const size = n - index;
        if (size > rest) return size;
        rest -= size;
        return -size;
      });
      return signedRank(signed).p;
    };
    expect(at(critical)).toBeLessThanOrEqual(0.05);
    expect(at(critical + 1)).toBeGreaterThan(0.05);
  });

  it('agrees with SciPy 1.17.1 beyond 50 differences, with ties and zeros (method asymptotic)', () => {
    const many = Array.from({ length: 60 }, (_, index) => ((index * 17) % 41) - 18);
    expect(signedRank(many).p).toBeCloseTo(0.280264272010185, 6);
  });

  it('counts every choice of signs', () => {
    fc.assert(
      fc.property(sample(8), (values) => {
        const left = values.filter((value) => value !== 0);
        const ranks = doubledRanks(left.map(Math.abs));
        const total = ranks.reduce((sum, rank) => sum + rank, 0);
        const distance = (isPositive: (index: number) => boolean) =>
          Math.abs(2 * ranks.reduce((sum, rank, index) => sum + (isPositive(index) ? rank : 0), 0) - total);
        const observed = distance((index) => left[index]! > 0);
        const all = Array.from({ length: 2 ** left.length }, (_, signs) =>
          distance((index) => (signs & (1 << index)) !== 0),
        );
        expect(signedRank(values).p).toBeCloseTo(
          all.filter((one) => one >= observed).length / all.length,
          12,
        );
      }),
    );
  });

  it('has an interval that holds the shifts which the test does not refuse', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.integer({ min: -1000, max: 1000 }), { minLength: 6, maxLength: 12 }),
        fc.integer({ min: -1000, max: 1000 }),
        (values, shift) => {
          // Irrational spread: no two means are equal, none equals the shift.
          const spread = values.map((value) => value + Math.sqrt(2) * value ** 2);
          const [low, high] = signedRank(spread).interval!;
          const { p } = signedRank(spread.map((value) => value - shift - 0.5));
          expect(p > 0.05).toBe(low < shift + 0.5 && shift + 0.5 < high);
        },
      ),
    );
  });

  it('has no interval for fewer than six pairs, and the outermost values for six', () => {
    expect(signedRank([1, 2, 3, 4, 5])).toMatchObject({ pairs: 5, interval: undefined, p: 2 / 32 });
    expect(signedRank([1, 2, 3, 4, 5, 7])).toMatchObject({ interval: [1, 7], p: 2 / 64 });
  });

  it('has an interval of nearly the same share for 50 pairs, counted out, and for 51', () => {
    const width = (pairs: number) => {
      const [low, high] = signedRank(Array.from({ length: pairs }, (_, index) => index / pairs)).interval!;
      return high - low;
    };
    expect(width(51) / width(50)).toBeCloseTo(Math.sqrt(50 / 51), 1);
  });

  it('finds nothing where nothing differs', () => {
    expect(signedRank([0, 0])).toEqual({ pairs: 2, shift: 0, interval: undefined, p: 1 });
    expect(() => signedRank([])).toThrow('differences that cannot be ranked');
    expect(() => signedRank([Number.POSITIVE_INFINITY])).toThrow('differences that cannot be ranked');
  });
});

describe('Holm’s correction', () => {
  it('agrees with p.adjust of R on the example of the textbooks', () => {
    const corrected = holm([0.01, 0.04, 0.03, 0.005]);
    for (const [index, value] of [0.03, 0.06, 0.06, 0.02].entries()) {
      expect(corrected[index]).toBeCloseTo(value, 14);
    }
    expect(holm([])).toEqual([]);
    expect(holm([0.7, 0.8])).toEqual([1, 1]);
  });

  it('lies between the plain values and Bonferroni’s, in the same order', () => {
    const chances = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 1, maxLength: 20 });
    fc.assert(
      fc.property(chances, (values) => {
        const corrected = holm(values);
        for (const [index, value] of values.entries()) {
          expect(corrected[index]).toBeGreaterThanOrEqual(value);
          expect(corrected[index]).toBeLessThanOrEqual(Math.min(1, value * values.length));
          for (const [other, otherValue] of values.entries()) {
            if (otherValue > value)
              expect(corrected[other]).toBeGreaterThanOrEqual(corrected[index] as number);
          }
        }
      }),
    );
  });
});

describe('the ratio of medians', () => {
  const stream = () => new RandomStream(1, 'test');

  it('is the same each time, and lies in its interval', () => {
    const first = [
      [10, 11, 12],
      [11, 12, 13],
      [10, 10, 11],
    ];
    const second = first.map((samples) => samples.map((time) => time * 2));
    const found = medianRatio(first, second, stream());
    expect(medianRatio(first, second, stream())).toEqual(found);
    expect(found.ratio).toBe(2);
    expect(found.low).toBeLessThan(2);
    expect(found.high).toBeGreaterThan(2);
    expect(found.low).toBeGreaterThan(2 * (10 / 13));
    expect(found.high).toBeLessThan(2 * (13 / 10));
  });

  it('has no width where nothing varies', () => {
    expect(medianRatio([[4], [4]], [[5], [5]], stream())).toEqual({ ratio: 1.25, low: 1.25, high: 1.25 });
  });

  it('draws its sides apart: equal sides vary against each other', () => {
    const side = [[1, 2, 3, 4, 5, 6, 7, 8, 9]];
    const { ratio, low, high } = medianRatio(side, side, stream());
    expect(ratio).toBe(1);
    expect(high).toBeGreaterThan(1.2);
    expect(low).toBeLessThan(1 / 1.2);
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RandomStream } from '../../../src/core/random.js';
import { median } from '../../../src/harness/statistics.js';
import { bootstrapMedian, RESAMPLES, resampledMedians } from '../../../src/harness/timing/bootstrap.js';

/** The same draws, each resample written out and sorted. */
function slowMedians(processes: number[][], stream: RandomStream, count: number): number[] {
  const medians: number[] = [];
  while (medians.length < count) {
    const drawn: number[] = [];
    for (let draws = 0; draws < processes.length; draws++) {
      const from = processes[stream.below(processes.length)]!;
      for (let sample = 0; sample < from.length; sample++) drawn.push(from[stream.below(from.length)]!);
    }
    medians.push(median(drawn.sort((a, b) => a - b)));
  }
  return medians.sort((a, b) => a - b);
}

function stream(seed: number): RandomStream {
  return new RandomStream(seed, 'test');
}

describe('median', () => {
  it.each([
    [[], Number.NaN],
    [[3], 3],
    [[3, 8], 5.5],
    [[1, 3, 8], 3],
    [[1, 3, 8, 100], 5.5],
  ])('of %j is %d', (sorted, expected) => {
    expect(median(sorted)).toBe(expected);
  });
});

describe('resampledMedians', () => {
  it('agrees with resamples that are written out and sorted', () => {
    const processes = fc.array(fc.array(fc.nat(20), { minLength: 1, maxLength: 6 }), {
      minLength: 1,
      maxLength: 4,
    });
    fc.assert(
      fc.property(processes, fc.nat(), (times, seed) => {
        expect([...resampledMedians(times, stream(seed), 20)]).toEqual(slowMedians(times, stream(seed), 20));
      }),
    );
  });

  it('has the distribution that combinatorics give: of three samples, 7/27, 13/27 and 7/27', () => {
    const count = 27_000;
    const medians = resampledMedians([[10, 20, 30]], stream(1), count);
    const share = (value: number) => medians.filter((each) => each === value).length;
    // Four standard deviations of a binomial draw are below 330.
    expect(Math.abs(share(10) - 7000)).toBeLessThan(330);
    expect(Math.abs(share(20) - 13_000)).toBeLessThan(330);
    expect(Math.abs(share(30) - 7000)).toBeLessThan(330);
  });

  it('draws processes before samples: two that never vary give no mixture within a draw of one', () => {
    const medians = resampledMedians([Array(9).fill(1), Array(9).fill(3)], stream(1), 8000);
    const share = (value: number) => medians.filter((each) => each === value).length;
    expect(share(1) + share(2) + share(3)).toBe(8000);
    for (const [value, expected] of [
      [1, 2000],
      [2, 4000],
      [3, 2000],
    ] as const) {
      expect(Math.abs(share(value) - expected)).toBeLessThan(180);
    }
  });
});

describe('bootstrapMedian', () => {
  it('cuts 2.5 % of the resamples off on either side', () => {
    const processes = [
      [5, 1, 9, 7, 3],
      [2, 8, 4],
    ];
    const medians = slowMedians(processes, stream(3), RESAMPLES);
    const interval = bootstrapMedian(processes, stream(3));
    expect(interval).toEqual({ median: 4.5, low: medians[50], high: medians[1949] });
  });

  it('is the same for the same seed, and holds the median of the whole about as often as it says', () => {
    const draw = stream(7);
    let held = 0;
    const trials = 200;
    for (let trial = 0; trial < trials; trial++) {
      const samples = Array.from({ length: 41 }, () => draw.below(1_000_001));
      const interval = bootstrapMedian([samples], stream(trial));
      if (interval.low <= 500_000 && interval.high >= 500_000) held++;
      if (trial === 0) expect(bootstrapMedian([samples], stream(trial))).toEqual(interval);
    }
    expect(held / trials).toBeGreaterThan(0.9);
    expect(held / trials).toBeLessThan(0.99);
  });
});

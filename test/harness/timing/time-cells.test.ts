import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Measure } from '../../../src/harness/timing/launch.js';
import { roundOrder, type TimingSettings, timeCells } from '../../../src/harness/timing/time-cells.js';
import { timingStatistics } from '../../../src/harness/timing/timing-statistics.js';
import { measured, measureHere, toyTimedCells } from '../../support/timing.js';

const SETTINGS: TimingSettings = { seed: 1, rounds: 3, samples: 2, timeMs: 0 };

const cells = toyTimedCells();

/** Name of what a job times. */
function nameOf({ plan, metrics }: { plan: { id: string }; metrics: boolean }): string {
  return `${plan.id} ${metrics}`;
}

/** Answers every job with the times that `times` gives for the number of the call. */
function scripted(times: (call: number) => number[], log: string[] = []): Measure {
  return async (job) => {
    log.push(nameOf(job));
    const cell = cells.find((each) => nameOf(each) === nameOf(job))!;
    return measured(cell, ...times(log.length - 1));
  };
}

function control(measure: Measure, signal = new AbortController().signal) {
  return { measure, signal, onProgress: () => {} };
}

describe('the order of a round', () => {
  it('is a permutation, the same for the same seed and round', () => {
    fc.assert(
      fc.property(fc.nat(50), fc.nat(), fc.nat(100), (count, seed, round) => {
        const order = roundOrder(count, seed, round);
        expect(order).toEqual(roundOrder(count, seed, round));
        expect([...order].sort((a, b) => a - b)).toEqual(Array.from({ length: count }, (_, index) => index));
      }),
    );
  });

  it('is frozen, and another for another seed or round', () => {
    const orders = [roundOrder(8, 1, 0), roundOrder(8, 1, 1), roundOrder(8, 2, 0)].map((order) =>
      order.join(''),
    );
    expect(orders).toMatchInlineSnapshot(`
      [
        "42076135",
        "40236571",
        "27613504",
      ]
    `);
  });

  it('puts each cell at each place about as often', () => {
    const places = Array.from({ length: 4 }, () => [0, 0, 0, 0]);
    for (let round = 0; round < 4000; round++) {
      for (const [place, cell] of roundOrder(4, 9, round).entries()) places[cell]![place]!++;
    }
    // Five standard deviations of a binomial draw are below 140.
    for (const count of places.flat()) expect(Math.abs(count - 1000)).toBeLessThan(140);
  });
});

describe('timeCells', () => {
  it('measures each cell once per round, in the order of the round', async () => {
    const log: string[] = [];
    const run = await timeCells(cells, SETTINGS, control(scripted(() => [9, 5], log)));
    expect(run!.failures).toEqual([]);
    expect(run!.processes).toHaveLength(cells.length * 3);
    expect(log).toEqual(
      [0, 1, 2].flatMap((round) => roundOrder(cells.length, 1, round).map((index) => nameOf(cells[index]!))),
    );
    expect(run!.processes.slice(0, 5).map(({ round, position }) => [round, position])).toEqual([
      [0, 0],
      [0, 1],
      [0, 2],
      [0, 3],
      [1, 0],
    ]);
  });

  it('measures toys in this process: warm-up first, then as many replays as wanted', async () => {
    const run = await timeCells(cells, { ...SETTINGS, rounds: 1 }, control(measureHere));
    expect(run!.failures).toEqual([]);
    for (const { cell, measurement } of run!.processes) {
      const warm = measurement.samples.filter(({ warmUp }) => warmUp);
      expect([warm.length, measurement.samples.length]).toEqual([200, 202]);
      expect(measurement.samples[199]!.warmUp).toBe(true);
      expect(measurement.placementDigest).toBe(cell.metrics ? cell.exact.placementDigest : undefined);
      expect(measurement.wallResolutionNs).toBeGreaterThan(0);
      for (const { wallNs, cpuNs } of measurement.samples) {
        expect(Number.isInteger(wallNs) && wallNs > 0).toBe(true);
        expect(Number.isInteger(cpuNs) && cpuNs >= 0).toBe(true);
      }
    }
  });

  it('leaves a cell that failed out of later rounds and goes on with the others', async () => {
    let calls = 0;
    const measure: Measure = async (job, signal) => {
      const bad = nameOf(job) === nameOf(cells[2]!);
      if (bad) calls++;
      return bad && calls === 2 ? { end: 'failed', problem: 'gone' } : scripted(() => [9, 5])(job, signal);
    };
    const run = await timeCells(cells, SETTINGS, control(measure));
    expect(run!.failures).toEqual([{ cell: cells[2], round: 1, problem: 'gone' }]);
    expect(run!.processes.filter(({ cell }) => cell === cells[2])).toHaveLength(1);
    expect(run!.processes).toHaveLength(cells.length * 3 - 2);
  });

  it.each([
    [{ durationNs: 1 }, /^the timed replay differs from the exact one: end at 1 ns, /],
    [{ placementDigest: 'other' }, /placement other instead of 4000 ns, [0-9a-f]{16}$/],
  ])('does not accept a replay of other work: %j', async (change, problem) => {
    const measure: Measure = async (job, signal) => {
      const ended = await scripted(() => [9, 5])(job, signal);
      return ended.end === 'measured'
        ? { ...ended, measurement: { ...ended.measurement, ...change } }
        : ended;
    };
    const run = await timeCells(cells, { ...SETTINGS, rounds: 1 }, control(measure));
    expect(run!.processes).toEqual([]);
    expect(run!.failures).toHaveLength(cells.length);
    for (const failure of run!.failures) expect(failure.problem).toMatch(problem);
  });

  it('has no result when it is interrupted, by itself or by its process', async () => {
    const interrupt = new AbortController();
    const stopping: Measure = async (job, signal) => {
      interrupt.abort();
      return scripted(() => [9, 5])(job, signal);
    };
    expect(await timeCells(cells, SETTINGS, control(stopping, interrupt.signal))).toBeUndefined();
    const killed: Measure = async () => ({ end: 'interrupted' });
    expect(await timeCells(cells, SETTINGS, control(killed))).toBeUndefined();
  });

  it('tells how far it has come', async () => {
    const seen: string[] = [];
    const onProgress = (finished: number, of: number) => seen.push(`${finished}/${of}`);
    await timeCells(cells, { ...SETTINGS, rounds: 1 }, { ...control(scripted(() => [9, 5])), onProgress });
    expect(seen).toEqual(['0/4', '1/4', '2/4', '3/4', '4/4']);
  });
});

describe('timingStatistics', () => {
  it('has the median of the measured replays of all processes by each clock, in the order of the cells', async () => {
    const run = await timeCells(cells, SETTINGS, control(scripted((call) => [99, 10 + call, 20 + call])));
    const timings = timingStatistics(run!, cells, 1);
    expect(timings.map(({ cell, clock }) => `${nameOf(cell)} ${clock}`)).toEqual(
      cells.flatMap((cell) => ['cpu', 'wall'].map((clock) => `${nameOf(cell)} ${clock}`)),
    );
    const calls = [0, 1, 2].map((round) => round * 4 + roundOrder(4, 1, round).indexOf(0));
    const times = calls.flatMap((call) => [10 + call, 20 + call]).sort((a, b) => a - b);
    const expected = (times[2]! + times[3]!) / 2;
    expect(timings[0]).toMatchObject({ processes: 3, samples: 6, interval: { median: expected } });
    expect(timings[1]!.interval.median).toBe(2 * expected);
    expect(timingStatistics(run!, cells, 1)).toEqual(timings);
  });
});

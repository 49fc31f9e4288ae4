import { runCell } from '../../src/harness/cell.js';
import { planSuite } from '../../src/harness/plan.js';
import type { Measure, TimingEnd } from '../../src/harness/timing/launch.js';
import { type Measurement, measureReplays } from '../../src/harness/timing/measure.js';
import type { TimedCell } from '../../src/harness/timing/time-cells.js';
import { TOYS } from './toy.js';
import { toySuite } from './toy-suite.js';

/** Measures toys in this process. */
export const measureHere: Measure = async (job) => ({
  end: 'measured',
  measurement: measureReplays(job, TOYS),
});

/** The toy cells with and without metrics, each with its exact results. */
export function toyTimedCells(): TimedCell[] {
  return planSuite(toySuite(), TOYS, '1').cells.flatMap((plan) => {
    const exact = runCell(plan, TOYS);
    return [false, true].map((metrics) => ({ plan, exact, events: 400, metrics }));
  });
}

/** What a process would answer that found the exact results again in these times, the first of them warm-up. */
export function measured(cell: TimedCell, ...cpuNs: number[]): TimingEnd {
  const measurement: Measurement = {
    samples: cpuNs.map((time, index) => ({ warmUp: index === 0, cpuNs: time, wallNs: time * 2 })),
    cpuResolutionNs: 1000,
    wallResolutionNs: 40,
    durationNs: cell.exact.durationNs,
    placementDigest: cell.metrics ? cell.exact.placementDigest : undefined,
  };
  return { end: 'measured', measurement };
}

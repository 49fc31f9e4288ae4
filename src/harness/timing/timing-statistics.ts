import { RandomStream } from '../../core/random.js';
import { bootstrapMedian, type MedianInterval } from './bootstrap.js';
import type { ClockName } from './clocks.js';
import type { TimedCell, TimedProcess, TimingRun } from './time-cells.js';

/** What the samples of a timed cell say by one clock. */
export interface CellTiming {
  readonly cell: TimedCell;
  readonly clock: ClockName;
  /** Processes that have measured. */
  readonly processes: number;
  /** Measured replays of all of them, without warm-up. */
  readonly samples: number;
  /** Nanoseconds per replay. */
  readonly interval: MedianInterval;
}

/** Clocks in the order of the tables. */
const CLOCKS: readonly ClockName[] = ['cpu', 'wall'];

/** Statistics of each cell that has samples, in the order of `cells`, by each clock. */
export function timingStatistics(run: TimingRun, cells: readonly TimedCell[], seed: number): CellTiming[] {
  return cells.flatMap((cell) => {
    const processes = run.processes.filter((process) => process.cell === cell);
    return processes.length === 0 ? [] : CLOCKS.map((clock) => cellTiming(cell, clock, processes, seed));
  });
}

function cellTiming(
  cell: TimedCell,
  clock: ClockName,
  processes: readonly TimedProcess[],
  seed: number,
): CellTiming {
  const times = processes.map(({ measurement }) =>
    measurement.samples
      .filter(({ warmUp }) => !warmUp)
      .map(({ cpuNs, wallNs }) => (clock === 'cpu' ? cpuNs : wallNs)),
  );
  const { plan, metrics } = cell;
  const stream = new RandomStream(seed, `timing/bootstrap/${plan.id}/${metrics}/${clock}`);
  return {
    cell,
    clock,
    processes: processes.length,
    samples: times.reduce((sum, samples) => sum + samples.length, 0),
    interval: bootstrapMedian(times, stream),
  };
}

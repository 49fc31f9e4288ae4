import { RESAMPLES } from '../harness/timing/bootstrap.js';
import type { TimedCell, TimedProcess } from '../harness/timing/time-cells.js';
import type { CellTiming } from '../harness/timing/timing-statistics.js';
import { ratio } from '../probe/column.js';
import type { Column, Field } from '../probe/contract.js';
import type { TableDescription } from './data-package.js';

const CELL_COLUMNS: readonly Column[] = [
  measured('workload', 'text', 'Label of the workload.'),
  measured('backend', 'text', 'Label of the backend.'),
  measured('seed', 'count', 'Seed of the random streams of the workload.'),
  measured('metrics', 'text', 'on: recording and sampling as in the exact run; off: the bare replay.'),
];
const CELL_KEY = CELL_COLUMNS.map(({ name }) => name);

/** Every raw sample, in the order in which they were taken. */
export const timingTable: TableDescription = {
  name: 'timing',
  title: 'Every timed replay, in the order in which they were made',
  columns: [
    ...CELL_COLUMNS,
    measured('round', 'count', 'Round, from 0; every timed cell has one process in each.'),
    measured('position', 'count', 'Place of the process in its round, from 0.'),
    measured('sample', 'count', 'Number of the replay in its process, from 0.'),
    measured('warm_up', 'count', '1: made to warm the process up, and in no statistic; 0: measured.'),
    measured('cpu_ns', 'ns', 'CPU time of all threads of the process during the replay.', 'less'),
    measured('wall_ns', 'ns', 'Time that went by during the replay, other programs’ turns included.', 'less'),
    measured('events', 'count', 'Requests of the workload in the replay.'),
    measured(
      'cpu_resolution_ns',
      'ns',
      'Smallest positive difference between readings of the CPU clock in this process; empty if it stood still.',
    ),
    measured(
      'wall_resolution_ns',
      'ns',
      'Smallest positive difference between readings of the wall clock in this process.',
    ),
  ],
  key: [...CELL_KEY, 'round', 'sample'],
};

/** The statistics of each timed cell. */
export const timingSummaryTable: TableDescription = {
  name: 'timing-summary',
  title: 'One row per workload, backend, seed, metrics and clock: the median time of a replay',
  columns: [
    ...CELL_COLUMNS,
    measured('clock', 'text', 'cpu: cpu_ns of timing.csv; wall: wall_ns.'),
    measured('processes', 'count', 'Processes that measured.'),
    measured('samples', 'count', 'Measured replays of all processes.'),
    measured('median_ns', 'ns', 'Median time of a replay, over all measured ones.', 'less'),
    measured(
      'median_low_ns',
      'ns',
      `Lower bound of the 95 % percentile-bootstrap interval of the median; ${RESAMPLES} resamples of processes, then of their replays.`,
    ),
    measured('median_high_ns', 'ns', 'Upper bound of that interval.'),
    measured('relative_half_width', '1', '(median_high_ns − median_low_ns) / 2 / median_ns.', 'less'),
    measured('events', 'count', 'Requests of the workload in one replay.'),
    measured('ns_per_event', 'ns/event', 'median_ns / events.', 'less'),
    measured('events_per_second', 'events/s', 'events / median_ns × 10^9.', 'more'),
  ],
  key: [...CELL_KEY, 'clock'],
};

/** Every table that holds what was measured. */
export const TIMING_TABLES: readonly TableDescription[] = [timingTable, timingSummaryTable];

/** Rows of timing.csv for one process. */
export function timingRows({ cell, round, position, measurement }: TimedProcess): Field[][] {
  const { cpuResolutionNs, wallResolutionNs, samples } = measurement;
  return samples.map(({ warmUp, cpuNs, wallNs }, sample) => [
    ...cellFields(cell),
    round,
    position,
    sample,
    warmUp ? 1 : 0,
    cpuNs,
    wallNs,
    cell.events,
    cpuResolutionNs,
    wallResolutionNs,
  ]);
}

/** Row of timing-summary.csv. */
export function timingSummaryRow({ cell, clock, processes, samples, interval }: CellTiming): Field[] {
  const { median, low, high } = interval;
  return [
    ...cellFields(cell),
    clock,
    processes,
    samples,
    median,
    low,
    high,
    ratio((high - low) / 2, median),
    cell.events,
    ratio(median, cell.events),
    ratio(cell.events * 1e9, median),
  ];
}

function cellFields({ plan, metrics }: TimedCell): Field[] {
  return [plan.workload.label, plan.backend.label, plan.seed, metrics ? 'on' : 'off'];
}

/** A column of a measured table: labels and counts too, since such a table is never the same twice. */
function measured(
  name: string,
  unit: Column['unit'],
  description: string,
  better: Column['better'] = 'none',
): Column {
  return { name, unit, kind: 'measured', better, description };
}

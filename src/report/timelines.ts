import { median } from '../harness/statistics.js';
import type { ReportData } from './report-data.js';
import type { StoredTable } from './stored-table.js';

/** Time steps of a figure: as many as the default of sample points. */
const STEPS = 200;

/** One point: simulated seconds, and lower quartile, median and upper quartile of the samples in its step. */
export interface TimePoint {
  readonly time: number;
  readonly low: number;
  readonly middle: number;
  readonly high: number;
}

/** A backend's figures over time. */
export interface Timeline {
  readonly backend: number;
  readonly points: readonly TimePoint[];
}

/**
 * A column over time for each backend of a workload. The time of the longest run is cut into 200 steps; the samples of
 * all seeds that lie in one make a point. So there is a point per sample where there is one seed with at most so many.
 * Backends without figures are left out.
 */
export function timelines(
  data: ReportData,
  table: StoredTable,
  workload: string,
  column: string,
): Timeline[] {
  const cells = data.cellsOf(table, workload);
  const times = table.numbers('time_ns');
  const values = table.numbers(column);
  const ends = [...cells.values()].flat().map(({ to }) => times[to - 1]!);
  const stepNs = Math.max(1, ...ends) / STEPS;
  const lines: Timeline[] = [];
  for (const [backend, ranges] of cells) {
    const steps: { times: number[]; values: number[] }[] = [];
    for (const { from, to } of ranges) {
      for (let row = from; row < to; row++) {
        if (Number.isNaN(values[row]!)) continue;
        const index = Math.min(STEPS - 1, Math.max(0, Math.ceil(times[row]! / stepNs) - 1));
        steps[index] ??= { times: [], values: [] };
        steps[index].times.push(times[row]!);
        steps[index].values.push(values[row]!);
      }
    }
    const points = steps.filter((step) => step !== undefined).map(pointOf);
    if (points.length > 0) lines.push({ backend, points });
  }
  return lines;
}

function pointOf({ times, values }: { times: readonly number[]; values: number[] }): TimePoint {
  const ascending = values.sort((a, b) => a - b);
  const time = times.reduce((latest, each) => Math.max(latest, each)) / 1e9;
  const last = ascending.length - 1;
  const [low, high] = [ascending[Math.floor(last / 4)]!, ascending[Math.ceil((last * 3) / 4)]!];
  return { time, low, middle: median(ascending), high };
}

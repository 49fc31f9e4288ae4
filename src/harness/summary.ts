import { countColumn, ratio, ratioColumn } from '../probe/column.js';
import type { Aggregate, Column } from '../probe/contract.js';
import { PROBE_COLUMNS } from '../probe/registry.js';
import type { Samples } from './sampler.js';

const AGGREGATE_TEXT: Readonly<Record<Aggregate, string>> = {
  peak: 'Largest value at any sample point of',
  mean: 'Mean over the sample points, each weighing the same, of',
};

const DERIVED: readonly Column[] = [
  countColumn(
    'events',
    'none',
    'Requests of the workload: allocs, frees, failures, skipped_frees and unserved.',
  ),
  ratioColumn(
    'va_per_peak_live',
    'less',
    'va_reach_bytes / peak_live_bytes: address space needed per byte of peak load.',
  ),
  ratioColumn(
    'va_per_peak_footprint',
    'less',
    'va_reach_bytes / peak_footprint_bytes: address space needed over the lower bound that the live objects set.',
  ),
  ratioColumn(
    'held_per_peak_live',
    'less',
    'held_bytes_peak / peak_live_bytes: address space taken per byte of peak load.',
  ),
];

const AGGREGATED = PROBE_COLUMNS.flatMap((column, index) =>
  (column.aggregates ?? []).map((aggregate) => ({
    index,
    aggregate,
    column: aggregateColumn(column, aggregate),
  })),
);

/** Figures of summary.csv: every probe's at the end of the run, the aggregates over its samples, and quotients. */
export const SUMMARY_COLUMNS: readonly Column[] = [
  ...DERIVED,
  ...PROBE_COLUMNS,
  ...AGGREGATED.map(({ column }) => column),
];

/** The summary of a run in the order of SUMMARY_COLUMNS. */
export function summarise(samples: Samples): number[] {
  const last = samples.rows.at(-1)!;
  const aggregates = AGGREGATED.map(({ index, aggregate }) => {
    const values = samples.rows.map((row) => row[index]!).filter((value) => !Number.isNaN(value));
    return aggregate === 'peak' ? largest(values) : mean(values);
  });
  return [...derive(last, aggregates), ...last, ...aggregates];
}

function derive(last: readonly number[], aggregates: readonly number[]): number[] {
  const end = (name: string): number => last[PROBE_COLUMNS.findIndex((column) => column.name === name)]!;
  const peak = (name: string): number =>
    aggregates[AGGREGATED.findIndex(({ column }) => column.name === name)]!;
  const peakLive = end('peak_live_bytes');
  return [
    end('allocs') + end('frees') + end('failures') + end('skipped_frees') + end('unserved'),
    ratio(end('va_reach_bytes'), peakLive),
    ratio(end('va_reach_bytes'), end('peak_footprint_bytes')),
    ratio(peak('held_bytes_peak'), peakLive),
  ];
}

function aggregateColumn(column: Column, aggregate: Aggregate): Column {
  const description = `${AGGREGATE_TEXT[aggregate]} ${column.name}.`;
  return { ...column, name: `${column.name}_${aggregate}`, description, aggregates: [] };
}

function largest(values: readonly number[]): number {
  return values.length === 0 ? Number.NaN : values.reduce((best, value) => Math.max(best, value));
}

function mean(values: readonly number[]): number {
  return ratio(
    values.reduce((sum, value) => sum + value, 0),
    values.length,
  );
}

import type { Field } from '../../probe/contract.js';
import { csvText } from '../csv.js';
import type { Check, CompareReport } from './compare-results.js';
import type { ComparedRow } from './compared-row.js';
import type { MetricTable } from './comparison.js';

const HEAD = [
  'metric',
  'unit',
  'workload',
  'backend',
  'seeds',
  'old',
  'new',
  'relative_change',
  'absolute_change',
  'interval_of',
  'interval_low',
  'interval_high',
  'p',
  'p_holm',
  'effect',
  'old_samples',
  'new_samples',
  'differing',
  'one_sided',
];

/** A comparison as CSV: a row per metric, workload and backend; unknown and infinite figures are empty. */
export function compareCsv({ tables }: CompareReport): string {
  return csvText([HEAD, ...tables.flatMap((table) => table.rows.map((row) => csvRow(table, row)))]);
}

function csvRow({ metric }: MetricTable, row: ComparedRow): Field[] {
  const { interval, samples } = row;
  return [
    metric.name,
    metric.unit,
    row.workload,
    row.backend,
    row.seeds.join(' '),
    row.old,
    row.new,
    finite(row.relative),
    row.absolute,
    interval?.of ?? '',
    finite(interval?.low),
    finite(interval?.high),
    finite(row.p),
    finite(row.pHolm),
    finite(row.effect),
    ...samples,
    row.differing,
    row.oneSided,
  ];
}

function finite(value: number | undefined): number {
  return value !== undefined && Number.isFinite(value) ? value : Number.NaN;
}

/** A comparison as JSON text; unknown and infinite figures are null. */
export function compareJson(report: CompareReport): string {
  const { pairing, tables, differing, unshown, notes, checks, unchecked } = report;
  const sideOf = ({ results: { path, run } }: typeof pairing.old): object => ({
    folder: path,
    version: run.version,
    commit: run.commit,
  });
  const data = {
    format: 'kvabench compare 1',
    old: sideOf(pairing.old),
    new: sideOf(pairing.new),
    baseline: pairing.baseline,
    cells: pairing.pairs.length,
    differing,
    onlyOld: pairing.onlyOld.map(({ id }) => id),
    onlyNew: pairing.onlyNew.map(({ id }) => id),
    metrics: tables.map(({ metric, rows, mean }) => ({ ...metric, rows, geomean: mean })),
    unshown,
    notes,
    checks: checks.map(checkData),
    unchecked,
  };
  return `${JSON.stringify(data, null, 2)}\n`;
}

function checkData({ condition, rows }: Check): object {
  const { text, metric, of, operator, threshold } = condition;
  return { condition: text, metric: metric.name, of, operator, threshold, passed: rows.length === 0, rows };
}

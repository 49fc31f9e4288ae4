import { InputError } from '../../core/errors.js';
import { parseBytes, parseDuration } from '../../core/units.js';
import { type ComparedRow, isDifferent, LEVEL } from './compared-row.js';
import type { MetricTable } from './comparison.js';
import type { Metric } from './metrics.js';

/** The operators of conditions. */
const OPERATORS = {
  '>': (change: number, threshold: number) => change > threshold,
  '>=': (change: number, threshold: number) => change >= threshold,
  '<': (change: number, threshold: number) => change < threshold,
  '<=': (change: number, threshold: number) => change <= threshold,
} as const;

const NOTATION = /^\s*([A-Za-z_]\w*)\s*(>=|<=|>|<)\s*([+-]?)(\d+(?:\.\d+)?)\s*(%|[A-Za-z]*)\s*$/;

/** What `--fail-on` takes, for messages. */
export const CONDITION_FORM =
  'a metric, one of > >= < <=, and a change: in percent such as external_frag>2%, or in the unit of the metric such as metadata>64KiB';

/** A change that is not to be. */
export interface Condition {
  /** As the user wrote it. */
  readonly text: string;
  readonly metric: Metric;
  readonly operator: keyof typeof OPERATORS;
  readonly of: 'relative' | 'absolute';
  /** A share, or a difference in the metric's unit. */
  readonly threshold: number;
}

/**
 * Reads a condition; `metricOf` finds its metric by name or alias.
 * @throws InputError if it is none, or its unit does not fit the metric.
 */
export function parseCondition(text: string, metricOf: (name: string) => Metric): Condition {
  const match = NOTATION.exec(text);
  if (match === null) {
    throw new InputError(`'${text}' is no condition`, { field: '--fail-on', allowed: CONDITION_FORM });
  }
  const [, name, operator, sign, amount, unit] = match;
  const metric = metricOf(name!);
  const size = unit === '%' ? Number(amount) / 100 : readAmount(text, metric, amount!, unit!);
  return {
    text: text.trim(),
    metric,
    operator: operator as Condition['operator'],
    of: unit === '%' ? 'relative' : 'absolute',
    threshold: sign === '-' ? -size : size,
  };
}

/** A difference in the unit of a metric. */
function readAmount(text: string, metric: Metric, amount: string, unit: string): number {
  const place = { field: `--fail-on '${text}'` };
  if (metric.unit === 'bytes') return parseBytes(amount + unit, place);
  if (metric.unit === 'ns') return parseDuration(amount + unit, place);
  if (unit === '') return Number(amount);
  const allowed = `% or a plain number: ${metric.name} is in ${metric.unit === '1' ? 'no unit' : metric.unit}`;
  throw new InputError(`'${unit}' is no unit of it`, { ...place, allowed });
}

/**
 * The rows that a condition forbids: those whose estimated change it describes, and, of times, whose change the
 * corrected test shows too. A row whose change is unknown, for a side lacks the figure, is among them.
 * @throws InputError where there is nothing to hold it against, or too few processes for any time to break it.
 */
export function forbiddenRows(
  { text, metric, operator, of, threshold }: Condition,
  table: MetricTable,
): ComparedRow[] {
  if (table.rows.length === 0) {
    throw new InputError(`no cell has a figure for ${metric.name}`, { field: `--fail-on '${text}'` });
  }
  if (metric.timing !== undefined) refuseUndecidable(text, table.rows);
  return table.rows.filter((row) => {
    if (Number.isNaN(row[of])) return true;
    const isThere = OPERATORS[operator](row[of], threshold);
    return isThere && (metric.timing === undefined || isDifferent(row));
  });
}

/** A check that could never say no would pass for one that says yes. */
function refuseUndecidable(text: string, rows: readonly ComparedRow[]): void {
  const weak = rows.find(({ samples: [old, new_] }) => rows.length * leastP(old, new_) >= LEVEL);
  if (weak === undefined) return;
  const [old, new_] = weak.samples;
  throw new InputError(
    `${old} and ${new_} processes cannot show a difference in ${rows.length} cells at once`,
    {
      field: `--fail-on '${text}'`,
      allowed: 'results of more --timing-rounds, or of fewer cells',
    },
  );
}

/** The least p of a Mann-Whitney test: 2 of all divisions, C(old + new, old), are as extreme as can be. */
function leastP(old: number, new_: number): number {
  let divisions = 1;
  for (let place = 1; place <= old; place++) divisions *= (new_ + place) / place;
  return 2 / divisions;
}

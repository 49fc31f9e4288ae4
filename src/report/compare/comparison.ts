import type { Change } from './change.js';
import { isOneObservation, meanChange, pairedChange } from './change.js';
import type { ComparedRow } from './compared-row.js';
import { holm } from './holm.js';
import type { Metric } from './metrics.js';
import type { CellPair, Pairing, Side } from './side.js';
import { TimingComparison } from './timing-comparison.js';

/** One metric in every row that has it. */
export interface MetricTable {
  readonly metric: Metric;
  readonly rows: readonly ComparedRow[];
  /** Geometric mean of the rows whose figures are above 0; undefined where fewer than two are. */
  readonly mean: (Change & { readonly rows: number }) | undefined;
}

/**
 * Compares metrics over all pairs of cells. Seeds of one workload and backend make a row, with `eachSeed` a row each;
 * a timed row is always of one seed.
 * @throws InputError if a table is broken.
 */
export function compareMetrics(
  pairing: Pairing,
  metrics: readonly Metric[],
  eachSeed: boolean,
): MetricTable[] {
  const timing = new TimingComparison(pairing);
  return metrics.map((metric) => {
    const isSingle = eachSeed || metric.timing !== undefined;
    const groups = isSingle ? pairing.pairs.map((pair) => [pair]) : groupsOf(pairing.pairs);
    const rows = groups.flatMap((group) => {
      const row =
        metric.timing === undefined ? exactRow(metric, group, pairing) : timing.row(metric, group[0]!);
      return row === undefined ? [] : [row];
    });
    return { metric, rows: corrected(rows), mean: meanChange(rows) };
  });
}

/** Names of the metrics that differ in any pair, and how many pairs differ in any of them. */
export function differences(
  pairing: Pairing,
  metrics: readonly Metric[],
): { names: string[]; pairs: number } {
  const differing = new Set<CellPair>();
  const exact = metrics.filter(({ timing }) => timing === undefined);
  const names = exact.filter(({ name }) => {
    const [olds, news] = [figuresOf(pairing.old, name), figuresOf(pairing.new, name)];
    const found = pairing.pairs.filter((pair) => !Object.is(olds[pair.old.row], news[pair.new.row]));
    for (const pair of found) differing.add(pair);
    return found.length > 0;
  });
  return { names: names.map(({ name }) => name), pairs: differing.size };
}

function groupsOf(pairs: readonly CellPair[]): CellPair[][] {
  const groups = new Map<string, CellPair[]>();
  for (const pair of pairs) {
    const key = JSON.stringify([pair.workload, pair.backend]);
    const group = groups.get(key) ?? [];
    group.push(pair);
    groups.set(key, group);
  }
  return [...groups.values()];
}

/** @returns undefined where no cell has the figure. */
function exactRow({ name }: Metric, group: readonly CellPair[], pairing: Pairing): ComparedRow | undefined {
  const [olds, news] = [figuresOf(pairing.old, name), figuresOf(pairing.new, name)];
  const known = group.filter((pair) => !Number.isNaN(olds[pair.old.row]! + news[pair.new.row]!));
  const oneSided = group.filter(
    (pair) => Number.isNaN(olds[pair.old.row]!) !== Number.isNaN(news[pair.new.row]!),
  ).length;
  if (known.length + oneSided === 0) return undefined;
  const { workload, backend } = group[0]!;
  const seeds = group.map(({ seed }) => seed);
  const before = known.map((pair) => olds[pair.old.row]!);
  const after = known.map((pair) => news[pair.new.row]!);
  const differing = before.filter((value, index) => value !== after[index]).length + oneSided;
  const samples = known.length > 0 && isOneObservation(before, after) ? 1 : known.length;
  const change = known.length > 0 ? pairedChange(before, after) : onOneSide(group, olds, news);
  return { workload, backend, seeds, samples: [samples, samples], differing, oneSided, ...change };
}

/** No pair has the figure on both sides: whatever is there is shown, and the change is unknown. */
function onOneSide(group: readonly CellPair[], olds: Float64Array, news: Float64Array): Change {
  const of = (values: readonly number[]) => values.find((value) => !Number.isNaN(value)) ?? Number.NaN;
  const [old, new_] = [
    of(group.map((pair) => olds[pair.old.row]!)),
    of(group.map((pair) => news[pair.new.row]!)),
  ];
  return { old, new: new_, relative: Number.NaN, absolute: Number.NaN };
}

function figuresOf({ results }: Side, name: string): Float64Array {
  return results.table('summary').numbers(name);
}

function corrected(rows: readonly ComparedRow[]): ComparedRow[] {
  const tested = rows.filter(({ p }) => p !== undefined);
  const values = holm(tested.map(({ p }) => p!));
  return rows.map((row) => {
    const at = tested.indexOf(row);
    return at < 0 ? row : { ...row, pHolm: values[at]! };
  });
}

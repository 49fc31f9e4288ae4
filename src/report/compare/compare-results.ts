import { Results } from '../read-results.js';
import type { ComparedRow } from './compared-row.js';
import { compareMetrics, differences, type MetricTable } from './comparison.js';
import { type Condition, forbiddenRows, parseCondition } from './condition.js';
import { chooseMetrics, metricNamed, metricsOf } from './metrics.js';
import { failedCells, notesOf } from './notes.js';
import { cellName, keyOf, type Pairing, pairBackends, pairFolders, sideOf } from './side.js';

/** What is to be compared, and how. */
export interface CompareChoice {
  readonly folder: string;
  /** The new side: another folder, or the other backends of the same one. */
  readonly against: { readonly folder: string } | { readonly baseline: string };
  /** Names or aliases, `all` for every metric; undefined for the usual ones. */
  readonly metrics: readonly string[] | undefined;
  /** Conditions as the user wrote them. */
  readonly failOn: readonly string[];
  /** A row for each seed instead of one for all of them. */
  readonly eachSeed: boolean;
}

/** A condition and what breaks it. */
export interface Check {
  readonly condition: Condition;
  readonly rows: readonly ComparedRow[];
}

/** All that a comparison has found. */
export interface CompareReport {
  readonly pairing: Pairing;
  readonly tables: readonly MetricTable[];
  /** Pairs of cells that differ in any exact figure. */
  readonly differing: number;
  /** Exact metrics that differ somewhere and are in no table. */
  readonly unshown: readonly string[];
  readonly notes: readonly string[];
  readonly checks: readonly Check[];
  /** Cells that the checks could not be made for, since they have failed on the new side. */
  readonly unchecked: readonly string[];
}

/** Compares two folders of results, or the backends within one. @throws InputError for bad input or choices. */
export function compareResults(choice: CompareChoice): CompareReport {
  const pairing = pairUp(choice);
  const { old, new: new_ } = pairing;
  const news = metricsOf(new_);
  const both = metricsOf(old).filter(({ name }) => news.some((metric) => metric.name === name));
  const conditions = choice.failOn.map((text) =>
    parseCondition(text, (name) => metricNamed(name, both, `--fail-on '${text}'`, old, new_)),
  );
  const asked = [...chooseMetrics(choice.metrics, old, new_), ...conditions.map(({ metric }) => metric)];
  const metrics = [...new Map(asked.map((metric) => [metric.name, metric])).values()];
  const tables = compareMetrics(pairing, metrics, choice.eachSeed);
  const { names, pairs } = differences(pairing, both);
  return {
    pairing,
    tables,
    differing: pairs,
    unshown: names.filter((name) => !metrics.some((metric) => metric.name === name)),
    notes: notesOf(pairing, tables),
    checks: conditions.map((condition) => checkOf(condition, tables)),
    unchecked: conditions.length === 0 ? [] : uncheckedCells(pairing),
  };
}

/** Whether any check says no. */
export function hasRegressed({ checks, unchecked }: CompareReport): boolean {
  return unchecked.length > 0 || checks.some(({ rows }) => rows.length > 0);
}

function pairUp({ folder, against }: CompareChoice): Pairing {
  const old = sideOf(Results.open(folder));
  if ('baseline' in against) return pairBackends(old, against.baseline);
  return pairFolders(old, sideOf(Results.open(against.folder)));
}

function checkOf(condition: Condition, tables: readonly MetricTable[]): Check {
  const table = tables.find(({ metric }) => metric.name === condition.metric.name)!;
  return { condition, rows: forbiddenRows(condition, table) };
}

/** Failed cells whose partner has a result: one that has died must not pass for one that has kept its figures. */
function uncheckedCells(pairing: Pairing): string[] {
  const olds = new Set(pairing.old.cells.map(keyOf));
  const { baseline } = pairing;
  return failedCells(pairing)
    .filter(({ side, cell }) => {
      const partner = baseline === undefined ? cell : { ...cell, backend: baseline };
      return side === pairing.new && olds.has(keyOf(partner));
    })
    .map(({ cell }) => cellName(cell));
}

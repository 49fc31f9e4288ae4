import { InputError } from '../core/errors.js';
import { unknownName } from '../core/suggest.js';
import { type BinomialInterval, binomialInterval } from './binomial-interval.js';
import type { Results } from './read-results.js';
import type { StoredTable } from './stored-table.js';

/** Which runs have failed: those where a column of a table of results is not 0. */
export interface RiskQuestion {
  /** Name of the table without `.csv`. */
  readonly table: string;
  /** Column that counts failures; of the same table, `requests` says of how many. */
  readonly column: string;
  /** Of the interval, between 0 and 1. */
  readonly level: number;
}

/** How often runs of one workload on one backend fail, over the seeds. */
export interface Risk {
  readonly workload: string;
  readonly backend: string;
  /** '' where the table has no classes. */
  readonly cls: string;
  readonly runs: number;
  readonly failedRuns: number;
  /** Of the probability that a run fails. */
  readonly interval: BinomialInterval;
  /** Over all runs. */
  readonly requests: number;
  readonly failures: number;
}

/** What a row of the table says of a run. */
interface Row {
  readonly workload: string;
  readonly backend: string;
  readonly cls: string;
  readonly seed: number;
  readonly requests: number;
  readonly failures: number;
}

interface Count {
  runs: number;
  failedRuns: number;
  requests: number;
  failures: number;
}

/**
 * Counts the runs of folders of results that have failed, in the order in which workloads, backends and classes first
 * stand there.
 * @throws InputError for a folder without the table, a table that is broken or without the column, or a seed that is
 * there twice.
 */
export function failureRisk(folders: readonly Results[], question: RiskQuestion): Risk[] {
  const counts = new Map<string, Count>();
  const seen = new Set<string>();
  for (const results of folders) {
    const table = tableOf(results, question.table);
    for (const row of rowsOf(table, question.column)) {
      const { workload, backend, cls, seed } = row;
      const key = JSON.stringify([workload, backend, cls]);
      const run = `${key} ${seed}`;
      if (seen.has(run)) {
        const problem = `seed ${seed} of '${workload}' on '${backend}' a second time`;
        throw new InputError(problem, { file: table.path });
      }
      seen.add(run);
      count(counts, key, row);
    }
  }
  return [...counts].map(([key, { runs, failedRuns, requests, failures }]) => {
    const [workload, backend, cls] = JSON.parse(key) as [string, string, string];
    const interval = binomialInterval(failedRuns, runs, question.level);
    return { workload, backend, cls, runs, failedRuns, interval, requests, failures };
  });
}

function count(counts: Map<string, Count>, key: string, { requests, failures }: Row): void {
  const total = counts.get(key) ?? { runs: 0, failedRuns: 0, requests: 0, failures: 0 };
  total.runs++;
  if (failures > 0) total.failedRuns++;
  total.requests += requests;
  total.failures += failures;
  counts.set(key, total);
}

function tableOf(results: Results, name: string): StoredTable {
  if (results.has(name)) return results.table(name);
  throw unknownName('table', name, results.tableNames, { file: results.path });
}

/** @throws InputError unless the table has rows, and the column, with a count in each. */
function rowsOf(table: StoredTable, column: string): Row[] {
  const failures = countsOf(table, column);
  const [workloads, backends, seeds] = [
    table.texts('workload'),
    table.texts('backend'),
    table.numbers('seed'),
  ];
  const classes = table.field('class') !== undefined ? table.texts('class') : undefined;
  const requests = table.field('requests') !== undefined ? table.numbers('requests') : undefined;
  return Array.from(failures, (value, row) => ({
    workload: workloads[row]!,
    backend: backends[row]!,
    cls: classes?.[row] ?? '',
    seed: seeds[row]!,
    requests: requests?.[row] ?? 0,
    failures: value,
  }));
}

function countsOf(table: StoredTable, column: string): Float64Array {
  const { path: file, rows } = table;
  const names = table.fields.map(({ name }) => name);
  const absent = ['workload', 'backend', 'seed', column].find((name) => !names.includes(name));
  if (absent !== undefined) throw unknownName('column', absent, names, { file });
  if (rows === 0) throw new InputError('a table without rows', { file });
  if (table.field(column)!.type === 'string') {
    throw new InputError('the column holds text', { file, field: column, allowed: 'a column of counts' });
  }
  const counts = table.numbers(column);
  const odd = counts.findIndex((value) => !Number.isSafeInteger(value) || value < 0);
  if (odd < 0) return counts;
  const found = Number.isNaN(counts[odd]) ? 'an empty field' : `'${counts[odd]}'`;
  throw new InputError(found, { file, line: odd + 2, field: column, allowed: 'a count' });
}

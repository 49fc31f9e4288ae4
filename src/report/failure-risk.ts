import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'csv-parse/sync';
import { InputError } from '../core/errors.js';
import { attemptIo } from '../core/files.js';
import { unknownName } from '../core/suggest.js';
import { type BinomialInterval, binomialInterval } from './binomial-interval.js';

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

type Row = Readonly<Record<string, string>>;

interface Count {
  runs: number;
  failedRuns: number;
  requests: number;
  failures: number;
}

/**
 * Counts the runs of folders of results that have failed, in the order in which workloads, backends and classes first
 * stand there.
 * @throws InputError for a folder without the table, a table without the column, or a seed that is there twice.
 */
export function failureRisk(folders: readonly string[], question: RiskQuestion): Risk[] {
  const counts = new Map<string, Count>();
  const seen = new Set<string>();
  for (const folder of folders) {
    const file = join(folder, `${question.table}.csv`);
    for (const row of readRows(file, question.column)) {
      const key = JSON.stringify([row.workload, row.backend, row.class ?? '']);
      const run = `${key} ${row.seed}`;
      if (seen.has(run)) {
        throw new InputError(`seed ${row.seed} of '${row.workload}' on '${row.backend}' a second time`, {
          file,
        });
      }
      seen.add(run);
      count(counts, key, row, question.column);
    }
  }
  return [...counts].map(([key, { runs, failedRuns, requests, failures }]) => {
    const [workload, backend, cls] = JSON.parse(key) as [string, string, string];
    const interval = binomialInterval(failedRuns, runs, question.level);
    return { workload, backend, cls, runs, failedRuns, interval, requests, failures };
  });
}

function count(counts: Map<string, Count>, key: string, row: Row, column: string): void {
  const total = counts.get(key) ?? { runs: 0, failedRuns: 0, requests: 0, failures: 0 };
  const failures = Number(row[column]);
  total.runs++;
  if (failures > 0) total.failedRuns++;
  total.requests += Number(row.requests ?? 0);
  total.failures += failures;
  counts.set(key, total);
}

/** @throws InputError unless the file is a table with the column. */
function readRows(file: string, column: string): Row[] {
  const text = attemptIo('cannot read the table', file, () => readFileSync(file, 'utf8'));
  const rows: Row[] = attemptIo('not a table', file, () => parse(text, { columns: true }));
  if (rows.length === 0) throw new InputError('a table without rows', { file });
  const names = Object.keys(rows[0]!);
  for (const name of ['workload', 'backend', 'seed', column]) {
    if (names.includes(name)) continue;
    throw unknownName('column', name, names, { file });
  }
  const odd = rows.findIndex((row) => !/^\d+$/.test(row[column]!));
  if (odd < 0) return rows;
  const place = { file, line: odd + 2, field: column, allowed: 'a count' };
  throw new InputError(`'${rows[odd]![column]}'`, place);
}

import { setMaxListeners } from 'node:events';
import { setImmediate } from 'node:timers/promises';
import { Tinypool } from 'tinypool';
import { InputError } from '../core/errors.js';
import { attemptCell, type CellAnswer, type CellFailure, failureOf } from './attempt-cell.js';
import type { CellResult } from './cell.js';
import type { CellPlan } from './plan.js';
import type { Registries } from './registries.js';

/** How cells are run. */
export interface MatrixOptions {
  /** Worker threads; 0 runs the cells in this thread, one after the other. */
  readonly workers: number;
  /** Milliseconds after which a cell's thread is ended and the cell has failed; undefined for no limit. */
  readonly timeLimitMs?: number | undefined;
  /** Stops the run between cells, and threads at once. */
  readonly signal: AbortSignal;
  /** Registries of this thread; worker threads have those that the program ships. */
  readonly registries: Registries;
  /** Called in this thread as each cell ends, in any order. What it throws stops the run. */
  onResult(result: CellResult): void;
  /** Called in this thread for each cell that has no result. */
  onFailure(cell: CellPlan, failure: CellFailure): void;
}

/** Whether worker threads can be started: they need the compiled program, which tests from the sources are not. */
export const WORKERS_AVAILABLE = import.meta.url.endsWith('.js');

/** How many of the worker threads asked for there can be. @throws InputError for a time limit without any. */
export function usableWorkers(asked: number, timeLimitMs: number | undefined): number {
  const workers = WORKERS_AVAILABLE ? asked : 0;
  if (workers > 0 || timeLimitMs === undefined) return workers;
  throw new InputError('only worker threads can be stopped at a time limit', {
    field: '--time-limit',
    allowed: 'with --workers of at least 1',
  });
}

/**
 * Runs cells. Results do not depend on the number of workers, for cells share nothing; one that fails leaves the
 * others alone.
 * @throws InputError for a time limit without worker threads, and whatever `onResult` throws.
 */
export async function runMatrix(cells: readonly CellPlan[], options: MatrixOptions): Promise<void> {
  const threads = Math.min(usableWorkers(options.workers, options.timeLimitMs), cells.length);
  if (threads === 0) await runHere(cells, options);
  else await runInThreads(cells, threads, options);
}

async function runHere(cells: readonly CellPlan[], options: MatrixOptions): Promise<void> {
  for (const cell of cells) {
    // Lets signals in, which are otherwise not seen while this thread computes.
    await setImmediate();
    if (options.signal.aborted) return;
    report(cell, attemptCell(cell, options.registries), options);
  }
}

async function runInThreads(
  cells: readonly CellPlan[],
  threads: number,
  options: MatrixOptions,
): Promise<void> {
  const filename = new URL('./cell-worker.js', import.meta.url).href;
  const pool = new Tinypool({
    filename,
    runtime: 'worker_threads',
    minThreads: threads,
    maxThreads: threads,
  });
  const { signal } = options;
  // Each running cell listens for the interruption.
  setMaxListeners(threads + 1, signal);
  const waiting = cells.values();
  // A cell enters the pool when a thread is free for it: from there its time counts.
  const serve = async (): Promise<void> => {
    for (const cell of waiting) {
      if (signal.aborted) return;
      report(cell, await runInPool(pool, cell, options), options);
    }
  };
  try {
    await Promise.all(Array.from({ length: threads }, serve));
  } catch (error) {
    // An interrupted pool rejects what it has not finished; the caller knows by the results that are missing.
    if (!signal.aborted) throw error;
  } finally {
    await pool.destroy();
  }
}

/** Aborting a task ends its thread, whatever it is busy with; the pool then starts another. */
async function runInPool(pool: Tinypool, cell: CellPlan, options: MatrixOptions): Promise<CellAnswer> {
  const { signal, timeLimitMs } = options;
  const stop = new AbortController();
  const interrupt = (): void => stop.abort();
  signal.addEventListener('abort', interrupt);
  const timer = timeLimitMs === undefined ? undefined : setTimeout(interrupt, timeLimitMs);
  try {
    return await pool.run(cell, { signal: stop.signal });
  } catch (error) {
    if (signal.aborted) throw error;
    // Without an abort the thread itself has ended, for example because it ran out of memory.
    return { failure: stop.signal.aborted ? outOfTime(timeLimitMs!) : failureOf(error) };
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', interrupt);
  }
}

function outOfTime(timeLimitMs: number): CellFailure {
  const message = `stopped at the time limit of ${timeLimitMs / 1000} s`;
  return { message, detail: `${message}\n` };
}

function report(cell: CellPlan, answer: CellAnswer, options: MatrixOptions): void {
  if ('result' in answer) options.onResult(answer.result);
  else options.onFailure(cell, answer.failure);
}

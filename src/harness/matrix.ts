import { setMaxListeners } from 'node:events';
import { setImmediate } from 'node:timers/promises';
import { Tinypool } from 'tinypool';
import { InputError } from '../core/errors.js';
import { type CellResult, runCell } from './cell.js';
import type { CellAnswer } from './cell-worker.js';
import type { CellPlan } from './plan.js';
import type { Registries } from './registries.js';

/** How cells are run. */
export interface MatrixOptions {
  /** Worker threads; 0 runs the cells in this thread, one after the other. */
  readonly workers: number;
  /** Stops the run between cells, and threads at once. */
  readonly signal: AbortSignal;
  /** Registries of this thread; worker threads have those that the program ships. */
  readonly registries: Registries;
  /** Called in this thread as each cell ends, in any order. */
  onResult(result: CellResult): void;
}

/** Whether worker threads can be started: they need the compiled program, which tests from the sources are not. */
export const WORKERS_AVAILABLE = import.meta.url.endsWith('.js');

/**
 * Runs cells. Results do not depend on the number of workers, for cells share nothing.
 * @throws InputError from the first cell that fails; cells that have ended were reported.
 */
export async function runMatrix(cells: readonly CellPlan[], options: MatrixOptions): Promise<void> {
  const threads = Math.min(options.workers, cells.length);
  if (threads === 0 || !WORKERS_AVAILABLE) await runHere(cells, options);
  else await runInThreads(cells, threads, options);
}

async function runHere(cells: readonly CellPlan[], options: MatrixOptions): Promise<void> {
  for (const cell of cells) {
    // Lets signals in, which are otherwise not seen while this thread computes.
    await setImmediate();
    if (options.signal.aborted) return;
    options.onResult(runCell(cell, options.registries));
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
  // Each cell that waits listens for the interruption.
  setMaxListeners(cells.length + 1, signal);
  const runOne = async (cell: CellPlan): Promise<void> => {
    const answer: CellAnswer = await pool.run(cell, { signal });
    if ('badInput' in answer) throw new InputError(answer.badInput);
    options.onResult(answer.result);
  };
  try {
    await Promise.all(cells.map(runOne));
  } catch (error) {
    // An interrupted pool rejects what it has not finished; the caller knows by the results that are missing.
    if (!signal.aborted) throw error;
  } finally {
    await pool.destroy();
  }
}

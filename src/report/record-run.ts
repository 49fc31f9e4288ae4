import { writeWhole } from '../core/files.js';
import { runMatrix } from '../harness/matrix.js';
import type { Plan } from '../harness/plan.js';
import { startRecord } from '../harness/provenance.js';
import type { Registries } from '../harness/registries.js';
import { type ResultFolder, RUN_FILE } from '../harness/result-folder.js';
import { writeTables } from './write-tables.js';

/** How a plan is carried out. */
export interface RecordOptions {
  readonly workers: number;
  readonly signal: AbortSignal;
  readonly registries: Registries;
  readonly version: string;
  /** Called at the start and as each cell is stored. */
  onProgress(finished: number, cells: number): void;
}

/**
 * Runs what the folder lacks of a plan, storing each cell as it ends, then writes the tables.
 * @returns how many cells are finished: fewer than planned if the signal stopped the run, and no tables then.
 * @throws InputError from a cell, or when a file cannot be written; cells that have ended stay stored.
 */
export async function recordRun(plan: Plan, folder: ResultFolder, options: RecordOptions): Promise<number> {
  const record = startRecord(plan, options.version);
  writeWhole(folder.file(RUN_FILE), `${JSON.stringify(record, null, 2)}\n`);
  const missing = plan.cells.filter((cell) => folder.storedCell(cell) === undefined);
  let finished = plan.cells.length - missing.length;
  options.onProgress(finished, plan.cells.length);
  await runMatrix(missing, {
    workers: options.workers,
    signal: options.signal,
    registries: options.registries,
    onResult: (result) => {
      folder.storeCell(result);
      finished++;
      options.onProgress(finished, plan.cells.length);
    },
  });
  if (finished < plan.cells.length) return finished;
  writeTables(folder, plan);
  writeWhole(folder.file(RUN_FILE), `${JSON.stringify({ ...record, status: 'complete' }, null, 2)}\n`);
  return finished;
}

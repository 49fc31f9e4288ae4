import { writeWhole } from '../core/files.js';
import { runMatrix } from '../harness/matrix.js';
import type { CellPlan, Plan } from '../harness/plan.js';
import { type RunRecord, startRecord } from '../harness/provenance.js';
import type { Registries } from '../harness/registries.js';
import { type ResultFolder, RUN_FILE } from '../harness/result-folder.js';
import { writeTables } from './write-tables.js';

/** How a plan is carried out. */
export interface RecordOptions {
  readonly workers: number;
  /** Milliseconds for a cell; undefined for no limit. */
  readonly timeLimitMs?: number | undefined;
  readonly signal: AbortSignal;
  readonly registries: Registries;
  readonly version: string;
  /** Called at the start and as each cell ends. */
  onProgress(ended: number, cells: number): void;
}

/** A cell without a result. */
export interface FailedCell {
  readonly cell: CellPlan;
  /** One line. */
  readonly message: string;
}

/** What became of a plan's cells: those that are in neither list were not reached when the run was stopped. */
export interface RunOutcome {
  /** Cells with a stored result, in the order of the plan. */
  readonly finished: readonly CellPlan[];
  readonly failed: readonly FailedCell[];
  readonly interrupted: boolean;
}

/**
 * Runs what the folder lacks of a plan, storing each cell as it ends, then writes the tables of those that have a
 * result. A run that the signal stopped has no tables.
 * @throws InputError when a file cannot be written; cells that have ended stay stored.
 */
export async function recordRun(
  plan: Plan,
  folder: ResultFolder,
  options: RecordOptions,
): Promise<RunOutcome> {
  const record = startRecord(plan, options.version);
  writeRecord(folder, record);
  const finished = new Set(plan.cells.filter((cell) => folder.storedCell(cell) !== undefined).map(idOf));
  const messages = new Map<string, string>();
  const showProgress = (): void => options.onProgress(finished.size + messages.size, plan.cells.length);
  showProgress();
  await runMatrix(
    plan.cells.filter(({ id }) => !finished.has(id)),
    {
      ...options,
      onResult: (result) => {
        folder.storeCell(result);
        finished.add(result.id);
        showProgress();
      },
      onFailure: ({ id }, { message, detail }) => {
        folder.storeFailure(id, detail);
        messages.set(id, message);
        showProgress();
      },
    },
  );
  const outcome = {
    finished: plan.cells.filter(({ id }) => finished.has(id)),
    failed: failedCells(plan, messages),
    interrupted: finished.size + messages.size < plan.cells.length,
  };
  if (!outcome.interrupted) complete(plan, folder, record, outcome);
  return outcome;
}

function failedCells(plan: Plan, messages: ReadonlyMap<string, string>): FailedCell[] {
  const failed = plan.cells.filter(({ id }) => messages.has(id));
  return failed.map((cell) => ({ cell, message: messages.get(cell.id)! }));
}

function complete(plan: Plan, folder: ResultFolder, record: RunRecord, outcome: RunOutcome): void {
  writeTables(folder, plan, outcome.finished);
  writeRecord(folder, {
    ...record,
    status: outcome.failed.length === 0 ? 'complete' : 'failed',
    failures: outcome.failed.map(({ cell, message }) => ({ id: cell.id, message })),
  });
}

function writeRecord(folder: ResultFolder, record: RunRecord): void {
  writeWhole(folder.file(RUN_FILE), `${JSON.stringify(record, null, 2)}\n`);
}

function idOf(cell: CellPlan): string {
  return cell.id;
}

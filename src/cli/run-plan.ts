import { toolVersion } from '../core/version.js';
import type { Plan } from '../harness/plan.js';
import type { Registries } from '../harness/registries.js';
import type { ResultFolder } from '../harness/result-folder.js';
import { type RunOutcome, recordRun } from '../report/record-run.js';
import { SummaryTable } from '../report/summary-table.js';
import { ExitCode, type Io } from './io.js';
import { progressBar } from './progress-bar.js';
import { tell } from './tell.js';
import { textWidth } from './text-output.js';

/** Failures that are told on the terminal; all of them are in run.json. */
const MOST_MESSAGES = 10;

/** How the cells of a plan are run. */
export interface RunSettings {
  readonly workers: number;
  /** Milliseconds for a cell; undefined for no limit. */
  readonly timeLimitMs: number | undefined;
  readonly registries: Registries;
}

/**
 * Carries a plan out and prints what it found. Ctrl-C ends it with what is finished.
 * @throws InputError when it cannot go on; then stderr says which cells are kept.
 */
export async function runPlan(
  plan: Plan,
  folder: ResultFolder,
  settings: RunSettings,
  io: Io,
): Promise<ExitCode> {
  const outcome = await carryOut(plan, folder, settings, io);
  if (outcome.interrupted) {
    tell(io, `interrupted; ${keptText(outcome.finished.length, plan, folder)}`);
    return ExitCode.interrupted;
  }
  // Earlier results are not given up for a run that has none.
  if (outcome.finished.length > 0) folder.settle();
  printOutcome(outcome, plan, folder, io);
  return outcome.failed.length > 0 ? ExitCode.badInput : ExitCode.done;
}

async function carryOut(
  plan: Plan,
  folder: ResultFolder,
  settings: RunSettings,
  io: Io,
): Promise<RunOutcome> {
  const interrupt = new AbortController();
  const onInterrupt = (): void => interrupt.abort();
  process.once('SIGINT', onInterrupt);
  const progress = progressBar(io, 'cells');
  try {
    return await recordRun(plan, folder, {
      ...settings,
      signal: interrupt.signal,
      version: toolVersion(),
      onProgress: progress.show,
    });
  } catch (error) {
    const kept = folder.abandon();
    if (kept > 0) tell(io, `stopped; ${keptText(kept, plan, folder)}`);
    throw error;
  } finally {
    progress.stop();
    process.removeListener('SIGINT', onInterrupt);
  }
}

function keptText(kept: number, plan: Plan, folder: ResultFolder): string {
  const cells = `${kept} of ${plan.cells.length} cells are kept in ${folder.path}`;
  return `${cells}, --resume --out ${folder.path} runs the others`;
}

function printOutcome(outcome: RunOutcome, plan: Plan, folder: ResultFolder, io: Io): void {
  const { finished, failed } = outcome;
  const table = new SummaryTable();
  for (const cell of finished) table.add(folder.readCell(cell));
  if (finished.length > 0) {
    io.stdout.write(`${table.text(textWidth(io))}\nresults: ${folder.path}\n`);
  }
  if (failed.length === 0) return;
  for (const { cell, message } of failed.slice(0, MOST_MESSAGES)) tell(io, `${message} (cell ${cell.id})`);
  const count = `${failed.length} of ${plan.cells.length} cells failed`;
  tell(io, `${count}: see ${folder.file('failures')}; --resume runs them again`);
}

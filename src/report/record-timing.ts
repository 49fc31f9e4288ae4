import { writeWhole } from '../core/files.js';
import type { CellResult } from '../harness/cell.js';
import type { Plan } from '../harness/plan.js';
import { describeMachine } from '../harness/provenance.js';
import type { ResultFolder } from '../harness/result-folder.js';
import { SUMMARY_COLUMNS } from '../harness/summary.js';
import { RESAMPLES } from '../harness/timing/bootstrap.js';
import {
  type TimedCell,
  type TimingControl,
  type TimingFailure,
  type TimingRun,
  type TimingSettings,
  timeCells,
} from '../harness/timing/time-cells.js';
import { type CellTiming, timingStatistics } from '../harness/timing/timing-statistics.js';
import { dataPackage } from './data-package.js';
import { TableFile } from './table-file.js';
import {
  TIMING_TABLES,
  timingRows,
  timingSummaryRow,
  timingSummaryTable,
  timingTable,
} from './timing-tables.js';

/** The file that describes the tables of what was measured. */
export const TIMING_PACKAGE = 'timing-datapackage.json';
const EVENTS = SUMMARY_COLUMNS.findIndex(({ name }) => name === 'events');

/** Files that `recordTiming` makes. */
export const TIMING_FILES: readonly string[] = [
  ...TIMING_TABLES.map((table) => `${table.name}.csv`),
  TIMING_PACKAGE,
];

/** What was found. */
export interface TimingReport {
  readonly timings: readonly CellTiming[];
  /** A line per cell that could not be timed to the end. */
  readonly problems: readonly string[];
}

/**
 * Times the cells of a plan whose exact results the folder has, and writes what was measured: timing.csv,
 * timing-summary.csv, and timing-datapackage.json, which describes them and tells how they came about. Each appears
 * complete or not at all, and none where nothing was measured. Exact files are not touched.
 * @returns undefined if the signal stopped it; then earlier files of these names stay as they are.
 * @throws InputError if an exact result is missing, or when a file cannot be written.
 */
export async function recordTiming(
  plan: Plan,
  folder: ResultFolder,
  settings: TimingSettings,
  version: string,
  control: TimingControl,
): Promise<TimingReport | undefined> {
  const cells = timedCells(plan, folder);
  const start = { version, started: new Date().toISOString(), machine: describeMachine() };
  const run = await timeCells(cells, settings, control);
  if (run === undefined) return undefined;
  const timings = timingStatistics(run, cells, settings.seed);
  const problems = run.failures.map(problemLine);
  if (timings.length > 0) {
    const description = {
      ...start,
      ...settings,
      resamples: RESAMPLES,
      cells: plan.cells.map(cellRecord),
      problems,
    };
    writeFiles(plan, folder, run, timings, description);
  }
  return { timings, problems };
}

function timedCells(plan: Plan, folder: ResultFolder): TimedCell[] {
  return plan.cells.flatMap((cell) => {
    const { durationNs, placementDigest, summary }: CellResult = folder.readCell(cell);
    const shared = { plan: cell, exact: { durationNs, placementDigest }, events: summary[EVENTS]! };
    return [
      { ...shared, metrics: false },
      { ...shared, metrics: true },
    ];
  });
}

function cellRecord({ id, configurationDigest }: Plan['cells'][number]): object {
  return { id, configurationDigest };
}

function problemLine({ cell, round, problem }: TimingFailure): string {
  const { workload, backend, seed } = cell.plan;
  const metrics = cell.metrics ? 'on' : 'off';
  const name = `'${workload.label}' on '${backend.label}', seed ${seed}, metrics ${metrics}, round ${round}`;
  return `cannot time ${name}: ${problem}`;
}

function writeFiles(
  plan: Plan,
  folder: ResultFolder,
  run: TimingRun,
  timings: readonly CellTiming[],
  timing: object,
): void {
  const raw = new TableFile(timingTable, folder);
  for (const process of run.processes) raw.append(timingRows(process));
  const summary = new TableFile(timingSummaryTable, folder);
  summary.append(timings.map(timingSummaryRow));
  const written = [raw.complete(), summary.complete()];
  const title = `${plan.suite.description || plan.suite.name}: timing`;
  const description = { ...dataPackage(`${plan.suite.name}-timing`, title, written), timing };
  writeWhole(folder.file(TIMING_PACKAGE), `${JSON.stringify(description, null, 2)}\n`);
}

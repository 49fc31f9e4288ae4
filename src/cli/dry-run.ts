import { formatBytes } from '../core/units.js';
import { visibleText } from '../core/visible-text.js';
import { BUDGET_MS, estimateRun, type RunEstimate } from '../harness/estimate.js';
import type { CellPlan, Plan } from '../harness/plan.js';
import { type FolderMode, findStored } from '../harness/result-folder.js';
import { alignedLines } from '../report/aligned-text.js';
import { counted } from '../report/notation.js';
import { wrapWords } from '../report/wrap-words.js';
import type { RunSettings } from './run-plan.js';

/** What `kvabench run` would do with one suite. */
export interface Forecast {
  readonly plan: Plan;
  /** Folder of results, and what would be done with it. */
  readonly out: string;
  readonly mode: FolderMode;
  readonly workers: number;
  /** Cells that are stored already. */
  readonly stored: ReadonlySet<string>;
  readonly estimate: RunEstimate;
}

/** Finds out what a run would do, without writing anything. @throws InputError where the run would be refused. */
export function forecast(plan: Plan, out: string, mode: FolderMode, settings: RunSettings): Forecast {
  const stored = findStored(out, mode, plan.cells);
  const missing = plan.cells.filter(({ id }) => !stored.has(id));
  const { workers, registries } = settings;
  return { plan, out, mode, workers, stored, estimate: estimateRun(missing, workers, registries) };
}

/** The forecast as plain data, for --json. */
export function forecastData({ plan, out, mode, workers, stored, estimate }: Forecast): object {
  const { name, seeds, samples } = plan.suite;
  const times = new Map(estimate.measured.map((cell) => [cell.id, cell]));
  return {
    suite: name,
    out,
    mode,
    workers,
    seeds,
    samples,
    shard: plan.shard,
    estimate: { method: methodText(estimate), milliseconds: estimate.milliseconds, bytes: estimate.bytes },
    cells: plan.cells.map((cell) => ({
      id: cell.id,
      workload: cell.workload.label,
      backend: cell.backend.label,
      seed: cell.seed,
      events: cell.events,
      stored: stored.has(cell.id),
      milliseconds: times.get(cell.id)?.milliseconds,
      problem: times.get(cell.id)?.problem,
      configurationDigest: cell.configurationDigest,
    })),
  };
}

/** The forecast for people, in lines of so many characters. */
export function forecastText(forecast: Forecast, width: number): string {
  const { plan, out, mode, workers, stored, estimate } = forecast;
  const { name, workloads, backends, seeds, samples } = plan.suite;
  const product = [
    counted(workloads.length, 'workload'),
    counted(seeds.length, 'seed'),
    counted(backends.length, 'backend'),
  ];
  const part = plan.shard === undefined ? '' : `part ${plan.shard.index} of ${plan.shard.count} of `;
  const missing = plan.cells.length - stored.size;
  const rows = plan.cells.map((cell) => cellRow(cell, forecast));
  const alignments = ['left', 'right', 'right', 'left'] as const;
  const folder = { refuse: 'a new folder', resume: `${stored.size} cells are kept`, force: 'replaced' }[mode];
  const table = alignedLines({
    rows: [['cell', 'events', 'time', 'state'], ...rows],
    alignments,
    gap: ' ',
    width,
  });
  const prose = (text: string): string[] => wrapWords(visibleText(text), width);
  const where = workers === 0 ? 'the main thread' : counted(workers, 'thread');
  return [
    ...prose(
      `${name}: ${counted(plan.cells.length, 'cell')}: ${part}${product.join(' × ')}, ${counted(samples, 'sample')} each`,
    ),
    `results: ${out} (${folder})`,
    '',
    ...table,
    '',
    ...prose(
      `to run: ${counted(missing, 'cell')} on ${where}: about ${durationText(estimate.milliseconds)}, ` +
        `at least ${formatBytes(estimate.bytes)} of memory`,
    ),
    ...prose(methodText(estimate)),
    'nothing was written',
    '',
  ].join('\n');
}

function cellRow({ id, events }: CellPlan, { stored, estimate }: Forecast): string[] {
  const found = estimate.measured.find((cell) => cell.id === id);
  const time = found === undefined || found.problem !== undefined ? '-' : durationText(found.milliseconds);
  const state = stored.has(id) ? 'stored' : 'to run';
  return [id, events === undefined ? '-' : String(events), time, found?.problem ?? state];
}

function methodText({ measured }: RunEstimate): string {
  const cells = counted(measured.length, 'cell');
  const part = `the first ${BUDGET_MS} ms of processor time of ${cells}`;
  return `estimated from ${part} on this machine, by requests or simulated time; what else runs here is left out`;
}

function durationText(milliseconds: number): string {
  const seconds = milliseconds / 1000;
  if (seconds < 120) return `${seconds.toFixed(1)} s`;
  return seconds < 7200 ? `${(seconds / 60).toFixed(0)} min` : `${(seconds / 3600).toFixed(1)} h`;
}

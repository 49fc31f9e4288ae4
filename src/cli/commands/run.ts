import { join } from 'node:path';
import { InputError } from '../../core/errors.js';
import { toolVersion } from '../../core/version.js';
import { withBackendFiles } from '../../harness/backend-files.js';
import { type Plan, planSuite, shardOf, withMaps } from '../../harness/plan.js';
import { REGISTRIES, type Registries } from '../../harness/registries.js';
import { type FolderMode, ResultFolder } from '../../harness/result-folder.js';
import { launchTiming, type Measure } from '../../harness/timing/launch.js';
import { TIMING_FILES } from '../../report/record-timing.js';
import { TABLE_FILES } from '../../report/write-tables.js';
import { chooseSuites, chosenBackendFiles } from '../choose-suites.js';
import type { Command } from '../command.js';
import { forecast, forecastData, forecastText } from '../dry-run.js';
import { ExitCode, type Io } from '../io.js';
import { outputPath } from '../option-values.js';
import {
  declareRunOptions,
  folderMode,
  forecastOption,
  type RunArguments,
  readChoice,
  readSettings,
  shardOption,
} from '../run-options.js';
import { type RunSettings, runPlan } from '../run-plan.js';
import { readTiming, runTiming, type TimingChoice } from '../run-timing.js';
import { textWidth } from '../text-output.js';

/** What --force may replace. */
const OWNED_FILES = [...TABLE_FILES, ...TIMING_FILES];

/** `kvabench run [target..]`: suites or traces against backends, into a folder of results. */
export const runCommand: Command = runCommandWith(REGISTRIES);

/** The command over registries of the caller's; timed cells are measured by `measure`. */
export function runCommandWith(registries: Registries, measure: Measure = launchTiming): Command {
  return {
    usage: 'run [target..]',
    summary: 'Run suites or traces against backends and write the results as CSV',
    options: declareRunOptions,
    run: (args, io) => run(args, registries, measure, io),
  };
}

async function run(args: RunArguments, shipped: Registries, measure: Measure, io: Io): Promise<ExitCode> {
  const choice = readChoice(args);
  const files = chosenBackendFiles(choice);
  const registries = files.length > 0 ? await withBackendFiles(shipped, files) : shipped;
  const settings = readSettings(args, registries);
  const timing = readTiming(args);
  const format = forecastOption(args);
  const mode = folderMode(args);
  const shard = shardOption(args);
  const wholes = chooseSuites(choice, registries).map((suite) => planSuite(suite, registries, toolVersion()));
  const parts = shard === undefined ? wholes : wholes.map((plan) => shardOf(plan, shard));
  const plans = args.map === true ? parts.map(withMaps) : parts;
  const folders = outputFolders(plans, outputPath(args, 'a folder'));
  if (format === undefined) {
    const after = timing === undefined ? undefined : { timing, measure };
    return runPlans(plans, folders, mode, settings, after, io);
  }
  const forecasts = plans.map((plan, index) => forecast(plan, folders[index]!, mode, settings));
  const json = (): string => `${JSON.stringify(forecasts.map(forecastData), null, 2)}\n`;
  io.stdout.write(
    format === 'json'
      ? json()
      : forecasts.map((forecast) => forecastText(forecast, textWidth(io))).join('\n'),
  );
  return ExitCode.done;
}

/** What is measured when the exact results of a plan are there. */
interface Afterwards {
  readonly timing: TimingChoice;
  readonly measure: Measure;
}

/** Failed cells do not keep later suites from being run; an interruption does. */
async function runPlans(
  plans: readonly Plan[],
  folders: readonly string[],
  mode: FolderMode,
  settings: RunSettings,
  after: Afterwards | undefined,
  io: Io,
): Promise<ExitCode> {
  let worst: ExitCode = ExitCode.done;
  for (const [index, plan] of plans.entries()) {
    const folder = ResultFolder.open(folders[index]!, mode, OWNED_FILES);
    try {
      const code = await runPlan(plan, folder, settings, io);
      if (code === ExitCode.interrupted) return code;
      if (code !== ExitCode.done) worst = code;
      if (after === undefined) continue;
      const timed = await runTiming(finishedPart(plan, folder), folder, after.timing, after.measure, io);
      if (timed === ExitCode.interrupted) return timed;
      if (timed !== ExitCode.done) worst = timed;
    } finally {
      folder.close();
    }
  }
  return worst;
}

/** The plan without the cells that have failed. */
function finishedPart(plan: Plan, folder: ResultFolder): Plan {
  return { ...plan, cells: plan.cells.filter((cell) => folder.storedCell(cell) !== undefined) };
}

/** A folder for each plan: --out itself for a single one. @throws InputError if two would share one. */
function outputFolders(plans: readonly Plan[], out: string | undefined): string[] {
  if (out !== undefined && plans.length === 1) return [out];
  const folders = plans.map((plan) => join(out ?? 'results', plan.suite.name));
  const twice = folders.find((folder, index) => folders.indexOf(folder) < index);
  if (twice !== undefined) throw new InputError('two suites would write their results here', { file: twice });
  return folders;
}

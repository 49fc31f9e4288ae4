import { join } from 'node:path';
import { InputError } from '../../core/errors.js';
import { toolVersion } from '../../core/version.js';
import { type Plan, planSuite, shardOf } from '../../harness/plan.js';
import { REGISTRIES, type Registries } from '../../harness/registries.js';
import { type FolderMode, ResultFolder } from '../../harness/result-folder.js';
import { TABLE_FILES } from '../../report/write-tables.js';
import { chooseSuites } from '../choose-suites.js';
import type { Command } from '../command.js';
import { forecast, forecastData, forecastText } from '../dry-run.js';
import { ExitCode, type Io } from '../io.js';
import {
  declareRunOptions,
  folderMode,
  forecastOption,
  outOption,
  type RunArguments,
  readChoice,
  readSettings,
  shardOption,
} from '../run-options.js';
import { type RunSettings, runPlan } from '../run-plan.js';

/** `kvabench run [target..]`: suites or traces against backends, into a folder of results. */
export const runCommand: Command = runCommandWith(REGISTRIES);

/** The command over registries of the caller's. */
export function runCommandWith(registries: Registries): Command {
  return {
    usage: 'run [target..]',
    summary: 'Run suites or traces against backends and write the results as CSV',
    options: declareRunOptions,
    run: (args, io) => run(args, registries, io),
  };
}

async function run(args: RunArguments, registries: Registries, io: Io): Promise<ExitCode> {
  const settings = readSettings(args, registries);
  const format = forecastOption(args);
  const mode = folderMode(args);
  const shard = shardOption(args);
  const wholes = chooseSuites(readChoice(args), registries).map((suite) =>
    planSuite(suite, registries, toolVersion()),
  );
  const plans = shard === undefined ? wholes : wholes.map((plan) => shardOf(plan, shard));
  const folders = outputFolders(plans, outOption(args));
  if (format === undefined) return runPlans(plans, folders, mode, settings, io);
  const forecasts = plans.map((plan, index) => forecast(plan, folders[index]!, mode, settings));
  const json = (): string => `${JSON.stringify(forecasts.map(forecastData), null, 2)}\n`;
  io.stdout.write(format === 'json' ? json() : forecasts.map(forecastText).join('\n'));
  return ExitCode.done;
}

/** Failed cells do not keep later suites from being run; an interruption does. */
async function runPlans(
  plans: readonly Plan[],
  folders: readonly string[],
  mode: FolderMode,
  settings: RunSettings,
  io: Io,
): Promise<ExitCode> {
  let worst: ExitCode = ExitCode.done;
  for (const [index, plan] of plans.entries()) {
    const folder = ResultFolder.open(folders[index]!, mode, TABLE_FILES);
    try {
      const code = await runPlan(plan, folder, settings, io);
      if (code === ExitCode.interrupted) return code;
      if (code !== ExitCode.done) worst = code;
    } finally {
      folder.close();
    }
  }
  return worst;
}

/** A folder for each plan: --out itself for a single one. @throws InputError if two would share one. */
function outputFolders(plans: readonly Plan[], out: string | undefined): string[] {
  if (out !== undefined && plans.length === 1) return [out];
  const folders = plans.map((plan) => join(out ?? 'results', plan.suite.name));
  const twice = folders.find((folder, index) => folders.indexOf(folder) < index);
  if (twice !== undefined) throw new InputError('two suites would write their results here', { file: twice });
  return folders;
}

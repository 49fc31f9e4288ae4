import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { SingleBar } from 'cli-progress';
import type { Argv } from 'yargs';
import { InputError } from '../../core/errors.js';
import { toolVersion } from '../../core/version.js';
import { type Plan, planSuite } from '../../harness/plan.js';
import { REGISTRIES, type Registries } from '../../harness/registries.js';
import { type FolderMode, ResultFolder } from '../../harness/result-folder.js';
import { recordRun } from '../../report/record-run.js';
import { SummaryTable } from '../../report/summary-table.js';
import { TABLE_FILES } from '../../report/write-tables.js';
import { chooseSuites, type SuiteChoice } from '../choose-suites.js';
import type { Command } from '../command.js';
import { ExitCode, type Io } from '../io.js';
import { integerOption, repeated } from '../option-values.js';

type Arguments = Readonly<Record<string, unknown>>;

/** `kvabench run [target..]`: suites or traces against backends, into a folder of results. */
export const runCommand: Command = runCommandWith(REGISTRIES);

/** The command over registries of the caller's. */
export function runCommandWith(registries: Registries): Command {
  return {
    usage: 'run [target..]',
    summary: 'Run suites or traces against backends and write the results as CSV',
    options,
    run: async (args, io) => {
      const plans = chooseSuites(readChoice(args), registries).map((suite) =>
        planSuite(suite, registries, toolVersion()),
      );
      const folders = outputFolders(plans, args);
      const workers = workersOf(args);
      for (const [index, plan] of plans.entries()) {
        const folder = ResultFolder.open(folders[index]!, folderMode(args), TABLE_FILES);
        const code = await runPlan(plan, folder, workers, registries, io);
        if (code !== ExitCode.done) return code;
      }
      return ExitCode.done;
    },
  };
}

function options(yargs: Argv): Argv {
  return yargs
    .positional('target', {
      type: 'string',
      array: true,
      describe: 'suite or workload (name or .yaml file), or trace (name or .arrow file) to replay',
    })
    .option('backend', {
      alias: 'b',
      type: 'string',
      requiresArg: true,
      describe: 'backend instead of the suite’s, e.g. illumos-vmem:qcache_max=0,quantum=8KiB; repeatable',
    })
    .option('workload', {
      alias: 'w',
      type: 'string',
      requiresArg: true,
      describe: 'workload instead of the suite’s, e.g. replay:trace=x.arrow; repeatable',
    })
    .option('seed', {
      type: 'string',
      requiresArg: true,
      describe: 'seed instead of the suite’s; repeatable',
    })
    .option('samples', { type: 'string', requiresArg: true, describe: 'sample points per cell' })
    .option('cpus', { type: 'string', requiresArg: true, describe: 'simulated processors' })
    .option('out', {
      type: 'string',
      requiresArg: true,
      describe: 'folder of results; default results/<suite>',
    })
    .option('workers', {
      type: 'string',
      requiresArg: true,
      describe: 'threads that run cells; default: one per processor; 0: none but the main one',
    })
    .option('resume', { type: 'boolean', describe: 'keep the finished cells of an interrupted run' })
    .option('force', { type: 'boolean', describe: 'replace the results in the folder' })
    .conflicts('resume', 'force');
}

function readChoice(args: Arguments): SuiteChoice {
  const integer = (option: string, minimum: number, maximum: number): number | undefined =>
    single(args, option, (text) => integerOption(option, text, minimum, maximum));
  return {
    targets: repeated(args.target) ?? [],
    backends: repeated(args.backend),
    workloads: repeated(args.workload),
    seeds: readSeeds(args),
    samples: integer('samples', 1, 100_000),
    cpus: integer('cpus', 1, 4096),
  };
}

function readSeeds(args: Arguments): number[] | undefined {
  const seeds = repeated(args.seed)?.map((text) => integerOption('seed', text, 0, 2 ** 32 - 1));
  return seeds === undefined ? undefined : [...new Set(seeds)];
}

function single<T>(args: Arguments, option: string, read: (text: string) => T): T | undefined {
  const values = repeated(args[option]);
  if (values === undefined) return undefined;
  if (values.length > 1) throw new InputError('given more than once', { field: `--${option}` });
  return read(values[0]!);
}

function workersOf(args: Arguments): number {
  return single(args, 'workers', (text) => integerOption('workers', text, 0, 1024)) ?? availableParallelism();
}

function folderMode(args: Arguments): FolderMode {
  if (args.resume === true) return 'resume';
  return args.force === true ? 'force' : 'refuse';
}

/** A folder for each plan: --out itself for a single one. @throws InputError if two would share one. */
function outputFolders(plans: readonly Plan[], args: Arguments): string[] {
  const out = single(args, 'out', (text) => text);
  if (out !== undefined && plans.length === 1) return [out];
  const folders = plans.map((plan) => join(out ?? 'results', plan.suite.name));
  const twice = folders.find((folder, index) => folders.indexOf(folder) < index);
  if (twice !== undefined) throw new InputError('two suites would write their results here', { file: twice });
  return folders;
}

async function runPlan(
  plan: Plan,
  folder: ResultFolder,
  workers: number,
  registries: Registries,
  io: Io,
): Promise<ExitCode> {
  const interrupt = new AbortController();
  const onInterrupt = (): void => interrupt.abort();
  process.once('SIGINT', onInterrupt);
  const progress = progressBar(io);
  try {
    const finished = await recordRun(plan, folder, {
      workers,
      signal: interrupt.signal,
      registries,
      version: toolVersion(),
      onProgress: progress.show,
    });
    if (finished < plan.cells.length) {
      const kept = `${finished} of ${plan.cells.length} cells are kept in ${folder.path}`;
      io.stderr.write(`kvabench: interrupted; ${kept}, --resume runs the others\n`);
      return ExitCode.interrupted;
    }
    folder.settle();
  } catch (error) {
    folder.abandon();
    throw error;
  } finally {
    progress.stop();
    process.removeListener('SIGINT', onInterrupt);
  }
  printSummary(plan, folder, io);
  return ExitCode.done;
}

function printSummary(plan: Plan, folder: ResultFolder, io: Io): void {
  const table = new SummaryTable();
  for (const cell of plan.cells) table.add(folder.readCell(cell));
  io.stdout.write(`${table.text(io.stdout.columns)}\nresults: ${folder.path}\n`);
}

interface Progress {
  show(finished: number, cells: number): void;
  stop(): void;
}

/** A bar on stderr where that is a terminal, else nothing. */
function progressBar(io: Io): Progress {
  if (io.stderr.isTTY !== true) return { show: () => {}, stop: () => {} };
  const bar = new SingleBar({
    format: '{bar} {value}/{total} cells, {eta_formatted} left',
    stream: io.stderr as NodeJS.WriteStream,
    clearOnComplete: true,
    barsize: 30,
  });
  const show = (finished: number, cells: number): void => {
    if (bar.isActive) bar.update(finished);
    else bar.start(cells, finished);
  };
  return { show, stop: () => bar.stop() };
}

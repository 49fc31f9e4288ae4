import { availableParallelism } from 'node:os';
import type { Argv } from 'yargs';
import { InputError } from '../core/errors.js';
import { usableWorkers } from '../harness/matrix.js';
import type { Shard } from '../harness/plan.js';
import type { Registries } from '../harness/registries.js';
import type { FolderMode } from '../harness/result-folder.js';
import type { SuiteChoice } from './choose-suites.js';
import { durationOption, integerOption, repeated, shareOption, singleOption } from './option-values.js';
import type { RunSettings } from './run-plan.js';
import { timingOptions } from './run-timing.js';

/** Arguments of `kvabench run` as yargs has them. */
export type RunArguments = Readonly<Record<string, unknown>>;

/** Declares the options and positionals of `kvabench run`. */
export function declareRunOptions(yargs: Argv): Argv {
  return timingOptions(declareMode(declareChoice(yargs)));
}

function declareChoice(yargs: Argv): Argv {
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
      describe:
        'backend instead of the suite’s, e.g. illumos-vmem:qcache_max=0,quantum=8KiB or ./my-backend.js; repeatable',
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
    .option('cpus', { type: 'string', requiresArg: true, describe: 'simulated processors' });
}

function declareMode(yargs: Argv): Argv {
  return yargs
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
    .option('time-limit', {
      type: 'string',
      requiresArg: true,
      describe: 'longest time for a cell, e.g. 90s, 10m or 2h; one that takes longer has failed',
    })
    .option('map', {
      type: 'boolean',
      describe: 'record the address-space map of each cell too, for kvabench map',
    })
    .option('shard', {
      type: 'string',
      requiresArg: true,
      describe: 'run one part of the cells, e.g. 2/3, for a suite that is spread over machines',
    })
    .option('dry-run', { type: 'boolean', describe: 'print what would be run and how long it may take' })
    .option('json', { type: 'boolean', describe: 'print that as JSON' })
    .option('resume', { type: 'boolean', describe: 'keep the finished cells of an interrupted run' })
    .option('force', { type: 'boolean', describe: 'replace the results in the folder' })
    .conflicts('resume', 'force');
}

/** What is to be run. @throws InputError for a bad value. */
export function readChoice(args: RunArguments): SuiteChoice {
  const integer = (option: string, minimum: number, maximum: number): number | undefined =>
    singleOption(args, option, (text) => integerOption(option, text, minimum, maximum));
  return {
    targets: repeated(args.target) ?? [],
    backends: repeated(args.backend),
    workloads: repeated(args.workload),
    seeds: readSeeds(args),
    samples: integer('samples', 1, 100_000),
    cpus: integer('cpus', 1, 4096),
  };
}

function readSeeds(args: RunArguments): number[] | undefined {
  const seeds = repeated(args.seed)?.map((text) => integerOption('seed', text, 0, 2 ** 32 - 1));
  return seeds === undefined ? undefined : [...new Set(seeds)];
}

/** How it is run. @throws InputError for a bad value, and for a time limit that nothing could enforce. */
export function readSettings(args: RunArguments, registries: Registries): RunSettings {
  const given = singleOption(args, 'workers', (text) => integerOption('workers', text, 0, 1024));
  const timeLimitMs = singleOption(args, 'time-limit', (text) => durationOption('time-limit', text));
  const workers = usableWorkers(given ?? availableParallelism(), timeLimitMs);
  return { workers, timeLimitMs, registries };
}

/** The part of the cells that is to be run; undefined for all. @throws InputError for a bad value. */
export function shardOption(args: RunArguments): Shard | undefined {
  return singleOption(args, 'shard', (text) => shareOption('shard', text));
}

/** Whether and how to print a forecast instead of running. @throws InputError for --json without --dry-run. */
export function forecastOption(args: RunArguments): 'text' | 'json' | undefined {
  if (args['dry-run'] === true) return args.json === true ? 'json' : 'text';
  if (args.json === true)
    throw new InputError('only a forecast has it', { field: '--json', allowed: 'with --dry-run' });
  return undefined;
}

/** What to do with a folder that has results. */
export function folderMode(args: RunArguments): FolderMode {
  if (args.resume === true) return 'resume';
  return args.force === true ? 'force' : 'refuse';
}

import type { Argv } from 'yargs';
import { InputError } from '../core/errors.js';
import { toolVersion } from '../core/version.js';
import type { Plan } from '../harness/plan.js';
import type { ResultFolder } from '../harness/result-folder.js';
import type { Measure } from '../harness/timing/launch.js';
import type { TimingSettings } from '../harness/timing/time-cells.js';
import { recordTiming, type TimingReport } from '../report/record-timing.js';
import { timingText } from '../report/timing-text.js';
import { ExitCode, type Io } from './io.js';
import { integerOption, singleOption } from './option-values.js';
import { progressBar } from './progress-bar.js';
import { tell } from './tell.js';
import { textWidth } from './text-output.js';

type Arguments = Readonly<Record<string, unknown>>;

/** Settings of which the seed may be left to the plan. */
export type TimingChoice = Omit<TimingSettings, 'seed'> & { readonly seed: number | undefined };

const DEFAULTS = { rounds: 5, samples: 3, timeMs: 500 };
const DETAILS = ['timing-time', 'timing-samples', 'timing-rounds', 'timing-seed'];

/** Declares the options about timing. */
export function timingOptions(yargs: Argv): Argv {
  return yargs
    .option('timing', {
      type: 'boolean',
      describe: 'afterwards time every cell, with and without metrics, each in processes of its own',
    })
    .option('timing-time', {
      type: 'string',
      requiresArg: true,
      describe: `milliseconds that a process measures for; default ${DEFAULTS.timeMs}`,
    })
    .option('timing-samples', {
      type: 'string',
      requiresArg: true,
      describe: `fewest replays that a process measures; default ${DEFAULTS.samples}`,
    })
    .option('timing-rounds', {
      type: 'string',
      requiresArg: true,
      describe: `processes per timed cell, in rounds of all cells; default ${DEFAULTS.rounds}`,
    })
    .option('timing-seed', {
      type: 'string',
      requiresArg: true,
      describe: 'seed of the order of the cells in each round; default: the first seed',
    });
}

/** What the options about timing say; undefined without --timing. @throws InputError if they are wrong. */
export function readTiming(args: Arguments): TimingChoice | undefined {
  if (args.timing !== true) {
    const given = DETAILS.find((option) => args[option] !== undefined);
    if (given === undefined) return undefined;
    throw new InputError('nothing is timed', { field: `--${given}`, allowed: 'together with --timing' });
  }
  const integer = (option: string, minimum: number, maximum: number): number | undefined =>
    singleOption(args, option, (text) => integerOption(option, text, minimum, maximum));
  return {
    timeMs: integer('timing-time', 0, 86_400_000) ?? DEFAULTS.timeMs,
    samples: integer('timing-samples', 1, 1_000_000) ?? DEFAULTS.samples,
    rounds: integer('timing-rounds', 1, 100_000) ?? DEFAULTS.rounds,
    seed: integer('timing-seed', 0, 2 ** 32 - 1),
  };
}

/** Times a plan whose exact results are complete in the folder, and prints the medians. */
export async function runTiming(
  plan: Plan,
  folder: ResultFolder,
  choice: TimingChoice,
  measure: Measure,
  io: Io,
): Promise<ExitCode> {
  const settings = { ...choice, seed: choice.seed ?? plan.suite.seeds[0]! };
  const interrupt = new AbortController();
  const onInterrupt = (): void => interrupt.abort();
  process.once('SIGINT', onInterrupt);
  const progress = progressBar(io, 'timing processes');
  let report: TimingReport | undefined;
  try {
    report = await recordTiming(plan, folder, settings, toolVersion(), {
      measure,
      signal: interrupt.signal,
      onProgress: progress.show,
    });
  } finally {
    progress.stop();
    process.removeListener('SIGINT', onInterrupt);
  }
  if (report === undefined) {
    const kept = `the exact results in ${folder.path} are complete`;
    tell(io, `timing interrupted; ${kept}, --resume --timing times them anew`);
    return ExitCode.interrupted;
  }
  if (report.timings.length > 0) io.stdout.write(`\n${timingText(report.timings, textWidth(io))}`);
  for (const problem of report.problems) tell(io, problem);
  return report.problems.length > 0 ? ExitCode.badInput : ExitCode.done;
}

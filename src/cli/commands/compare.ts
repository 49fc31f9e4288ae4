import type { Argv } from 'yargs';
import { InputError } from '../../core/errors.js';
import { compareCsv, compareJson } from '../../report/compare/compare-data.js';
import {
  type CompareChoice,
  type CompareReport,
  compareResults,
  hasRegressed,
} from '../../report/compare/compare-results.js';
import { compareText } from '../../report/compare/compare-text.js';
import { CONDITION_FORM } from '../../report/compare/condition.js';
import type { Command } from '../command.js';
import { ExitCode, type Io } from '../io.js';
import { repeated, singleOption } from '../option-values.js';
import { type TextDestination, writeText } from '../text-output.js';

type Arguments = Readonly<Record<string, unknown>>;

/** `kvabench compare OLD [NEW]`: two folders of results, or the backends of one. */
export const compareCommand: Command = {
  usage: 'compare <old> [new]',
  summary: 'Compare two folders of results, or the backends within one',
  options: declareOptions,
  run: (args, io) => {
    const choice = readChoice(args);
    const report = compareResults(choice);
    writeText(args, io, (to) => outputText(report, args, io, to));
    return hasRegressed(report) ? ExitCode.checkFailed : ExitCode.done;
  },
};

function declareOptions(yargs: Argv): Argv {
  return declareOutput(
    yargs
      .positional('old', { type: 'string', describe: 'folder of results to compare with' })
      .positional('new', { type: 'string', describe: 'folder of results that may have changed' })
      .option('baseline', {
        type: 'string',
        requiresArg: true,
        describe: 'within one folder: the backend that the others are held against',
      })
      .option('metric', {
        alias: 'm',
        type: 'string',
        requiresArg: true,
        describe: 'column of summary.csv, a short name for one, or all; repeatable',
      })
      .option('fail-on', {
        type: 'string',
        requiresArg: true,
        describe: `exit with 2 on such a change: ${CONDITION_FORM}; repeatable`,
      })
      .option('each-seed', { type: 'boolean', describe: 'a row for each seed instead of one for all' }),
  );
}

function declareOutput(yargs: Argv): Argv {
  return yargs
    .option('all', { type: 'boolean', describe: 'print rows without a difference too' })
    .option('csv', { type: 'boolean', describe: 'print the rows as CSV' })
    .option('json', { type: 'boolean', describe: 'print everything as JSON' })
    .option('out', { type: 'string', requiresArg: true, describe: 'file to write instead of printing' })
    .conflicts('csv', 'json');
}

function readChoice(args: Arguments): CompareChoice {
  const [folder, newFolder] = [String(args.old), args.new === undefined ? undefined : String(args.new)];
  const baseline = singleOption(args, 'baseline', (text) => text);
  if (newFolder !== undefined && baseline !== undefined) {
    throw new InputError('there are two folders already', {
      field: '--baseline',
      allowed: 'with one folder',
    });
  }
  if (newFolder === undefined && baseline === undefined) {
    throw new InputError('nothing to compare with', {
      file: folder,
      allowed: 'a second folder, or --baseline and the backend of this one that the others are held against',
    });
  }
  return {
    folder,
    against: newFolder === undefined ? { baseline: baseline! } : { folder: newFolder },
    metrics: repeated(args.metric),
    failOn: repeated(args['fail-on']) ?? [],
    eachSeed: args['each-seed'] === true,
  };
}

function outputText(report: CompareReport, args: Arguments, io: Io, to: TextDestination): string {
  if (args.csv === true) return compareCsv(report);
  if (args.json === true) return compareJson(report);
  return compareText(report, {
    width: to.width,
    colour: to.isTerminal && !io.env.NO_COLOR && io.env.TERM !== 'dumb',
    all: args.all === true,
  });
}

import type { Command } from '../command.js';
import { ExitCode } from '../io.js';
import { traceConvertCommand } from './trace-convert.js';
import { traceCutCommand } from './trace-cut.js';
import { traceGenerateCommand } from './trace-generate.js';
import { traceImportCommand } from './trace-import.js';
import { traceInfoCommand } from './trace-info.js';
import { traceMergeCommand } from './trace-merge.js';

/** `kvabench trace …`: what concerns traces alone. */
export const traceCommand: Command = {
  usage: 'trace',
  summary: 'import recordings, generate traces, look at them, cut, merge and convert them',
  subcommands: [
    traceImportCommand,
    traceGenerateCommand,
    traceInfoCommand,
    traceConvertCommand,
    traceCutCommand,
    traceMergeCommand,
  ],
  options: (yargs) =>
    yargs.demandCommand(1, 'say what to do with the trace: import, generate, info, convert, cut or merge'),
  run: () => ExitCode.badInput,
};

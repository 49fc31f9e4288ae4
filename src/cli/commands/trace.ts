import type { Command } from '../command.js';
import { ExitCode } from '../io.js';
import { traceGenerateCommand } from './trace-generate.js';
import { traceImportCommand } from './trace-import.js';
import { traceInfoCommand } from './trace-info.js';

/** `kvabench trace …`: what concerns traces alone. */
export const traceCommand: Command = {
  usage: 'trace',
  summary: 'import recordings, generate traces and look at them',
  subcommands: [traceImportCommand, traceGenerateCommand, traceInfoCommand],
  options: (yargs) => yargs.demandCommand(1, 'say what to do with the trace: import, generate or info'),
  run: () => ExitCode.badInput,
};

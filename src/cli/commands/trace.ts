import type { Command } from '../command.js';
import { ExitCode } from '../io.js';
import { traceImportCommand } from './trace-import.js';
import { traceInfoCommand } from './trace-info.js';

/** `kvabench trace …`: what concerns traces alone. */
export const traceCommand: Command = {
  usage: 'trace',
  summary: 'import recordings and look at traces',
  subcommands: [traceImportCommand, traceInfoCommand],
  options: (yargs) => yargs.demandCommand(1, 'say what to do with the trace: import or info'),
  run: () => ExitCode.badInput,
};

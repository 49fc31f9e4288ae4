import type { Command } from '../command.js';
import { ExitCode } from '../io.js';

/** `kvabench trace …`: what concerns traces alone. */
export const traceCommand: Command = {
  usage: 'trace',
  summary: 'Import recordings, generate traces, look at them, cut, merge and convert them',
  subcommands: {
    import: async () => (await import('./trace-import.js')).traceImportCommand,
    generate: async () => (await import('./trace-generate.js')).traceGenerateCommand,
    info: async () => (await import('./trace-info.js')).traceInfoCommand,
    convert: async () => (await import('./trace-convert.js')).traceConvertCommand,
    cut: async () => (await import('./trace-cut.js')).traceCutCommand,
    merge: async () => (await import('./trace-merge.js')).traceMergeCommand,
  },
  options: (yargs) =>
    yargs.demandCommand(1, 'say what to do with the trace: import, generate, info, convert, cut or merge'),
  run: () => ExitCode.badInput,
};

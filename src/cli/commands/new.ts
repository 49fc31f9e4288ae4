import type { Command } from '../command.js';
import { ExitCode } from '../io.js';

/** `kvabench new …`: files to start from. */
export const newCommand: Command = {
  usage: 'new',
  summary: 'Write a file to start from',
  subcommands: { backend: async () => (await import('./new-backend.js')).newBackendCommand },
  options: (yargs) => yargs.demandCommand(1, 'say what is to be written: kvabench new backend NAME'),
  run: () => ExitCode.badInput,
};

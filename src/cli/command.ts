import type { Argv } from 'yargs';
import type { ExitCode, Io } from './io.js';

/** One command of the program: a file in commands/, a line in the list of program.ts, a test. */
export interface Command {
  /** yargs' notation, for example `verify [dir..]`. */
  readonly usage: string;
  readonly summary: string;
  /** Commands below this one, for example `import` below `trace`; then `run` is for the command without any. */
  readonly subcommands?: CommandLoaders;
  /** Declares options and positionals. */
  options(yargs: Argv): Argv;
  /** Does the work. @throws InputError for bad usage or input. */
  run(args: Readonly<Record<string, unknown>>, io: Io): Promise<ExitCode> | ExitCode;
}

/** Commands by their names; one is loaded when it is called, for some need large libraries that no other needs. */
export type CommandLoaders = Readonly<Record<string, () => Promise<Command>>>;

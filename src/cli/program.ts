import yargs, { type Argv } from 'yargs';
import { InputError } from '../core/errors.js';
import { toolVersion } from '../core/version.js';
import type { Command, CommandLoaders } from './command.js';
import { ExitCode, type Io } from './io.js';

/** Every command by its name. */
const COMMANDS: CommandLoaders = {
  run: async () => (await import('./commands/run.js')).runCommand,
  merge: async () => (await import('./commands/merge.js')).mergeCommand,
  compare: async () => (await import('./commands/compare.js')).compareCommand,
  report: async () => (await import('./commands/report.js')).reportCommand,
  verify: async () => (await import('./commands/verify.js')).verifyCommand,
  conformance: async () => (await import('./commands/conformance.js')).conformanceCommand,
  bench: async () => (await import('./commands/bench.js')).benchCommand,
  trace: async () => (await import('./commands/trace.js')).traceCommand,
  diff: async () => (await import('./commands/diff.js')).diffCommand,
  layout: async () => (await import('./commands/layout.js')).layoutCommand,
  map: async () => (await import('./commands/map.js')).mapCommand,
  memlock: async () => (await import('./commands/memlock.js')).memlockCommand,
  risk: async () => (await import('./commands/risk.js')).riskCommand,
  new: async () => (await import('./commands/new.js')).newCommand,
  list: async () => (await import('./commands/list.js')).listCommand,
};

/**
 * Runs one command line and returns the exit code. Bad usage and bad input become one message on stderr without a
 * stack trace; anything else is a bug of ours and is thrown.
 */
export async function runProgram(
  argv: readonly string[],
  io: Io,
  commands?: readonly Command[],
): Promise<ExitCode> {
  let exitCode: ExitCode = ExitCode.done;
  const program = yargs([...argv])
    .scriptName('kvabench')
    .version(toolVersion())
    .strict()
    .demandCommand(1, 'say what to do: kvabench --help lists the commands')
    .exitProcess(false)
    .showHelpOnFail(false)
    .wrap(Math.min(110, io.stdout.columns ?? 80))
    .fail((message, error) => {
      // yargs wraps some usage errors in a class of its own; only what commands throw is not about usage.
      throw error === undefined || error.name === 'YError' ? new InputError(message ?? error.message) : error;
    });
  for (const command of commands ?? (await load(COMMANDS, argv[0]))) {
    register(program, command, argv.slice(1), async (chosen, args) => {
      exitCode = await chosen.run(args, io);
    });
  }
  try {
    await program.parseAsync([...argv], {}, (_error, _args, output) => {
      if (output !== '') io.stdout.write(`${output}\n`);
    });
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    io.stderr.write(`kvabench: ${error.message}\n`);
    return ExitCode.badInput;
  }
  return exitCode;
}

/** The command of this name alone, or all of them where that is no name: for help, or to say what there is. */
async function load(loaders: CommandLoaders, name: string | undefined): Promise<readonly Command[]> {
  const isName = name !== undefined && Object.hasOwn(loaders, name);
  return Promise.all((isName ? [loaders[name]!] : Object.values(loaders)).map((loader) => loader()));
}

type Runner = (command: Command, args: Readonly<Record<string, unknown>>) => Promise<void>;

/** `rest` are the arguments behind the command's name. */
function register(program: Argv, command: Command, rest: readonly string[], run: Runner): void {
  const declare = async (yargs: Argv): Promise<Argv> => {
    for (const below of await load(command.subcommands ?? {}, rest[0])) {
      register(yargs, below, rest.slice(1), run);
    }
    return command.options(yargs);
  };
  program.command(command.usage, command.summary, declare, (args) => run(command, args));
}

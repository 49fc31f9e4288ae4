import yargs, { type Argv } from 'yargs';
import { InputError } from '../core/errors.js';
import { unknownName } from '../core/suggest.js';
import { toolVersion } from '../core/version.js';
import type { Command, CommandLoaders } from './command.js';
import { ExitCode, type Io } from './io.js';
import { tell } from './tell.js';
import { textWidth } from './text-output.js';
import { positionalsAfterDashes, requireValues, usageError } from './usage-error.js';

/** Characters of a line of help: longer ones are hard to read. */
const WIDEST_HELP = 110;

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
  const run: Runner = async (chosen, args) => {
    exitCode = await chosen.run(args, io);
  };
  try {
    const plain = positionalsAfterDashes(argv);
    await parse(plain, io, commands ?? (await load(COMMANDS, plain[0], 'command')), run);
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    tell(io, error.message);
    return ExitCode.badInput;
  }
  return exitCode;
}

/** @throws InputError for bad usage, and what the command throws. */
async function parse(
  argv: readonly string[],
  io: Io,
  commands: readonly Command[],
  run: Runner,
): Promise<void> {
  let synopsis = 'kvabench';
  const program: Argv = yargs([...argv])
    .scriptName('kvabench')
    .locale('en')
    .version(toolVersion())
    .alias('help', 'h')
    .strict()
    .check((args, declared) => requireValues(argv, args, declared, synopsis), true)
    .demandCommand(1, 'say what to do: kvabench --help lists the commands')
    .exitProcess(false)
    .showHelpOnFail(false)
    .wrap(Math.min(WIDEST_HELP, textWidth(io)))
    .fail((message, error) => {
      throw error ?? usageError(message, program, synopsis);
    });
  const called = (usage: string): void => {
    synopsis += ` ${usage}`;
  };
  for (const command of commands) register(program, command, argv.slice(1), { run, called });
  try {
    await program.parseAsync([...argv], {}, (_error, _args, output) => {
      if (output !== '') io.stdout.write(`${output}\n`);
    });
  } catch (error) {
    // yargs wraps some usage errors in a class of its own; only what commands throw is not about usage.
    throw error instanceof Error && error.name === 'YError'
      ? usageError(error.message, program, synopsis)
      : error;
  }
}

/**
 * The command of this name alone, or all of them where there is an option or nothing in its place: for help.
 * @throws InputError if there is none of this name; `kind` is the noun.
 */
async function load(
  loaders: CommandLoaders,
  name: string | undefined,
  kind: string,
): Promise<readonly Command[]> {
  if (name === undefined || name.startsWith('-')) {
    return Promise.all(Object.values(loaders).map((loader) => loader()));
  }
  if (!Object.hasOwn(loaders, name)) throw unknownName(kind, name, Object.keys(loaders));
  return [await loaders[name]!()];
}

type Runner = (command: Command, args: Readonly<Record<string, unknown>>) => Promise<void>;

/** What becomes of a command line. */
interface Calls {
  readonly run: Runner;
  /** Told the notation of each command on the way to the one that is run. */
  called(usage: string): void;
}

/** `rest` are the arguments behind the command's name. */
function register(program: Argv, command: Command, rest: readonly string[], calls: Calls): void {
  const declare = async (yargs: Argv): Promise<Argv> => {
    calls.called(command.usage);
    if (command.subcommands !== undefined) {
      for (const below of await load(command.subcommands, rest[0], `command of ${command.usage}`)) {
        register(yargs, below, rest.slice(1), calls);
      }
    }
    return command.options(yargs);
  };
  program.command(command.usage, command.summary, declare, (args) => calls.run(command, args));
}

import yargs, { type Argv } from 'yargs';
import { InputError } from '../core/errors.js';
import { toolVersion } from '../core/version.js';
import type { Command } from './command.js';
import { benchCommand } from './commands/bench.js';
import { compareCommand } from './commands/compare.js';
import { conformanceCommand } from './commands/conformance.js';
import { diffCommand } from './commands/diff.js';
import { layoutCommand } from './commands/layout.js';
import { listCommand } from './commands/list.js';
import { mapCommand } from './commands/map.js';
import { memlockCommand } from './commands/memlock.js';
import { mergeCommand } from './commands/merge.js';
import { newCommand } from './commands/new.js';
import { reportCommand } from './commands/report.js';
import { riskCommand } from './commands/risk.js';
import { runCommand } from './commands/run.js';
import { traceCommand } from './commands/trace.js';
import { verifyCommand } from './commands/verify.js';
import { ExitCode, type Io } from './io.js';

const COMMANDS: readonly Command[] = [
  runCommand,
  mergeCommand,
  compareCommand,
  reportCommand,
  verifyCommand,
  conformanceCommand,
  benchCommand,
  traceCommand,
  diffCommand,
  layoutCommand,
  mapCommand,
  memlockCommand,
  riskCommand,
  newCommand,
  listCommand,
];

/**
 * Runs one command line and returns the exit code. Bad usage and bad input become one message on stderr without a
 * stack trace; anything else is a bug of ours and is thrown.
 */
export async function runProgram(
  argv: readonly string[],
  io: Io,
  commands: readonly Command[] = COMMANDS,
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
  for (const command of commands) {
    register(program, command, async (chosen, args) => {
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

type Runner = (command: Command, args: Readonly<Record<string, unknown>>) => Promise<void>;

function register(program: Argv, command: Command, run: Runner): void {
  const declare = (yargs: Argv): Argv => {
    for (const below of command.subcommands ?? []) register(yargs, below, run);
    return command.options(yargs);
  };
  program.command(command.usage, command.summary, declare, (args) => run(command, args));
}

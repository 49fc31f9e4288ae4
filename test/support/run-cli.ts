import { Readable } from 'node:stream';
import type { Command } from '../../src/cli/command.js';
import { runProgram } from '../../src/cli/program.js';

/** What a command line did. */
export interface CliResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a command line in this process, with text streams that are no terminals; `commands` stand in for the program's. */
export async function runCli(
  argv: readonly string[],
  stdin = '',
  commands?: readonly Command[],
  env: Readonly<Record<string, string>> = {},
): Promise<CliResult> {
  const out: string[] = [];
  const err: string[] = [];
  const io = {
    stdout: { write: (text: string) => out.push(text) },
    stderr: { write: (text: string) => err.push(text) },
    stdin: Readable.from([stdin]),
    env,
  };
  const exitCode = await runProgram(argv, io, commands);
  return { exitCode, stdout: out.join(''), stderr: err.join('') };
}

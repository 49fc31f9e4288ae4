import { Readable } from 'node:stream';
import { runProgram } from '../../src/cli/program.js';

/** What a command line did. */
export interface CliResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a command line in this process, with text streams that are no terminals. */
export async function runCli(argv: readonly string[], stdin = ''): Promise<CliResult> {
  const out: string[] = [];
  const err: string[] = [];
  const exitCode = await runProgram(argv, {
    stdout: { write: (text) => out.push(text) },
    stderr: { write: (text) => err.push(text) },
    stdin: Readable.from([stdin]),
    env: {},
  });
  return { exitCode, stdout: out.join(''), stderr: err.join('') };
}

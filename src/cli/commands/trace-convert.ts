import type { Argv } from 'yargs';
import { InputError } from '../../core/errors.js';
import { isArrowFile, openTrace, verifyDigest } from '../../trace/arrow-reader.js';
import { readTraceCsv, writeTraceCsv } from '../../trace/trace-csv.js';
import type { Command } from '../command.js';
import { ExitCode } from '../io.js';
import { inputPath } from './trace-import.js';

/** `kvabench trace convert`: a trace as text, and back. */
export const traceConvertCommand: Command = {
  usage: 'convert <input>',
  summary: 'turn a trace into CSV, and such CSV into a trace; nothing is lost',
  options: (yargs) =>
    declareOutput(yargs).positional('input', {
      type: 'string',
      demandOption: true,
      describe: 'trace or CSV',
    }),
  async run(args, io) {
    const input = inputPath(args.input as string, io);
    const output = args.out as string;
    const overwrite = args.force === true;
    if (input !== '-' && isArrowFile(input)) {
      if (!output.endsWith('.csv'))
        throw new InputError('a trace becomes CSV', { field: '--out', allowed: '*.csv' });
      const trace = openTrace(input);
      verifyDigest(trace);
      writeTraceCsv(trace, output, overwrite);
      io.stdout.write(`${output}: ${trace.metadata.eventCount} events, digest ${trace.metadata.digest}\n`);
      return ExitCode.done;
    }
    const metadata = await readTraceCsv(input, io.stdin, output, { overwrite });
    io.stdout.write(`${output}: ${metadata.eventCount} events, digest ${metadata.digest}\n`);
    return ExitCode.done;
  },
};

/** Options of everything that writes a trace. */
export function declareOutput(yargs: Argv): Argv {
  return yargs
    .option('out', {
      alias: 'o',
      type: 'string',
      requiresArg: true,
      demandOption: true,
      describe: 'file to write',
    })
    .option('force', { type: 'boolean', describe: 'replace an existing file' });
}

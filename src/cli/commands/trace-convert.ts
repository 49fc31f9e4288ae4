import { extname } from 'node:path';
import type { Argv } from 'yargs';
import { InputError } from '../../core/errors.js';
import { isArrowFile, openTrace, verifyDigest } from '../../trace/arrow-reader.js';
import { refuseOwnInput } from '../../trace/import.js';
import { isParquetFile, readTraceParquet } from '../../trace/parquet-reader.js';
import { writeTraceParquet } from '../../trace/parquet-writer.js';
import type { TraceMetadata } from '../../trace/trace.js';
import { readTraceCsv, writeTraceCsv } from '../../trace/trace-csv.js';
import type { Command } from '../command.js';
import type { Io } from '../io.js';
import { outputPath } from '../option-values.js';
import { tracePath } from '../trace-path.js';
import { inputPath, untilInterrupted } from './trace-import.js';

/** `kvabench trace convert`: a trace as text or Parquet, and back. */
export const traceConvertCommand: Command = {
  usage: 'convert <input>',
  summary: 'Turn a trace into CSV or Parquet, and those into a trace; nothing is lost',
  options: (yargs) =>
    declareOutput(yargs).positional('input', {
      type: 'string',
      demandOption: true,
      describe: 'trace (name or file), CSV or Parquet of one',
    }),
  run(args, io) {
    const input = tracePath(inputPath(args.input as string, io));
    const output = outputPath(args, 'a file')!;
    const overwrite = args.force === true;
    refuseOwnInput(input, output);
    return untilInterrupted(io, async (signal) => {
      const metadata =
        input !== '-' && isArrowFile(input)
          ? await fromTrace(input, output, overwrite, signal)
          : await toTrace(input, io, output, overwrite, signal);
      io.stdout.write(`${output}: ${metadata.eventCount} events, digest ${metadata.digest}\n`);
    });
  },
};

async function fromTrace(
  input: string,
  output: string,
  overwrite: boolean,
  signal: AbortSignal,
): Promise<TraceMetadata> {
  const write = WRITERS.get(extname(output));
  if (write === undefined) {
    throw new InputError('a trace becomes CSV or Parquet', { field: '--out', allowed: '*.csv, *.parquet' });
  }
  const trace = openTrace(input);
  verifyDigest(trace);
  await write(trace, output, overwrite, signal);
  return trace.metadata;
}

/** Writers of what a trace becomes, by the end of the file's name. */
const WRITERS = new Map([
  ['.csv', writeTraceCsv],
  ['.parquet', writeTraceParquet],
]);

function toTrace(
  input: string,
  io: Io,
  output: string,
  overwrite: boolean,
  signal: AbortSignal,
): Promise<TraceMetadata> {
  if (WRITERS.has(extname(output))) {
    throw new InputError('CSV and Parquet become a trace', { field: '--out', allowed: '*.arrow' });
  }
  return input !== '-' && isParquetFile(input)
    ? readTraceParquet(input, output, { overwrite }, signal)
    : readTraceCsv(input, io.stdin, output, { overwrite }, signal);
}

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

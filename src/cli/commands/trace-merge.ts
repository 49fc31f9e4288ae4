import { InputError } from '../../core/errors.js';
import { openTrace, verifyDigest } from '../../trace/arrow-reader.js';
import { mergeTraces } from '../../trace/merge-traces.js';
import type { Command } from '../command.js';
import { outputPath, repeated } from '../option-values.js';
import { tracePath } from '../trace-path.js';
import { declareOutput } from './trace-convert.js';
import { untilInterrupted } from './trace-import.js';

/** `kvabench trace merge`: several traces of one run, on one clock. */
export const traceMergeCommand: Command = {
  usage: 'merge <traces..>',
  summary: 'Write several traces of one run, recorded on one clock, as one',
  options: (yargs) =>
    declareOutput(yargs).positional('traces', {
      type: 'string',
      array: true,
      demandOption: true,
      describe: 'traces to merge: names or files',
    }),
  run(args, io) {
    const paths = repeated(args.traces)!;
    if (paths.length < 2) throw new InputError('one trace is nothing to merge', { allowed: 'two or more' });
    const traces = paths.map((path) => openTrace(tracePath(path)));
    for (const trace of traces) verifyDigest(trace);
    const output = outputPath(args, 'a file')!;
    return untilInterrupted(io, async (signal) => {
      const metadata = await mergeTraces(traces, output, { overwrite: args.force === true }, signal);
      io.stdout.write(`${output}: ${metadata.eventCount} events, digest ${metadata.digest}\n`);
    });
  },
};

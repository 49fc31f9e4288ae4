import { InputError } from '../../core/errors.js';
import { REQUEST_CLASS_NAMES } from '../../core/request.js';
import { parseBytes, parseDuration } from '../../core/units.js';
import { openTrace, verifyDigest } from '../../trace/arrow-reader.js';
import { cutTrace, type TraceCut } from '../../trace/cut-trace.js';
import type { Command } from '../command.js';
import { integerOption, outputPath, repeated, singleOption } from '../option-values.js';
import { tracePath } from '../trace-path.js';
import { declareOutput } from './trace-convert.js';
import { untilInterrupted } from './trace-import.js';

/** `kvabench trace cut`: a part of a trace. */
export const traceCutCommand: Command = {
  usage: 'cut <trace>',
  summary: 'Write a part of a trace: by time, class, CPU, size, or a sample of its objects',
  options: (yargs) =>
    declareOutput(yargs)
      .positional('trace', { type: 'string', demandOption: true, describe: 'trace to cut: name or file' })
      .option('from', {
        type: 'string',
        requiresArg: true,
        describe: 'beginning, e.g. 1.5s; what lives then is kept',
      })
      .option('to', { type: 'string', requiresArg: true, describe: 'end, not included' })
      .option('class', { type: 'string', array: true, describe: 'request class to keep; may be repeated' })
      .option('cpu', { type: 'string', array: true, describe: 'CPU of the allocation; may be repeated' })
      .option('min-size', { type: 'string', requiresArg: true, describe: 'least size, e.g. 8K' })
      .option('max-size', { type: 'string', requiresArg: true, describe: 'greatest size' })
      .option('one-of', { type: 'string', requiresArg: true, describe: 'keep every nth object' }),
  run(args, io) {
    const trace = openTrace(tracePath(args.trace as string));
    verifyDigest(trace);
    const output = outputPath(args, 'a file')!;
    const cut = cutOf(args);
    return untilInterrupted(io, async (signal) => {
      const metadata = await cutTrace(trace, cut, output, { overwrite: args.force === true }, signal);
      io.stdout.write(`${output}: ${metadata.eventCount} events, digest ${metadata.digest}\n`);
    });
  },
};

function cutOf(args: Readonly<Record<string, unknown>>): TraceCut {
  const bytes = (option: string, absent: number) =>
    singleOption(args, option, (text) => parseBytes(text, { field: `--${option}` })) ?? absent;
  const time = (option: string, absent: number) =>
    singleOption(args, option, (text) => parseDuration(text, { field: `--${option}` })) ?? absent;
  const classes = repeated(args.class)?.map(classOf);
  const cpus = repeated(args.cpu)?.map((text) => integerOption('cpu', text, 0, 65_535));
  return {
    fromNs: time('from', 0),
    toNs: time('to', Number.POSITIVE_INFINITY),
    ...(classes === undefined ? {} : { classes: new Set(classes) }),
    ...(cpus === undefined ? {} : { cpus: new Set(cpus) }),
    minSize: bytes('min-size', 0),
    maxSize: bytes('max-size', Number.POSITIVE_INFINITY),
    oneOf: singleOption(args, 'one-of', (text) => integerOption('one-of', text, 1, 2 ** 32)) ?? 1,
  };
}

function classOf(name: string): number {
  const cls = (REQUEST_CLASS_NAMES as readonly string[]).indexOf(name);
  if (cls >= 0) return cls;
  throw new InputError(`'${name}' is no request class`, {
    field: '--class',
    allowed: REQUEST_CLASS_NAMES.join(', '),
  });
}

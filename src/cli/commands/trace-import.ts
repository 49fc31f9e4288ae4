import type { Argv } from 'yargs';
import { InputError } from '../../core/errors.js';
import { parseBytes } from '../../core/units.js';
import { toolVersion } from '../../core/version.js';
import { type ImportReport, importTrace } from '../../trace/import.js';
import { DEFAULT_IMPORT_OPTIONS, type ImportOptions } from '../../trace/importer.js';
import { IMPORTER_NAMES } from '../../trace/importers/registry.js';
import type { Command } from '../command.js';
import { ExitCode, type Io } from '../io.js';
import { integerOption, outputPath, repeated, singleOption } from '../option-values.js';
import { tell } from '../tell.js';
import { textWidth } from '../text-output.js';
import { skippedTable } from './trace-tables.js';

/** An option that has a value. */
const TEXT = { type: 'string', requiresArg: true } as const;

/** `kvabench trace import`: a recording becomes an Arrow file. */
export const traceImportCommand: Command = {
  usage: 'import <input>',
  summary: 'Turn a recording into a trace',
  options: declare,
  async run(args, io) {
    const output = outputPath(args, 'a file')!;
    return untilInterrupted(io, async (signal) => {
      const report = await importTrace({
        ...descriptionOf(args),
        ...inputsOf(args),
        input: inputPath(args.input as string, io),
        stdin: io.stdin,
        output,
        overwrite: args.force === true,
        options: importOptions(args),
        tool: `kvabench ${toolVersion()}`,
        signal,
      });
      io.stdout.write(describeReport(report, output, textWidth(io)));
    });
  },
};

/** Does an import that an interrupt gives up, so that no half-written file is left behind. */
export async function untilInterrupted(
  io: Io,
  work: (signal: AbortSignal) => Promise<void>,
): Promise<ExitCode> {
  const interrupt = new AbortController();
  const onInterrupt = (): void => interrupt.abort();
  process.once('SIGINT', onInterrupt);
  try {
    await work(interrupt.signal);
    return ExitCode.done;
  } catch (error) {
    if (error !== interrupt.signal.reason) throw error;
    tell(io, 'interrupted; nothing was written');
    return ExitCode.interrupted;
  } finally {
    process.removeListener('SIGINT', onInterrupt);
  }
}

function declare(yargs: Argv): Argv {
  return declareImportOptions(
    yargs
      .positional('input', {
        type: 'string',
        demandOption: true,
        describe: 'plain, gzip or zstd file; - is stdin',
      })
      .option('out', {
        alias: 'o',
        ...TEXT,
        demandOption: true,
        describe: 'trace to write',
      })
      .option('force', { type: 'boolean', describe: 'replace an existing file' })
      .option('name', {
        ...TEXT,
        describe: "name of the trace (default: the file's)",
      })
      .option('source-name', {
        ...TEXT,
        describe: 'what to call the recording, where it comes through a pipe',
      })
      .option('licence', { ...TEXT, describe: 'licence of the recording' })
      .option('capture', {
        ...TEXT,
        array: true,
        describe: 'how it was recorded; may be repeated',
      }),
  );
}

/** Options of everything that reads recordings. */
export function declareImportOptions(yargs: Argv): Argv {
  const { threadSize, guardSize, pageSize, tickNs, kmemSize, freeAt, seed, speedUp } = DEFAULT_IMPORT_OPTIONS;
  return yargs
    .option('format', {
      ...TEXT,
      describe: `default: told by the content (${IMPORTER_NAMES.join(', ')})`,
    })
    .option('with', {
      ...TEXT,
      array: true,
      describe: 'file that belongs to the recording; may be repeated',
    })
    .option('initial', {
      ...TEXT,
      describe: 'vmallocinfo from before the recording, or a tar archive (.tar.gz) with it',
    })
    .option('free-at', {
      choices: ['unmap', 'purge'] as const,
      default: freeAt,
      describe: 'when a vmap area is freed: unmapped, or its addresses returned by a purge',
    })
    .option('seed', {
      ...TEXT,
      default: String(seed),
      describe: 'seed of lifetimes within their bins (azure-v1); 0: the middle',
    })
    .option('speed-up', {
      ...TEXT,
      default: String(speedUp),
      describe: 'divides the times of fleets',
    })
    .option('thread-size', {
      ...TEXT,
      default: String(threadSize),
      describe: 'bytes of a kernel stack',
    })
    .option('guard-size', {
      ...TEXT,
      default: String(guardSize),
      describe: 'guard bytes of a stack area',
    })
    .option('page-size', {
      ...TEXT,
      default: String(pageSize),
      describe: 'bytes of a page',
    })
    .option('tick-ns', {
      ...TEXT,
      default: String(tickNs),
      describe: 'ns per unit of a clock of bare integers',
    })
    .option('kmem-size', {
      choices: ['requested', 'allocated'] as const,
      default: kmemSize,
      describe: 'size of kmem objects: bytes_req or bytes_alloc',
    });
}

/**
 * Path of an input, `-` for standard input: yargs hands a lone `-` on as an empty text.
 * @throws InputError if standard input is a terminal, where nobody types a recording.
 */
export function inputPath(path: string, { stdin }: Io): string {
  if (path !== '') return path;
  if ('isTTY' in stdin && stdin.isTTY === true) {
    throw new InputError('nothing to read: standard input is a terminal', {
      allowed: 'a file, or - and a pipe',
    });
  }
  return '-';
}

/** The options of declareImportOptions. @throws InputError if one is no length or number. */
export function importOptions(args: Readonly<Record<string, unknown>>): ImportOptions {
  const once = <T>(option: string, read: (text: string) => T): T => singleOption(args, option, read)!;
  const bytes = (option: string) => once(option, (text) => parseBytes(text, { field: `--${option}` }));
  const integer = (option: string, minimum: number, maximum: number): number =>
    once(option, (text) => integerOption(option, text, minimum, maximum));
  const pageSize = bytes('page-size');
  if (pageSize === 0) throw new InputError('a page has bytes', { field: '--page-size' });
  return {
    threadSize: bytes('thread-size'),
    guardSize: bytes('guard-size'),
    pageSize,
    tickNs: integer('tick-ns', 1, 1e9),
    kmemSize: once('kmem-size', (text) => text as ImportOptions['kmemSize']),
    freeAt: once('free-at', (text) => text as ImportOptions['freeAt']),
    seed: integer('seed', 0, 2 ** 32 - 1),
    speedUp: integer('speed-up', 1, 1e9),
  };
}

/** The format and the files beside the recording, as far as they were given. */
export function inputsOf(args: Readonly<Record<string, unknown>>) {
  const format = singleOption(args, 'format', String);
  const initial = singleOption(args, 'initial', String);
  return {
    ...(format === undefined ? {} : { format }),
    ...(initial === undefined ? {} : { initial }),
    companions: repeated(args.with) ?? [],
  };
}

function descriptionOf(args: Readonly<Record<string, unknown>>) {
  const name = singleOption(args, 'name', String);
  const licence = singleOption(args, 'licence', String);
  const sourceName = singleOption(args, 'source-name', String);
  const capture = repeated(args.capture)?.join('\n');
  return {
    ...(name === undefined ? {} : { name }),
    ...(sourceName === undefined ? {} : { sourceName }),
    ...(licence === undefined ? {} : { licence }),
    ...(capture === undefined ? {} : { capture }),
  };
}

function describeReport({ metadata, lines }: ImportReport, output: string, width: number): string {
  const skipped = metadata.skipped.length === 0 ? '' : `\n${skippedTable(metadata.skipped, width)}\n`;
  return `${output}: ${metadata.eventCount} events from ${lines} lines, digest ${metadata.digest}\n${skipped}`;
}

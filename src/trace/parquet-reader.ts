import { closeSync, fstatSync } from 'node:fs';
import { type FileMetaData, parquetMetadata, parquetRead, type RowGroup } from 'hyparquet';
import { InputError, MisuseError } from '../core/errors.js';
import { METADATA_KEY } from './arrow-format.js';
import { refuseOtherDigest } from './arrow-reader.js';
import { TraceWriter, type TraceWriterOptions, writtenDescription } from './arrow-writer.js';
import { EventColumns } from './columns.js';
import { TraceDigest } from './digest.js';
import { interruptible } from './interruptible.js';
import { parseMetadata } from './metadata-format.js';
import { beginsWith, openRegular, readAt } from './open-file.js';
import { PARQUET_MAGIC } from './parquet-format.js';
import { checkTail, isWhole, PARTS_KEY, type Part } from './seal.js';
import type { TraceMetadata } from './trace.js';

/** Length of the footer (4 bytes) and the magic. */
const END_BYTES = 4 + PARQUET_MAGIC.length;

/** Whether this is a regular file that begins as a Parquet file does. */
export function isParquetFile(path: string): boolean {
  return beginsWith(path, PARQUET_MAGIC);
}

/**
 * Reads what writeTraceParquet wrote and writes it as a trace, a row group at a time in memory. Each part of the file is
 * checked against its seal before hyparquet decodes it.
 * @throws InputError if the file is no trace, cut short, damaged, changed or of another format version; the signal's
 * reason if it gave the reading up. Nothing is written then.
 */
export async function readTraceParquet(
  input: string,
  output: string,
  options: TraceWriterOptions,
  signal?: AbortSignal,
): Promise<TraceMetadata> {
  const descriptor = openRegular(input);
  try {
    const footer = readFooter(descriptor, input);
    const writer = new TraceWriter(output, options);
    try {
      const digest = new TraceDigest();
      for await (const block of interruptible(rowGroups(descriptor, footer, input), signal)) {
        digest.update(block);
        writer.appendBlock(block);
      }
      refuseOtherDigest(digest.finish(footer.metadata), footer.metadata.digest, input);
      return writer.finish(writtenDescription(footer.metadata));
    } catch (error) {
      if (!(error instanceof MisuseError)) throw error;
      throw new InputError(`is not as kvabench wrote it: ${error.message}`, { file: input });
    } finally {
      writer.discard();
    }
  } finally {
    closeSync(descriptor);
  }
}

interface Footer {
  readonly parquet: FileMetaData;
  readonly metadata: TraceMetadata;
  /** The magic at the beginning, then the row groups. */
  readonly parts: readonly Part[];
}

function readFooter(descriptor: number, file: string): Footer {
  const size = fstatSync(descriptor).size;
  const end = readAt(descriptor, Math.max(0, size - END_BYTES), END_BYTES);
  if (size < PARQUET_MAGIC.length + END_BYTES || !end.subarray(4).equals(PARQUET_MAGIC)) {
    throw new InputError('is cut short: it does not end with PAR1', { file });
  }
  const footerBytes = end.readUInt32LE(0);
  const start = size - END_BYTES - footerBytes;
  if (start < PARQUET_MAGIC.length) {
    throw new InputError(`is damaged: its footer claims ${footerBytes} bytes`, { file });
  }
  const tail = readAt(descriptor, start, size - start);
  refuseBrokenSeal(checkTail(tail), file);
  const parquet = parquetMetadata(tail);
  const texts = new Map(parquet.key_value_metadata?.map(({ key, value }) => [key, value ?? '']));
  const parts = JSON.parse(texts.get(PARTS_KEY) ?? '[]') as readonly Part[];
  const bytes = parts.reduce((sum, [length]) => sum + length, 0);
  if (bytes !== start) {
    throw new InputError(`is damaged: ${start} bytes before the footer instead of ${bytes}`, { file });
  }
  return { parquet, metadata: parseMetadata(texts.get(METADATA_KEY) ?? '', file), parts };
}

function refuseBrokenSeal(seal: ReturnType<typeof checkTail>, file: string): void {
  if (seal === 'damaged') {
    throw new InputError('is damaged, or was written again by another program: its footer is not as sealed', {
      file,
    });
  }
  if (seal === 'absent') {
    throw new InputError('is a Parquet file but no trace: its footer has no seal of kvabench', {
      file,
      allowed: 'what kvabench trace convert writes',
    });
  }
}

/** The row groups as blocks. @throws InputError for one that is not as it was written. */
async function* rowGroups(
  descriptor: number,
  { parquet, parts }: Footer,
  file: string,
): AsyncGenerator<EventColumns> {
  let position = 0;
  for (const [index, part] of parts.entries()) {
    const bytes = readAt(descriptor, position, part[0]);
    if (!isWhole(bytes, part)) {
      throw new InputError(`is damaged within bytes ${position} to ${position + part[0] - 1}`, { file });
    }
    if (index > 0) yield await decode(bytes, position, parquet, parquet.row_groups[index - 1]!);
    position += part[0];
  }
}

/** A row group from its bytes, which begin at `position` of the file. */
async function decode(
  bytes: Buffer,
  position: number,
  parquet: FileMetaData,
  group: RowGroup,
): Promise<EventColumns> {
  const block = new EventColumns(Number(group.num_rows));
  block.length = block.capacity;
  const first = bytes.byteOffset - position;
  await parquetRead({
    file: {
      byteLength: position + bytes.length,
      slice: (from, to) =>
        bytes.buffer.slice(first + from, first + (to ?? position + bytes.length)) as ArrayBuffer,
    },
    metadata: { ...parquet, row_groups: [group], num_rows: group.num_rows },
    onChunk: ({ columnName, columnData, rowStart }) => {
      const column =
        block[columnName as Exclude<keyof EventColumns, 'length' | 'capacity' | 'append' | 'clear'>];
      column.set(columnData as ArrayLike<number>, rowStart);
    },
  });
  return block;
}

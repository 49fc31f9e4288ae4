import { closeSync, fstatSync } from 'node:fs';
import { type RecordBatch, RecordBatchReader, RecordBatchStreamWriter } from 'apache-arrow';
import { InputError } from '../core/errors.js';
import { ARROW_MAGIC, METADATA_KEY, traceSchema } from './arrow-format.js';
import { COLUMNS, type ColumnArray } from './columns.js';
import { TraceDigest } from './digest.js';
import { parseMetadata, readConstraints } from './metadata-format.js';
import { beginsWith, openRegular, readAt, readInto, withFile } from './open-file.js';
import { checkTail, END_MARK_BYTES, isWhole, PARTS_KEY, type Part } from './seal.js';
import type { Trace, TraceBlock, TraceMetadata } from './trace.js';
import { refuseFileOfOtherForm } from './trace-forms.js';

/** The magic and its padding; the rest up to the footer is an Arrow stream. */
const HEAD_BYTES = 8;
/** Length of the footer (4 bytes) and the magic. */
const END_BYTES = 4 + ARROW_MAGIC.length;

/**
 * Opens a trace for reading; only the footer is read and checked. Blocks are checked one by one as they are read.
 * @throws InputError if the file is missing, no Arrow file, cut short, damaged, foreign, or of another format version.
 */
export function openTrace(path: string): Trace {
  const { metadata, parts } = withFile(path, (descriptor) => readFooter(descriptor, path));
  return {
    path,
    metadata,
    constraints: readConstraints(metadata.constraints),
    blocks: () => readBlocks(path, parts),
  };
}

/** Whether this is a regular file that begins as an Arrow file does. */
export function isArrowFile(path: string): boolean {
  return beginsWith(path, ARROW_MAGIC);
}

/**
 * Reads the whole trace and compares its content with the digest in its metadata.
 * @throws InputError if they differ.
 */
export function verifyDigest(trace: Trace): void {
  const digest = new TraceDigest();
  for (const block of trace.blocks()) digest.update(block);
  refuseOtherDigest(digest.finish(trace.metadata), trace.metadata.digest, trace.path);
}

/** @throws InputError if the digest found is not the one in the metadata. */
export function refuseOtherDigest(found: string, stated: string, file: string): void {
  if (found === stated) return;
  throw new InputError(`the events were changed: their digest is ${found}`, { file, allowed: stated });
}

/** A trace file's footer: what it says about the trace, and the parts before it. */
interface Footer {
  readonly metadata: TraceMetadata;
  readonly parts: readonly Part[];
}

/**
 * Reads and checks the tail of the file. apache-arrow reads a footer only from a file that is in memory as a whole,
 * so it is given a file of the same footer without any batch.
 */
function readFooter(descriptor: number, file: string): Footer {
  const size = fstatSync(descriptor).size;
  const head = readAt(descriptor, 0, HEAD_BYTES);
  if (!head.subarray(0, ARROW_MAGIC.length).equals(ARROW_MAGIC)) {
    refuseFileOfOtherForm(file);
    throw new InputError('is no Arrow file: it does not begin with ARROW1', { file });
  }
  const end = readAt(descriptor, Math.max(0, size - END_BYTES), END_BYTES);
  if (size < HEAD_BYTES + END_BYTES || !end.subarray(4).equals(ARROW_MAGIC)) {
    throw new InputError('is cut short: it does not end with ARROW1', { file });
  }
  const footerBytes = end.readInt32LE(0);
  const start = size - END_BYTES - footerBytes - END_MARK_BYTES;
  if (footerBytes <= 0 || start < HEAD_BYTES) {
    throw new InputError(`is damaged: its footer claims ${footerBytes} bytes`, { file });
  }
  const tail = readAt(descriptor, start, size - start);
  refuseBrokenSeal(checkTail(tail), file);
  const { schema } = RecordBatchReader.from(Buffer.concat([head, tail.subarray(END_MARK_BYTES)])).open();
  const parts = JSON.parse(schema.metadata.get(PARTS_KEY)!) as readonly Part[];
  const bytes = parts.reduce((sum, [length]) => sum + length, 0);
  if (bytes !== start) {
    throw new InputError(`is damaged: ${start} bytes before the footer instead of ${bytes}`, { file });
  }
  return { metadata: parseMetadata(schema.metadata.get(METADATA_KEY)!, file), parts };
}

function refuseBrokenSeal(seal: ReturnType<typeof checkTail>, file: string): void {
  if (seal === 'damaged') {
    throw new InputError('is damaged, or was written again by another program: its footer is not as sealed', {
      file,
    });
  }
  if (seal === 'absent') {
    throw new InputError('is an Arrow file but no trace: its footer has no seal of kvabench', {
      file,
      allowed: 'what kvabench trace import writes',
    });
  }
}

/** The blocks as TraceWriter wrote them, which holds every event against the rules: they need no further check. */
function* readBlocks(file: string, parts: readonly Part[]): Generator<TraceBlock> {
  const descriptor = openRegular(file);
  try {
    for (const batch of batches(descriptor, parts, file)) yield blockOf(batch);
  } finally {
    closeSync(descriptor);
  }
}

/**
 * The record batches, each checked before it is decoded, all in the same memory. Each is given to apache-arrow as a
 * stream of our own schema and that batch, because it reads ahead in a longer one.
 * @throws InputError for a part that is not as it was written.
 */
function* batches(descriptor: number, parts: readonly Part[], file: string): Generator<RecordBatch> {
  const schema = schemaMessage();
  const largest = parts.reduce((most, [length]) => Math.max(most, length), 0);
  const buffer = Buffer.alloc(schema.length + largest);
  buffer.set(schema);
  let position = 0;
  for (const part of parts) {
    const stream = buffer.subarray(0, schema.length + part[0]);
    const bytes = readInto(stream.subarray(schema.length), descriptor, position);
    if (!isWhole(bytes, part)) {
      throw new InputError(`is damaged within bytes ${position} to ${position + part[0] - 1}`, { file });
    }
    if (position > 0) yield* RecordBatchReader.from(stream);
    position += part[0];
  }
}

/** The message that begins a stream of our columns: a whole stream without batches, less its end mark. */
function schemaMessage(): Uint8Array {
  const writer = new RecordBatchStreamWriter();
  writer.reset(undefined, traceSchema());
  writer.finish();
  return writer.toUint8Array(true).slice(0, -END_MARK_BYTES);
}

function blockOf(batch: RecordBatch): TraceBlock {
  const length = batch.numRows;
  const columns: Record<string, ColumnArray> = {};
  for (let index = 0; index < COLUMNS.length; index++) {
    const values = batch.data.children[index]!.values as ColumnArray;
    columns[COLUMNS[index]!.name] = values.subarray(0, length);
  }
  return { length, ...columns } as unknown as TraceBlock;
}

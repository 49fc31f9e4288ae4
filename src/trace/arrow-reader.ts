import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { type RecordBatch, RecordBatchReader, RecordBatchStreamWriter, type Schema } from 'apache-arrow';
import { InputError } from '../core/errors.js';
import { ARROW_MAGIC, readConstraints, readMetadata, traceSchema } from './arrow-format.js';
import { COLUMNS, type ColumnArray } from './columns.js';
import { TraceDigest } from './digest.js';
import { type Trace, type TraceBlock, type TraceMetadata, TraceOp } from './trace.js';

/** The magic and its padding; the rest up to the footer is an Arrow stream. */
const HEAD_BYTES = 8;
/** Length of the footer (4 bytes) and the magic. */
const TAIL_BYTES = 4 + ARROW_MAGIC.length;
const CHUNK_BYTES = 1 << 20;

/**
 * Opens a trace for reading; only the footer is read.
 * @throws InputError if the file is missing, no Arrow file, cut short, foreign, or of another format version.
 */
export function openTrace(path: string): Trace {
  const metadata = withFile(path, (descriptor) => readMetadata(readFooterSchema(descriptor, path), path));
  return {
    path,
    metadata,
    constraints: readConstraints(metadata.constraints),
    blocks: () => readBlocks(path, metadata),
  };
}

/** Whether the file begins as an Arrow file does. @throws InputError if it cannot be read. */
export function isArrowFile(path: string): boolean {
  return withFile(path, (descriptor) => readAt(descriptor, 0, ARROW_MAGIC.length).equals(ARROW_MAGIC));
}

/**
 * Reads the whole trace and compares its content with the digest in its metadata.
 * @throws InputError if they differ.
 */
export function verifyDigest(trace: Trace): void {
  const digest = new TraceDigest();
  for (const block of trace.blocks()) digest.update(block);
  const found = digest.finish(trace.metadata);
  if (found === trace.metadata.digest) return;
  throw new InputError(`the events were changed: their digest is ${found}`, {
    file: trace.path,
    allowed: trace.metadata.digest,
  });
}

function withFile<T>(path: string, use: (descriptor: number) => T): T {
  const descriptor = open(path);
  try {
    return use(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

function open(path: string): number {
  try {
    const descriptor = openSync(path, 'r');
    if (fstatSync(descriptor).isFile()) return descriptor;
    closeSync(descriptor);
  } catch (error) {
    throw new InputError(`cannot read the trace: ${(error as Error).message}`, { file: path });
  }
  throw new InputError('cannot read the trace: not a regular file', { file: path });
}

function readAt(descriptor: number, position: number, length: number): Buffer {
  const bytes = Buffer.alloc(length);
  let done = 0;
  for (let more = 1; more > 0 && done < length; done += more) {
    more = readSync(descriptor, bytes, done, length - done, position + done);
  }
  return bytes.subarray(0, done);
}

/**
 * Schema in the footer. apache-arrow reads a footer only from a file that is in memory as a whole, so it is given a
 * file of the same footer without any batch.
 */
function readFooterSchema(descriptor: number, file: string): Schema {
  const size = fstatSync(descriptor).size;
  if (!readAt(descriptor, 0, ARROW_MAGIC.length).equals(ARROW_MAGIC)) {
    throw new InputError('is no Arrow file: it does not begin with ARROW1', { file });
  }
  const tail = readAt(descriptor, Math.max(0, size - TAIL_BYTES), TAIL_BYTES);
  if (size < HEAD_BYTES + TAIL_BYTES || !tail.subarray(4).equals(ARROW_MAGIC)) {
    throw new InputError('is cut short: it does not end with ARROW1', { file });
  }
  const footerBytes = tail.readInt32LE(0);
  const start = size - TAIL_BYTES - footerBytes;
  if (footerBytes <= 0 || start < HEAD_BYTES) {
    throw new InputError(`is damaged: its footer claims ${footerBytes} bytes`, { file });
  }
  const head = readAt(descriptor, 0, HEAD_BYTES);
  const footer = readAt(descriptor, start, size - start);
  try {
    const reader = RecordBatchReader.from(Buffer.concat([head, footer]));
    return reader.open().schema;
  } catch (error) {
    throw new InputError(`has a damaged footer: ${(error as Error).message}`, { file });
  }
}

function* readBlocks(path: string, metadata: TraceMetadata): Generator<TraceBlock> {
  const descriptor = open(path);
  try {
    const batches = batchesOf(descriptor, path);
    const rules = new BlockRules(path, metadata);
    for (let batch = nextBatch(batches, path); batch !== undefined; batch = nextBatch(batches, path)) {
      const block = blockOf(batch, path);
      rules.check(block);
      yield block;
    }
    rules.finish();
  } finally {
    closeSync(descriptor);
  }
}

function batchesOf(descriptor: number, file: string): Iterator<RecordBatch> {
  try {
    return RecordBatchReader.from(chunks(descriptor))[Symbol.iterator]();
  } catch (error) {
    throw damaged(error, file);
  }
}

function nextBatch(batches: Iterator<RecordBatch>, file: string): RecordBatch | undefined {
  try {
    const { done, value } = batches.next();
    return done === true ? undefined : value;
  } catch (error) {
    throw damaged(error, file);
  }
}

function damaged(error: unknown, file: string): InputError {
  return new InputError(`is damaged: ${(error as Error).message}`, { file });
}

/**
 * The file as an Arrow stream. The footer's schema was checked when the trace was opened, so the stream begins with
 * our own schema message instead of the file's: apache-arrow may loop for hours over a damaged one. Each chunk is a
 * buffer of its own, because batches are views of it.
 */
function* chunks(descriptor: number): Generator<Uint8Array> {
  yield schemaMessage();
  const prefix = readAt(descriptor, HEAD_BYTES, 8);
  if (prefix.length < 8 || prefix.readInt32LE(0) !== -1) throw new Error('no schema message');
  let position = HEAD_BYTES + 8 + prefix.readUInt32LE(4);
  for (let more = true; more; ) {
    const chunk = readAt(descriptor, position, CHUNK_BYTES);
    position += chunk.length;
    more = chunk.length === CHUNK_BYTES;
    yield chunk;
  }
}

/** The message that begins a stream of our columns: a whole stream without batches, less its end mark. */
function schemaMessage(): Uint8Array {
  const writer = new RecordBatchStreamWriter();
  writer.reset(undefined, traceSchema());
  writer.finish();
  return writer.toUint8Array(true).slice(0, -8);
}

function blockOf(batch: RecordBatch, file: string): TraceBlock {
  const length = batch.numRows;
  const children = batch.data.children;
  const columns: Record<string, ColumnArray> = {};
  for (let index = 0; index < COLUMNS.length; index++) {
    const { name, array } = COLUMNS[index]!;
    const values: unknown = children[index]?.values;
    if (!(values instanceof array) || values.length < length || children[index]!.nullCount !== 0) {
      throw new InputError('is damaged: a block without the right values', { file, field: name });
    }
    columns[name] = values.length === length ? values : values.subarray(0, length);
  }
  return { length, ...columns } as unknown as TraceBlock;
}

/** Holds blocks against what the metadata promise, so that a damaged file cannot lead a replay astray. */
class BlockRules {
  private rows = 0;
  private lastNs = 0;

  constructor(
    private readonly file: string,
    private readonly metadata: TraceMetadata,
  ) {}

  check(block: TraceBlock): void {
    const { objectLimit, cpuCount } = this.metadata;
    const { timeNs, cpu, op, object, size, constraint } = block;
    const constraints = this.metadata.constraints.length;
    let last = this.lastNs;
    for (let row = 0; row < block.length; row++) {
      const time = timeNs[row]!;
      const known = object[row]! < objectLimit && cpu[row]! < cpuCount && constraint[row]! < constraints;
      if (!(time >= last && known && op[row]! <= TraceOp.free && size[row]! > 0)) this.fail(row);
      last = time;
    }
    this.lastNs = last;
    this.rows += block.length;
  }

  finish(): void {
    if (this.rows === this.metadata.eventCount) return;
    const { eventCount } = this.metadata;
    throw new InputError(`is damaged: ${this.rows} events instead of ${eventCount}`, { file: this.file });
  }

  private fail(row: number): never {
    throw new InputError(`is damaged: event ${this.rows + row} contradicts the metadata`, {
      file: this.file,
    });
  }
}

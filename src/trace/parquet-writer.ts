import { ByteWriter, ParquetWriter } from 'hyparquet-writer';
import { InputError } from '../core/errors.js';
import { METADATA_KEY } from './arrow-format.js';
import { COLUMNS, type ColumnArray } from './columns.js';
import { interruptible } from './interruptible.js';
import { PARQUET_MAGIC, PARQUET_SCHEMA } from './parquet-format.js';
import { PARTS_KEY, PartList, SEAL_KEY, sealTail, UNSEALED } from './seal.js';
import type { Trace, TraceBlock, TraceMetadata } from './trace.js';
import { TraceFile } from './trace-file.js';

/** hyparquet-writer refuses greater integers, without a sign or with one. */
const MAX_SLOTS = 2 ** 31;

/**
 * Writes a trace as a Parquet file, a row group for each block, with the metadata of the Arrow file and sealed as that
 * is. Memory is bounded by the largest block.
 * @throws InputError if the file exists and may not be replaced, or cannot be written; the signal's reason if it gave
 * that up. Then there is no new file.
 */
export async function writeTraceParquet(
  trace: Trace,
  output: string,
  overwrite: boolean,
  signal?: AbortSignal,
): Promise<void> {
  if (trace.metadata.objectLimit > MAX_SLOTS) {
    throw new InputError(`has ${trace.metadata.objectLimit} objects at a time`, {
      file: trace.path,
      allowed: `${MAX_SLOTS} in Parquet`,
    });
  }
  const file = new TraceFile(output, overwrite);
  try {
    const parquet = new ParquetFile(file);
    for await (const block of interruptible(trace.blocks(), signal)) parquet.writeBlock(block);
    parquet.finish(trace.metadata);
  } finally {
    file.discard();
  }
}

/** hyparquet-writer's writer on a trace's file. */
class ParquetFile {
  private readonly parts = new PartList();
  private readonly bytes = new ByteWriter(PARQUET_MAGIC.length);
  private readonly writer: ParquetWriter;

  constructor(private readonly file: TraceFile) {
    this.writer = new ParquetWriter({ writer: this.bytes, schema: PARQUET_SCHEMA, createdBy: 'kvabench' });
    this.endPart();
  }

  writeBlock(block: TraceBlock): void {
    const columnData = COLUMNS.map(({ name }) => ({
      name,
      data: decoded(block[name].subarray(0, block.length)),
      offsetIndex: false,
    }));
    this.writer.write({ columnData, rowGroupSize: block.length });
    this.endPart();
  }

  finish(metadata: TraceMetadata): void {
    this.writer.kvMetadata = [
      { key: METADATA_KEY, value: JSON.stringify(metadata) },
      { key: PARTS_KEY, value: JSON.stringify(this.parts.parts) },
      { key: SEAL_KEY, value: UNSEALED },
    ];
    this.writer.finish();
    const { buffer, index } = this.bytes;
    const tail = Buffer.from(buffer, 0, index);
    sealTail(tail);
    this.file.put(tail);
    this.file.complete();
  }

  /** Hands what was written since the last part to the file. */
  private endPart(): void {
    const part = this.bytes.getBytes();
    this.parts.add(part);
    this.parts.end();
    this.file.put(part);
    this.bytes.index = 0;
  }
}

/** hyparquet-writer takes no arrays of 16-bit integers. */
function decoded(column: ColumnArray): Exclude<ColumnArray, Uint16Array> {
  return column instanceof Uint16Array ? Int32Array.from(column) : column;
}

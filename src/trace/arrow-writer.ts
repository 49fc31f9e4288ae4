import { Message, makeData, RecordBatch, RecordBatchFileWriter, type Schema, Struct } from 'apache-arrow';
import { MisuseError } from '../core/errors.js';
import { REQUEST_CLASS_NAMES, RequestOp, UNCONSTRAINED } from '../core/request.js';
import { FORMAT_VERSION, METADATA_KEY, traceSchema } from './arrow-format.js';
import { COLUMNS, EventColumns } from './columns.js';
import { TraceDigest } from './digest.js';
import { PARTS_KEY, PartList, SEAL_KEY, sealTail, UNSEALED } from './seal.js';
import type { TraceBlock, TraceMetadata } from './trace.js';
import { TraceFile } from './trace-file.js';

// Copies: V8 reads an imported constant anew each time, and takes one of the module's own as a number.
const { alloc: ALLOC, free: FREE } = RequestOp;
const NO_CONSTRAINT = UNCONSTRAINED;

/** Rows of a record batch unless said otherwise: 2.5 MiB of columns. */
export const DEFAULT_BLOCK_ROWS = 65_536;

/** Rows that are added between two looks at the room that a block has left. */
const ROWS_AT_A_TIME = 256;

/** What a writer cannot know from the events. */
export type TraceDescription = Omit<
  TraceMetadata,
  'formatVersion' | 'eventCount' | 'durationNs' | 'objectLimit' | 'allocations' | 'digest'
>;

/** What a writer was told, in the order in which it was told: with it, the same events give the same file. */
export function writtenDescription(metadata: TraceMetadata): TraceDescription {
  const { formatVersion, eventCount, durationNs, objectLimit, allocations, digest, ...description } =
    metadata;
  return description;
}

export interface TraceWriterOptions {
  /** Rows per record batch; has no influence on the digest. */
  readonly blockRows?: number;
  /** Replace an existing file. */
  readonly overwrite?: boolean;
}

/**
 * Writes a trace as an Arrow IPC file in bounded memory: record batches go to a temporary file beside `path`, which
 * gets its name when `finish` has written the footer. Until then a file of that name stays as it was.
 */
export class TraceWriter {
  private readonly columns: EventColumns;
  /** Rows that may be added before `makeRoom`. */
  private room = 0;
  private readonly digest = new TraceDigest();
  private readonly file: ArrowFile;
  private readonly rules = new EventRules();

  /** @throws InputError if the file exists and may not be replaced, or cannot be written. */
  constructor(
    readonly path: string,
    options: TraceWriterOptions = {},
  ) {
    this.columns = new EventColumns(options.blockRows ?? DEFAULT_BLOCK_ROWS);
    this.file = new ArrowFile(new TraceFile(path, options.overwrite === true));
  }

  /**
   * Adds an event; the arguments are the columns of TraceBlock.
   * @throws MisuseError if the event breaks a rule of TraceBlock, allocates a live object, or frees or touches a dead one.
   */
  append(
    timeNs: number,
    cpu: number,
    op: number,
    cls: number,
    object: number,
    size: number,
    constraint: number,
    site: number,
    address: number,
  ): void {
    this.rules.check(timeNs, cpu, op, cls, object, size, constraint);
    if (this.room === 0) this.makeRoom();
    this.room--;
    this.columns.append(timeNs, cpu, op, cls, object, size, constraint, site, address);
  }

  /** Events so far. */
  get eventCount(): number {
    return this.rules.eventCount;
  }

  /** Adds all rows of a block. @throws MisuseError as `append`. */
  appendBlock(block: TraceBlock): void {
    for (let row = 0; row < block.length; row++) {
      this.append(
        block.timeNs[row]!,
        block.cpu[row]!,
        block.op[row]!,
        block.cls[row]!,
        block.object[row]!,
        block.size[row]!,
        block.constraint[row]!,
        block.site[row]!,
        block.address[row]!,
      );
    }
  }

  /**
   * Writes the footer with the metadata and gives the file its name.
   * @throws MisuseError if an event names a CPU, site or constraint that the description does not have.
   */
  finish(description: TraceDescription): TraceMetadata {
    this.flush();
    this.rules.checkAgainst(description);
    const metadata: TraceMetadata = {
      formatVersion: FORMAT_VERSION,
      ...description,
      ...this.rules.figures(),
      digest: this.digest.finish(description),
    };
    this.file.finish(metadata);
    return metadata;
  }

  /** Gives up: removes the temporary file. Does nothing after `finish`. */
  discard(): void {
    this.file.discard();
  }

  /**
   * Writes the block if it is full. Called so often that V8 knows the call when it compiles what appends: a call that it
   * has not seen yet would make it compile that once more, with all around it.
   */
  private makeRoom(): void {
    const { columns } = this;
    if (columns.length === columns.capacity) this.flush();
    this.room = Math.min(ROWS_AT_A_TIME, columns.capacity - columns.length);
  }

  private flush(): void {
    if (this.columns.length === 0) return;
    this.digest.update(this.columns);
    this.file.writeBlock(this.columns);
    this.columns.clear();
  }
}

/** Holds the events against the rules of TraceBlock and sums up what the metadata say about them. */
class EventRules {
  eventCount = 0;
  private lastNs = Number.NaN;
  private objectLimit = 0;
  private cpuLimit = 0;
  private constraintLimit = 0;
  private readonly allocations = new Float64Array(REQUEST_CLASS_NAMES.length);
  /** Class + 1 of the live object in each slot, 0 where there is none. */
  private live = new Uint8Array(0);

  constructor() {
    // V8 laid the field out for a double, as times are, because the number before was none of its small integers.
    this.lastNs = 0;
  }

  check(
    timeNs: number,
    cpu: number,
    op: number,
    cls: number,
    object: number,
    size: number,
    constraint: number,
  ): void {
    const ordered = timeNs >= this.lastNs && Number.isSafeInteger(timeNs);
    const sized = size > 0 && Number.isSafeInteger(size);
    if (!(ordered && sized && cpu >= 0 && cpu < 65_536 && object >= 0 && object < 2 ** 32 - 1)) {
      throw new MisuseError('bad trace event', { timeNs, after: this.lastNs, cpu, object, size });
    }
    this.checkLife(op, cls, object, constraint);
    this.lastNs = timeNs;
    this.eventCount++;
    if (cpu >= this.cpuLimit) this.cpuLimit = cpu + 1;
    if (object >= this.objectLimit) this.objectLimit = object + 1;
    if (constraint >= this.constraintLimit) this.constraintLimit = constraint + 1;
  }

  private checkLife(op: number, cls: number, object: number, constraint: number): void {
    if (object >= this.live.length) this.growTo(object);
    const alive = this.live[object]!;
    if (op === ALLOC && alive === 0 && cls < this.allocations.length) {
      this.live[object] = cls + 1;
      this.allocations[cls]!++;
    } else if (op === FREE && alive === cls + 1 && constraint === NO_CONSTRAINT) {
      this.live[object] = 0;
    } else if (!this.isAction(op, cls, object, constraint)) {
      throw new MisuseError('bad trace event', { op, cls, object, constraint, alive });
    }
  }

  /** Whether the event is one of those that leave all objects alive. */
  private isAction(op: number, cls: number, object: number, constraint: number): boolean {
    if (constraint !== NO_CONSTRAINT) return false;
    if (op === RequestOp.reclaim) return object === 0 && cls === 0;
    return op >= RequestOp.swapOut && op <= RequestOp.deflate && this.live[object] === cls + 1;
  }

  private growTo(object: number): void {
    const larger = new Uint8Array(Math.max(1024, object + 1, this.live.length * 2));
    larger.set(this.live);
    this.live = larger;
  }

  checkAgainst({ cpuCount, constraints }: TraceDescription): void {
    if (this.cpuLimit > cpuCount || this.constraintLimit > constraints.length) {
      const { cpuLimit, constraintLimit } = this;
      throw new MisuseError('events exceed the description', { cpuLimit, cpuCount, constraintLimit });
    }
  }

  figures(): Pick<TraceMetadata, 'eventCount' | 'durationNs' | 'objectLimit' | 'allocations'> {
    const named = REQUEST_CLASS_NAMES.map((name, cls): [string, number] => [name, this.allocations[cls]!]);
    return {
      eventCount: this.eventCount,
      durationNs: this.lastNs,
      objectLimit: this.objectLimit,
      allocations: Object.fromEntries(named.filter(([, count]) => count > 0)),
    };
  }
}

/** The bytes on disk: apache-arrow's file writer on a trace's file, and the seal. */
class ArrowFile {
  private readonly parts = new PartList();
  private readonly schema = traceSchema();
  private readonly writer: FooterLastWriter;

  constructor(private readonly file: TraceFile) {
    this.writer = new FooterLastWriter((bytes) => {
      this.parts.add(bytes);
      this.file.put(bytes);
    });
    this.writer.reset(undefined, this.schema);
    this.parts.end();
  }

  writeBlock(block: TraceBlock): void {
    const children = COLUMNS.map(({ name }, index) => {
      const data = block[name].subarray(0, block.length);
      return makeData({ type: this.schema.fields[index]!.type, length: block.length, nullCount: 0, data });
    });
    const type = new Struct(this.schema.fields);
    const data = makeData({ type, length: block.length, nullCount: 0, children });
    this.writer.write(new RecordBatch(this.schema, data));
    this.parts.end();
  }

  finish(metadata: TraceMetadata): void {
    const entries = new Map([
      [METADATA_KEY, JSON.stringify(metadata)],
      [PARTS_KEY, JSON.stringify(this.parts.parts)],
      [SEAL_KEY, UNSEALED],
    ]);
    const tail = this.writer.tail(traceSchema(entries));
    sealTail(tail);
    this.file.put(tail);
    this.file.complete();
  }

  discard(): void {
    this.file.discard();
  }
}

/**
 * apache-arrow's writer with three differences. Bytes go out at once instead of into a queue that only asynchronous
 * code can drain. The schema message that the format asks for after the magic is written (apache-arrow leaves it
 * out), so that the file can also be read as a stream. And what follows the last batch is handed over to be sealed,
 * with a schema of its own in the footer, because the metadata are not known before the last event.
 */
class FooterLastWriter extends RecordBatchFileWriter {
  private footerSchema: Schema | undefined;

  constructor(private put: (bytes: Uint8Array) => void) {
    super();
  }

  /** Ends the file; the bytes behind the last batch are returned instead of written. */
  tail(footerSchema: Schema): Buffer {
    const chunks: Uint8Array[] = [];
    this.put = (bytes) => chunks.push(bytes);
    this.footerSchema = footerSchema;
    this.finish();
    return Buffer.concat(chunks);
  }

  protected override _write(chunk: ArrayBufferView): this {
    if (!this._started) return this;
    this.put(new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength));
    this._position += chunk.byteLength;
    return this;
  }

  protected override _writeSchema(schema: Schema): this {
    return super._writeSchema(schema)._writeMessage(Message.from(schema));
  }

  protected override _writeFooter(schema: Schema): this {
    return super._writeFooter(this.footerSchema ?? schema);
  }
}

import { type Address, AddressSpace } from '../core/address.js';
import { InputError } from '../core/errors.js';
import type { Bytes, Nanoseconds } from '../core/units.js';
import { ARROW_MAGIC } from './arrow-format.js';
import { ByteNames } from './byte-names.js';
import { readWhole } from './import.js';
import {
  type AreaSink,
  DEFAULT_IMPORT_OPTIONS,
  type EventSink,
  type ImportContext,
  RecordedEvent,
  UnpurgedAreas,
} from './importer.js';
import { importerFor } from './importers/registry.js';
import { InitialAreas, snapshotText } from './initial-areas.js';
import { SkipTally } from './skip-tally.js';
import { openText } from './source.js';

/** What happened to the allocator. */
export const AreaOp = { alloc: 0, free: 1, purge: 2 } as const;
export type AreaOp = (typeof AreaOp)[keyof typeof AreaOp];

/** An area in the snapshot of /proc/vmallocinfo. */
export interface SnapshotArea {
  readonly start: Address;
  readonly size: Bytes;
  /** Whether it had been freed and waited for a purge. */
  readonly isWaiting: boolean;
}

/** The events of one window of addresses. */
export interface AreaWindow {
  readonly from: Address;
  /** Exclusive, except that the kernel writes the end of the main range as its last byte. */
  readonly to: Address;
}

/**
 * The events of Linux's vmap allocator from one recording, as columns in the order in which they were printed. NaN
 * stands for what the recording does not say.
 */
export interface KvaRecording {
  readonly file: string;
  readonly length: number;
  readonly op: readonly AreaOp[];
  readonly timeNs: readonly Nanoseconds[];
  readonly cpu: readonly number[];
  /** Start of the area, or of the range that a purge says it covered. */
  readonly start: readonly Address[];
  /** Bytes of the area. Of a purge: the end of its range. */
  readonly size: readonly number[];
  /** Bytes; allocations only. */
  readonly align: readonly Bytes[];
  /** Row of `windows` for an allocation, pages that then waited for a free, areas for a purge. */
  readonly detail: readonly number[];
  readonly windows: readonly AreaWindow[];
  /** CPUs that the recording says the machine has, or that occur in it. */
  readonly cpus: number;
  /** Whether the kernel had the tracepoints of 6.2 and later, and with 6.9 nodes; before, probes stood in. */
  readonly hasTracepoints: boolean;
  /** The snapshot, in address order; empty without. */
  readonly initial: readonly SnapshotArea[];
  /** Path of the snapshot, empty without. */
  readonly initialFile: string;
}

/** What to read. */
export interface KvaRecordingRequest {
  /** Path of the recording, `-` for `stdin`. */
  readonly input: string;
  readonly stdin: NodeJS.ReadableStream;
  /** Path of /proc/vmallocinfo from before the recording, or of a tar archive with it. */
  readonly initial?: string;
}

/**
 * Reads the allocator's events of a recording in any text format that has them, whole: a recording is read in order to
 * be replayed several times.
 * @throws InputError if it cannot be read, has no allocation with address and window, or the snapshot is none.
 */
export async function readKvaRecording(request: KvaRecordingRequest): Promise<KvaRecording> {
  const initial = request.initial === undefined ? [] : await readSnapshot(request.initial, request.stdin);
  const source = await openText(request.input, request.stdin);
  try {
    if (Buffer.from(source.head.subarray(0, ARROW_MAGIC.length)).equals(ARROW_MAGIC))
      throw new InputError('is an imported trace, which holds neither purges nor windows', {
        file: source.file,
        allowed: 'the recording that it was imported from',
      });
    const sink = new IgnoredEvents();
    const columns = new AreaColumns(sink.event);
    const parser = importerFor(source.head, source.file).start(contextOf(source.file, sink, columns));
    for await (const chunk of source.chunks()) parser.push(chunk);
    const { cpuCount, events } = parser.end();
    const recording = columns.recording(source.file, cpuCount, 'alloc_vmap_area' in events);
    return { ...recording, initial, initialFile: request.initial ?? '' };
  } finally {
    await source.close();
  }
}

async function readSnapshot(file: string, stdin: NodeJS.ReadableStream): Promise<SnapshotArea[]> {
  const areas = new SnapshotColumns();
  const context = contextOf(file, new IgnoredEvents(), areas);
  new InitialAreas(context).emit(snapshotText(await readWhole(file, stdin), file), file);
  return areas.list(file);
}

function contextOf(file: string, sink: EventSink, areas: AreaSink): ImportContext {
  return {
    sink,
    areas,
    file,
    sites: new ByteNames(),
    skips: new SkipTally(),
    options: { ...DEFAULT_IMPORT_OPTIONS, freeAt: 'purge' },
    unpurged: new UnpurgedAreas(),
    companions: [],
  };
}

/** Requests are not looked at: only what the allocator itself did. */
class IgnoredEvents implements EventSink {
  readonly event = new RecordedEvent();
  allocated(): void {}
  freed(): void {}
}

class SnapshotColumns implements AreaSink {
  private readonly areas = new Map<Address, SnapshotArea>();

  allocated(start: Address, size: Bytes): void {
    this.areas.set(start, { start, size, isWaiting: false });
  }

  freed(start: Address): void {
    this.areas.set(start, { ...this.areas.get(start)!, isWaiting: true });
  }

  purged(): void {}

  /** In address order. @throws InputError if two overlap. */
  list(file: string): SnapshotArea[] {
    const areas = [...this.areas.values()].sort((one, other) => one.start - other.start);
    const index = areas.findIndex(
      ({ start }, at) => at > 0 && start < areas[at - 1]!.start + areas[at - 1]!.size,
    );
    if (index < 0) return areas;
    const at = AddressSpace.canonical.format(areas[index]!.start);
    throw new InputError(`has an area at ${at} that overlaps the one below`, { file });
  }
}

class AreaColumns implements AreaSink {
  private readonly op: AreaOp[] = [];
  private readonly timeNs: Nanoseconds[] = [];
  private readonly cpu: number[] = [];
  private readonly start: Address[] = [];
  private readonly size: number[] = [];
  private readonly align: Bytes[] = [];
  private readonly detail: number[] = [];
  private readonly windows: AreaWindow[] = [];
  private readonly windowRows = new Map<string, number>();

  constructor(private readonly event: RecordedEvent) {}

  allocated(start: Address, size: Bytes, align: Bytes, from: Address, to: Address): void {
    this.add(AreaOp.alloc, start, size, this.windowRow(from, to));
    this.align.push(align);
  }

  freed(start: Address, size: Bytes, waiting: number): void {
    this.add(AreaOp.free, start, size, waiting);
    this.align.push(0);
  }

  purged(from: Address, to: Address, count: number): void {
    this.add(AreaOp.purge, from, to, count);
    this.align.push(0);
  }

  /** @throws InputError if there is no allocation, or one without a window. */
  recording(
    file: string,
    cpuCount: number,
    hasTracepoints: boolean,
  ): Omit<KvaRecording, 'initial' | 'initialFile'> {
    const { op, timeNs, cpu, start, size, align, detail, windows } = this;
    if (!op.includes(AreaOp.alloc)) {
      const allowed =
        'events alloc_vmap_area, free_vmap_area_noflush and purge_vmap_area_lazy (docs/capture.md)';
      throw new InputError('holds no allocation of kernel address space', { file, allowed });
    }
    if (windows.some(({ from, to }) => !(from < to)))
      throw new InputError('does not say within which window areas were asked for', {
        file,
        allowed: 'fields vstart and vend in alloc_vmap_area',
      });
    const columns = { op, timeNs, cpu, start, size, align, detail, windows };
    const cpus = cpu.reduce((most, one) => Math.max(most, one + 1), cpuCount);
    return { file, length: op.length, ...columns, cpus, hasTracepoints };
  }

  private add(op: AreaOp, start: Address, size: number, detail: number): void {
    this.op.push(op);
    this.timeNs.push(this.event.timeNs);
    this.cpu.push(this.event.cpu);
    this.start.push(start);
    this.size.push(size);
    this.detail.push(detail);
  }

  private windowRow(from: Address, to: Address): number {
    const key = `${from} ${to}`;
    let row = this.windowRows.get(key);
    if (row === undefined) {
      row = this.windows.push({ from, to }) - 1;
      this.windowRows.set(key, row);
    }
    return row;
  }
}

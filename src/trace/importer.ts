import { RequestClass } from '../core/request.js';
import { GIB, KIB } from '../core/units.js';
import type { ByteNames } from './byte-names.js';
import { LiveTable } from './live-table.js';
import type { SkipTally } from './skip-tally.js';

/** Facts about the recorded machine that a recording does not hold, and how to read it. */
export interface ImportOptions {
  /** Bytes of a kernel stack: THREAD_SIZE of Linux. */
  readonly threadSize: number;
  /** Guard bytes in the address range of a kernel stack. */
  readonly guardSize: number;
  /** Bytes of a page. */
  readonly pageSize: number;
  /** Nanoseconds of one unit of a clock that counts in bare integers (cycles, jiffies, event numbers). */
  readonly tickNs: number;
  /** Size of a kmem object: what its client asked for, or the slot of the slab that it got. */
  readonly kmemSize: 'requested' | 'allocated';
  /**
   * When a vmap area is freed: when it is unmapped, or when a purge lets Linux use its addresses again.
   */
  readonly freeAt: 'unmap' | 'purge';
  /** Seed of what a format leaves open (the point within a bin of lifetimes); 0 takes the middle. */
  readonly seed: number;
  /** Divides the times of fleets, whose months are more nanoseconds than a trace can count. */
  readonly speedUp: number;
}

/** Linux on x86-64 with CONFIG_VMAP_STACK. */
export const DEFAULT_IMPORT_OPTIONS: ImportOptions = {
  threadSize: 16 * KIB,
  guardSize: 4 * KIB,
  pageSize: 4 * KIB,
  tickNs: 1,
  kmemSize: 'requested',
  freeAt: 'unmap',
  seed: 0,
  speedUp: 1,
};

/** Largest page-block order that is believed: 2^30 pages would be more than any machine hands out at once. */
export const MAX_PAGE_ORDER = 30;
/** A trace counts the bytes of a request exactly. */
export const MAX_REQUEST_BYTES = Number.MAX_SAFE_INTEGER;
/** Ranges that start in the top 2 GiB of the address space hold module text (Linux, x86-64). */
export const MODULE_SPACE_START = 2 ** 53 - 2 * GIB;

/** Sets of keys within which an object is found again. */
export const NameSpace = {
  kmem: 0,
  vmap: 1,
  kstack: 2,
  task: 3,
  page: 4,
  /** Pointers of malloc(3). */
  heap: 5,
  /** Objects that the source numbers itself. */
  object: 6,
} as const;
export type NameSpace = (typeof NameSpace)[keyof typeof NameSpace];
export const NAME_SPACE_COUNT = Object.keys(NameSpace).length;

/**
 * The event that a parser has just read. One object that is filled anew for each event, so that reading a line
 * makes no garbage. `pid` is -1 where the format names none. What may exceed a small integer begins as NaN, a double:
 * V8 lays such fields out for doubles at once, and need not compile all that touches them a second time.
 */
export class RecordedEvent {
  /** Nanoseconds since the first stamp. */
  timeNs = Number.NaN;
  cpu = 0;
  pid = -1;
  space: NameSpace = NameSpace.kmem;
  /** RequestClass. For a free: the class to count it under if the object is unknown. */
  cls: number = RequestClass.kmem;
  /** What an object is found by in its name space: an integer from 0 to 2^53. */
  key = Number.NaN;
  /** Bytes asked for; not used by a free. */
  size = Number.NaN;
  /** Alignment asked for in bytes, 0 for none; not used by a free. */
  align = Number.NaN;
  /** Number of the call site, -1 for none. */
  site = -1;
  /** Number of AddressSpace.canonical, -1 for unknown; not used by a free. */
  address = Number.NaN;
  /** Whether the recorder may have written this allocation twice in a row (large kmalloc on Linux 6.12). */
  mayRepeat = false;
}

/** Where a parser hands its events: the pairing rules. */
export interface EventSink {
  readonly event: RecordedEvent;
  /** `event` is an allocation. */
  allocated(): void;
  /** `event` is a free. */
  freed(): void;
}

/** A file that belongs to the recording, whole and unpacked. */
export interface Companion {
  readonly file: string;
  readonly text: string;
}

/** Areas of Linux that are unmapped and wait for a purge, by their start. */
export class UnpurgedAreas {
  private readonly areas = new LiveTable();

  add(start: number): void {
    this.areas.set(start, 1);
  }

  /** To be called when the addresses are handed out again: a purge that was not recorded had returned them. */
  forget(start: number): void {
    this.areas.remove(start);
  }

  /** Takes out the areas that begin in [from, to), in ascending order. */
  take(from: number, to: number): number[] {
    const starts = this.areas.entries().map(([start]) => start);
    const purged = starts.filter((start) => start >= from && start < to).sort((a, b) => a - b);
    for (const start of purged) this.areas.remove(start);
    return purged;
  }
}

/**
 * Where a parser hands the events of Linux's vmap allocator as the kernel printed them, for those who follow its
 * addresses: a trace holds neither windows nor purges. NaN stands for what the recording does not say.
 */
export interface AreaSink {
  /** An area was allocated for a request with the window [from, to). */
  allocated(start: number, size: number, align: number, from: number, to: number): void;
  /** An area of `size` bytes was unmapped; `waiting` pages then waited for a purge. */
  freed(start: number, size: number, waiting: number): void;
  /** A purge of `count` areas in [from, to) has ended. */
  purged(from: number, to: number, count: number): void;
}

/** What a parser works with. */
export interface ImportContext {
  readonly sink: EventSink;
  readonly sites: ByteNames;
  readonly skips: SkipTally;
  readonly options: ImportOptions;
  readonly unpurged: UnpurgedAreas;
  /** The input, for messages. */
  readonly file: string;
  /** Files beside the input, in the order in which they were given. */
  readonly companions: readonly Companion[];
  /** Where the allocator's events go beside the sink. */
  readonly areas?: AreaSink;
}

/** What a parser knows at the end of the text. */
export interface ParsedText {
  /** First stamp in the source's own notation, empty if there was none. */
  readonly origin: string;
  readonly clock: string;
  /** CPUs that the source says it has, 0 if it does not. */
  readonly cpuCount: number;
  readonly lines: number;
  /** Recorded events by the source's own names, used or not. */
  readonly events: Readonly<Record<string, number>>;
}

/** Reads the bytes of one text, piece by piece, in memory that does not grow with its length. */
export interface TextParser {
  push(chunk: Uint8Array): void;
  end(): ParsedText;
}

/**
 * One recorded format. A new format costs a file in importers/, a line in importers/registry.ts and a test: files,
 * compression, pairing, slots and the Arrow file are done elsewhere. Whatever a parser cannot use it counts in
 * `context.skips` with a reason; it never throws over a line.
 */
export interface TraceImporter {
  readonly name: string;
  /** To be raised when the same text gives other events. */
  readonly version: number;
  readonly summary: string;
  /** Whether the first bytes of a text look like this format. */
  sniff(head: Uint8Array): boolean;
  /** @throws InputError if a companion that the format needs is missing or not what it should be. */
  start(context: ImportContext): TextParser;
}

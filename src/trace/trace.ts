import type { ConstraintTable } from '../core/request.js';

/**
 * A run of events: event i is row i of each column, there is no event object. Columns are views of the file's
 * buffers, valid until the next block is asked for.
 */
export interface TraceBlock {
  readonly length: number;
  /** Nanoseconds since the trace's origin, integers, non-decreasing over the whole trace. */
  readonly timeNs: Float64Array;
  readonly cpu: Uint16Array;
  /** RequestOp. */
  readonly op: Uint8Array;
  /** RequestClass. Whatever follows an allocation repeats its class; 0 for a reclaim. */
  readonly cls: Uint8Array;
  /** Slot of the live object, below `objectLimit`; reused after its free. Slots are shared by all classes. 0 for a
   * reclaim. */
  readonly object: Uint32Array;
  /** Bytes asked for. A free repeats the size of its allocation; 1 for a reclaim; else the bytes concerned. */
  readonly size: Float64Array;
  /** Row of the constraint table, or UNCONSTRAINED; UNCONSTRAINED for all but an allocation. */
  readonly constraint: Int32Array;
  /** Row of `metadata.sites`, or -1 where the source names none. */
  readonly site: Int32Array;
  /** Where the recorded kernel placed the object, as a number of AddressSpace.canonical; -1 where unknown. */
  readonly address: Float64Array;
}

/** How many events of a kind could not be used, and why. */
export interface SkippedEvents {
  /** Stable identifier such as `unparsed-line`, `lost-events`, `free-of-unknown`, `free-of-null`. */
  readonly reason: string;
  /** RequestClass name, or empty where the reason is about the text and not about a class. */
  readonly cls: string;
  readonly count: number;
  /** First lines concerned, shortened; at most three. */
  readonly samples: readonly string[];
}

/** Where a trace comes from; every field is printed by `trace info` and repeated in the results of a run. */
export interface TraceProvenance {
  /** File the events were read from, base name only. */
  readonly source: string;
  /** sha256 of the source's bytes (as stored, so of the compressed file), hex; empty for a generator's trace. */
  readonly sourceDigest: string;
  /** Importer or generator with its version, and the options that it was given. */
  readonly importer: string;
  readonly options: Readonly<Record<string, string | number | boolean>>;
  /** How the source was recorded: command or free text, as far as it is known. */
  readonly capture: string;
  readonly licence: string;
  /** Version of kvabench that wrote the file. */
  readonly tool: string;
}

/** Everything about a trace that is not a column; stored in the Arrow file's metadata. */
export interface TraceMetadata {
  readonly formatVersion: 1;
  readonly name: string;
  readonly provenance: TraceProvenance;
  /** Recorded time of time 0, in the source's own notation, and the source's clock where it is known. */
  readonly origin: string;
  readonly clock: string;
  readonly eventCount: number;
  /** timeNs of the last event. */
  readonly durationNs: number;
  /** Object slots used: the columns of a live table need this many rows. */
  readonly objectLimit: number;
  /** CPU numbers are below this. */
  readonly cpuCount: number;
  /** Allocations per request class, by class name. */
  readonly allocations: Readonly<Record<string, number>>;
  readonly skipped: readonly SkippedEvents[];
  /** Recorded events by the source's own names, used or not; absent where no recording was imported. */
  readonly recordedEvents?: Readonly<Record<string, number>>;
  /** sha256 over the columns' contents in event order and the tables `constraints` and `sites`; hex. Independent of
   * the block size: see TraceDigest. */
  readonly digest: string;
  readonly sites: readonly string[];
  readonly constraints: readonly TraceConstraint[];
}

/** A row of the constraint table as stored. Addresses as hex text of 64 bits; maxAddress is exclusive. */
export interface TraceConstraint {
  readonly align?: number;
  readonly phase?: number;
  readonly nocross?: number;
  readonly minAddress?: string;
  readonly maxAddress?: string;
}

/** An opened trace: metadata at hand, events block by block in bounded memory. */
export interface Trace {
  readonly path: string;
  readonly metadata: TraceMetadata;
  readonly constraints: ConstraintTable;
  /** Reads from the beginning at each call. @throws InputError where the file is damaged. */
  blocks(): Iterable<TraceBlock>;
}

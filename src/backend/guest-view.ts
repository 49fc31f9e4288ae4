import type { Bytes, Nanoseconds } from '../core/units.js';

/** Guest memory out of an arena of kernel addresses; counters only rise. */
export interface GuestFigures {
  /** Name of the arena without a source that guests get their addresses from. */
  readonly arena: string;
  /** Segments of guests asked for. */
  readonly requests: number;
  /** Refused because one segment would take more of the host's memory than the kernel lets it. */
  readonly refusedLength: number;
  /** Refused because guests have all of the host's memory. */
  readonly refusedMemory: number;
  /** Refused although there was memory, for want of addresses in one piece. */
  readonly refusedSpace: number;
  /** Address space of live segments, now and at most. */
  readonly segmentBytes: Bytes;
  readonly peakSegmentBytes: Bytes;
  /** The smallest that the largest free segment of the arena ever was. */
  readonly leastLargestFree: Bytes;
  /** Page tables for the kernel's mappings: for pages of 4 KiB, of 2 MiB, and the level above. */
  readonly pageTables: readonly number[];
  readonly peakPageTables: number;
  /** The first refusal for want of addresses; undefined while there is none. */
  readonly firstRefusal: GuestRefusal | undefined;
}

/** The state in which a segment of a guest found no addresses. */
export interface GuestRefusal {
  readonly timeNs: Nanoseconds;
  /** Segments asked for until then, that one included. */
  readonly requests: number;
  /** Address space that it needed. */
  readonly bytes: Bytes;
  /** Address space of live segments. */
  readonly segmentBytes: Bytes;
  readonly freeBytes: Bytes;
  readonly largestFree: Bytes;
}

/** What probes may see of guest memory. */
export interface GuestView {
  guestFigures(): GuestFigures;
}

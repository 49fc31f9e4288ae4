import type { KindFigures } from './statistics.js';
import type { TraceMetadata } from './trace.js';

/**
 * Figures of a trace in the words of other readers of recordings, so that they can be compared: frees are those in the
 * recording, not those in the trace. `vmap` are a kernel's areas together, stacks or not.
 */
export interface TraceFacts {
  readonly events: number;
  readonly counts: readonly (readonly [name: string, count: number])[];
  readonly unparsed: number;
  readonly lost_lines: number;
  readonly backwards_ts: number;
  readonly dup_large_kmalloc: number;
  readonly zero_size_free: number;
  readonly classes: Readonly<Record<string, ClassFacts>>;
}

/** Figures of one class; lifetimes are the shares of LIFE_SHARES. */
export interface ClassFacts {
  readonly allocs: number;
  readonly frees: number;
  readonly free_unknown: number;
  readonly free_null: number;
  readonly alloc_on_live: number;
  readonly live_end: number;
  readonly bytes_end: number;
  readonly peak_live: number;
  readonly peak_bytes: number;
  readonly distinct_sizes: number;
  readonly top_sizes: readonly (readonly [bytes: number, count: number])[];
  readonly life_us: readonly number[];
}

/** Names of kinds that others call otherwise. */
const NAMES: Readonly<Record<string, string>> = { 'va+stackArea': 'vmap' };

/** The facts of a trace from its figures. */
export function traceFacts(metadata: TraceMetadata, kinds: readonly KindFigures[]): TraceFacts {
  const skipped = (wanted: string) =>
    metadata.skipped.filter(({ reason }) => reason === wanted).reduce((sum, { count }) => sum + count, 0);
  const counts = Object.entries(metadata.recordedEvents ?? {}).sort(([, a], [, b]) => b - a);
  return {
    events: counts.reduce((sum, [, count]) => sum + count, 0),
    counts,
    unparsed: skipped('unparsed-line'),
    lost_lines: skipped('lost-events'),
    backwards_ts: skipped('backward-stamp'),
    dup_large_kmalloc: skipped('doubled-alloc'),
    zero_size_free: skipped('free-of-zero-size'),
    classes: Object.fromEntries(kinds.map((kind) => [NAMES[kind.name] ?? kind.name, classFacts(kind)])),
  };
}

function classFacts(kind: KindFigures): ClassFacts {
  return {
    allocs: kind.allocs,
    frees: kind.frees - kind.allocOnLive + kind.freeUnknown,
    free_unknown: kind.freeUnknown,
    free_null: kind.freeNull,
    alloc_on_live: kind.allocOnLive,
    live_end: kind.liveAtEnd,
    bytes_end: kind.bytesAtEnd,
    peak_live: kind.peakLive,
    peak_bytes: kind.peakBytes,
    distinct_sizes: kind.distinctSizes,
    top_sizes: kind.topSizes,
    life_us: kind.lifeUs,
  };
}

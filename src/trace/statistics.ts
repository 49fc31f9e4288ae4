import { REQUEST_CLASS_NAMES, RequestClass, RequestOp } from '../core/request.js';
import type { Nanoseconds } from '../core/units.js';
import type { Trace, TraceBlock } from './trace.js';

/** A kind of object whose population is counted as one: a request class, or several that share a name space. */
export interface TraceKind {
  readonly name: string;
  readonly classes: readonly number[];
}

/** Figures of one kind; everything is exact. */
export interface KindFigures {
  readonly name: string;
  readonly allocs: number;
  /** Frees in the trace, those put in before an allocation on a live object included. */
  readonly frees: number;
  /** Frees in the recording that named no known object; not in the trace. */
  readonly freeUnknown: number;
  /** Frees in the recording of NULL or of the zero-size pointer; not in the trace. */
  readonly freeNull: number;
  /** Allocations at an address that was live: a free was put before each. */
  readonly allocOnLive: number;
  readonly liveAtEnd: number;
  readonly bytesAtEnd: number;
  readonly peakLive: number;
  readonly peakBytes: number;
  /** Most objects that lived at a time in each of CURVE_POINTS equal shares of the recorded time. */
  readonly liveCurve: readonly number[];
  readonly distinctSizes: number;
  /** Size in bytes and number of allocations, most frequent first, then smallest. */
  readonly topSizes: readonly (readonly [number, number])[];
}

/** Each request class by itself, and all of a kernel's vmap areas together. */
export const DEFAULT_KINDS: readonly TraceKind[] = [
  ...REQUEST_CLASS_NAMES.map((name) => ({ name, classes: [RequestClass[name]] })),
  { name: 'va+stackArea', classes: [RequestClass.va, RequestClass.stackArea] },
];

const TOP_SIZES = 10;
/** Shares of the recorded time in a live curve. */
export const CURVE_POINTS = 50;

/**
 * Figures of each kind that has events, in the order of `kinds`; reads the whole trace once.
 * @throws InputError where the file is damaged.
 */
export function traceStatistics(trace: Trace, kinds: readonly TraceKind[] = DEFAULT_KINDS): KindFigures[] {
  const counters = kinds.map((kind) => new KindCounter(kind));
  const byClass = REQUEST_CLASS_NAMES.map((_, cls) =>
    counters.filter(({ kind }) => kind.classes.includes(cls)),
  );
  const shareNs = (trace.metadata.durationNs + 1) / CURVE_POINTS;
  for (const block of trace.blocks()) countBlock(block, byClass, shareNs);
  return counters.map((counter) => counter.figures(trace)).filter(hasEvents);
}

function countBlock(
  block: TraceBlock,
  byClass: readonly (readonly KindCounter[])[],
  shareNs: Nanoseconds,
): void {
  const { timeNs, op, cls, size } = block;
  for (let row = 0; row < block.length; row++) {
    const counters = byClass[cls[row]!]!;
    const share = Math.min(CURVE_POINTS - 1, Math.floor(timeNs[row]! / shareNs));
    for (let index = 0; index < counters.length; index++) {
      counters[index]!.reach(share);
      if (op[row] === RequestOp.alloc) counters[index]!.alloc(size[row]!);
      else if (op[row] === RequestOp.free) counters[index]!.free(size[row]!);
    }
  }
}

function hasEvents({ allocs, freeUnknown, freeNull }: KindFigures): boolean {
  return allocs + freeUnknown + freeNull > 0;
}

class KindCounter {
  private allocs = 0;
  private frees = 0;
  private bytes = 0;
  private peakLive = 0;
  private peakBytes = 0;
  private readonly sizes = new Map<number, number>();
  private readonly liveCurve: number[] = [0];

  constructor(readonly kind: TraceKind) {}

  /** The next event is in this share of the time: in those passed by, what lived went on living. */
  reach(share: number): void {
    while (this.liveCurve.length <= share) this.liveCurve.push(this.allocs - this.frees);
  }

  alloc(size: number): void {
    this.allocs++;
    this.bytes += size;
    this.sizes.set(size, (this.sizes.get(size) ?? 0) + 1);
    const live = this.allocs - this.frees;
    const share = this.liveCurve.length - 1;
    if (live > this.liveCurve[share]!) this.liveCurve[share] = live;
    if (live > this.peakLive) this.peakLive = live;
    if (this.bytes > this.peakBytes) this.peakBytes = this.bytes;
  }

  free(size: number): void {
    this.frees++;
    this.bytes -= size;
  }

  figures(trace: Trace): KindFigures {
    this.reach(CURVE_POINTS - 1);
    const names = this.kind.classes.map((cls): string => REQUEST_CLASS_NAMES[cls]!);
    const skipped = (...reasons: string[]) =>
      trace.metadata.skipped
        .filter(({ reason, cls }) => reasons.includes(reason) && names.includes(cls))
        .reduce((sum, { count }) => sum + count, 0);
    const sizes = [...this.sizes].sort(([a, countA], [b, countB]) => countB - countA || a - b);
    return {
      name: this.kind.name,
      allocs: this.allocs,
      frees: this.frees,
      freeUnknown: skipped('free-of-unknown'),
      freeNull: skipped('free-of-null', 'free-of-zero-size'),
      allocOnLive: skipped('alloc-on-live'),
      liveAtEnd: this.allocs - this.frees,
      bytesAtEnd: this.bytes,
      peakLive: this.peakLive,
      peakBytes: this.peakBytes,
      liveCurve: this.liveCurve,
      distinctSizes: sizes.length,
      topSizes: sizes.slice(0, TOP_SIZES),
    };
  }
}

import { REQUEST_CLASS_NAMES, RequestClass, RequestOp } from '../core/request.js';
import type { Nanoseconds } from '../core/units.js';
import { LiveTable } from './live-table.js';
import { PlaceCounter, type PlaceFigures } from './place-counter.js';
import type { Trace, TraceBlock, TraceMetadata } from './trace.js';

/** A kind of object whose population is counted as one: a request class, or several that share a name space. */
export interface TraceKind {
  readonly name: string;
  readonly classes: readonly number[];
}

/** Figures of one kind; everything is exact. */
export interface KindFigures extends PlaceFigures {
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
  /**
   * Microseconds from allocation to free that LIFE_SHARES of the objects do not exceed, of those that begin and end in
   * the trace; empty if there are none.
   */
  readonly lifeUs: readonly number[];
}

/** Each request class by itself, and all of a kernel's vmap areas together. */
export const DEFAULT_KINDS: readonly TraceKind[] = [
  ...REQUEST_CLASS_NAMES.map((name) => ({ name, classes: [RequestClass[name]] })),
  { name: 'va+stackArea', classes: [RequestClass.va, RequestClass.stackArea] },
];

const TOP_SIZES = 10;
/** Shares of the objects whose lifetimes are given, the last one that of the oldest. */
export const LIFE_SHARES = [0.05, 0.25, 0.5, 0.75, 0.9, 0.99, 1] as const;
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
  const reader = new EventCounter(byClass, trace.metadata);
  for (const block of trace.blocks()) reader.count(block);
  return counters.map((counter) => counter.figures(trace)).filter(hasEvents);
}

/** Tells the counters of each class what happens, and how long objects lived. */
class EventCounter {
  private readonly shareNs: Nanoseconds;
  private readonly bornNs: Float64Array;
  /** By class: whether the importer put frees in. */
  private readonly hasImplied: readonly boolean[];
  /** The free in the row before, if it names no call site: object, time and address; -1 for none. */
  private silentObject = -1;
  private silentNs = -1;
  private silentAddress = -1;

  constructor(
    private readonly byClass: readonly (readonly KindCounter[])[],
    metadata: TraceMetadata,
  ) {
    this.shareNs = (metadata.durationNs + 1) / CURVE_POINTS;
    this.bornNs = new Float64Array(metadata.objectLimit);
    const implied = metadata.skipped.filter(({ reason }) => reason === 'alloc-on-live');
    this.hasImplied = REQUEST_CLASS_NAMES.map((name) => implied.some(({ cls }) => cls === name));
  }

  count(block: TraceBlock): void {
    for (let row = 0; row < block.length; row++) {
      const share = Math.min(CURVE_POINTS - 1, Math.floor(block.timeNs[row]! / this.shareNs));
      const counters = this.byClass[block.cls[row]!]!;
      for (let index = 0; index < counters.length; index++)
        this.countRow(block, row, counters[index]!, share);
      this.remember(block, row);
    }
  }

  private countRow(block: TraceBlock, row: number, counter: KindCounter, share: number): void {
    const op = block.op[row]!;
    const size = block.size[row]!;
    counter.reach(share);
    if (op === RequestOp.alloc) {
      if (this.isImplied(block, row)) counter.forgetLife();
      counter.alloc(size, block.cpu[row]!, block.site[row]!);
    } else if (op === RequestOp.free) {
      counter.free(size, block.timeNs[row]! - this.bornNs[block.object[row]!]!);
    }
  }

  private remember({ op, object, timeNs, site, address }: TraceBlock, row: number): void {
    if (op[row] === RequestOp.alloc) this.bornNs[object[row]!] = timeNs[row]!;
    const silent = op[row] === RequestOp.free && site[row]! < 0;
    this.silentObject = silent ? object[row]! : -1;
    this.silentNs = timeNs[row]!;
    this.silentAddress = address[row]!;
  }

  /**
   * Whether the free in the row before was put in by the importer, because this allocation was at a live address: when
   * that object died is not known, so it has no lifetime.
   */
  private isImplied({ cls, object, timeNs, address }: TraceBlock, row: number): boolean {
    if (!this.hasImplied[cls[row]!]) return false;
    if (this.silentObject !== object[row] || this.silentNs !== timeNs[row]) return false;
    return this.silentAddress === address[row];
  }
}

function hasEvents({ allocs, freeUnknown, freeNull }: KindFigures): boolean {
  return allocs + freeUnknown + freeNull > 0;
}

/** Which of `count` sorted values stands for a share of them. */
function rankOf(share: number, count: number): number {
  return Math.min(count - 1, Math.floor(share * count));
}

class KindCounter {
  private allocs = 0;
  private frees = 0;
  private bytes = 0;
  private peakLive = 0;
  private peakBytes = 0;
  private readonly sizes = new Map<number, number>();
  /** Objects by their lifetime in nanoseconds: stamps of microseconds leave few different ones. */
  private readonly lives = new LiveTable();
  private readonly places = new PlaceCounter();
  private lived = 0;
  private lastLifeNs = 0;
  private readonly liveCurve: number[] = [0];

  constructor(readonly kind: TraceKind) {}

  /** The next event is in this share of the time: in those passed by, what lived went on living. */
  reach(share: number): void {
    while (this.liveCurve.length <= share) this.liveCurve.push(this.allocs - this.frees);
  }

  alloc(size: number, cpu: number, site: number): void {
    this.places.alloc(size, cpu, site);
    this.allocs++;
    this.bytes += size;
    this.sizes.set(size, (this.sizes.get(size) ?? 0) + 1);
    const live = this.allocs - this.frees;
    const share = this.liveCurve.length - 1;
    if (live > this.liveCurve[share]!) this.liveCurve[share] = live;
    if (live > this.peakLive) this.peakLive = live;
    if (this.bytes > this.peakBytes) this.peakBytes = this.bytes;
  }

  free(size: number, lifeNs: Nanoseconds): void {
    this.places.free(size, lifeNs);
    this.lives.set(lifeNs, Math.max(0, this.lives.get(lifeNs)) + 1);
    this.lastLifeNs = lifeNs;
    this.lived++;
    this.frees++;
    this.bytes -= size;
  }

  /** The lifetime that the last free gave is none. */
  forgetLife(): void {
    this.lives.set(this.lastLifeNs, this.lives.get(this.lastLifeNs) - 1);
    this.lived--;
    this.places.forgetLife();
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
      lifeUs: this.lifetimes(),
      ...this.places.figures(trace.metadata.sites),
    };
  }

  private lifetimes(): number[] {
    const lives = this.lives.entries().sort(([a], [b]) => a - b);
    const shares: number[] = [];
    let counted = 0;
    for (const [lifeNs, count] of lives) {
      counted += count;
      while (
        shares.length < LIFE_SHARES.length &&
        counted > rankOf(LIFE_SHARES[shares.length]!, this.lived)
      ) {
        shares.push(lifeNs / 1000);
      }
    }
    return shares;
  }
}

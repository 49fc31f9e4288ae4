/** A span as the slow reservoir keeps it. */
export interface SlowSpan {
  start: number;
  size: number;
}

interface SlowRegion {
  readonly spans: SlowSpan[];
  readonly size: number;
  readonly isTransient: boolean;
}

/** The reservoir with sorted lists and no index: every rule is a search through everything. */
export class SlowReservoir {
  free: SlowSpan[] = [];
  empty: SlowSpan[] = [];
  readonly regions = new Map<number, SlowRegion>();
  private last = 0;
  private readonly freeOf = { transient: 0, reserved: 0 };

  constructor(private readonly limit: number) {}

  add(size: number, isTransient: boolean): boolean {
    const live = [...this.regions.values()].reduce((sum, region) => sum + region.size, 0);
    if (live + this.freeOf.transient + this.freeOf.reserved + size > this.limit) return false;
    for (let rest = size; rest > 0; ) {
      const span = this.empty.length > 0 ? takeFrom(this.empty, rest) : { start: this.last, size: rest };
      this.last = Math.max(this.last, span.start + span.size);
      rest -= span.size;
      this.free = merged([...this.free, span]);
    }
    this.freeOf[isTransient ? 'transient' : 'reserved'] += size;
    return true;
  }

  remove(size: number, isTransient: boolean): boolean {
    const kind = isTransient ? 'transient' : 'reserved';
    if (size > this.freeOf[kind]) return false;
    for (let rest = size; rest > 0; ) {
      const span = takeFrom(this.free, rest);
      rest -= span.size;
      this.empty = merged([...this.empty, span]);
    }
    this.freeOf[kind] -= size;
    return true;
  }

  /** The spans of the region, or undefined. */
  alloc(id: number, size: number, isTransient: boolean): readonly SlowSpan[] | undefined {
    const isServed = isTransient ? this.add(size, true) : size <= this.freeOf.reserved;
    if (!isServed) return undefined;
    const spans: SlowSpan[] = [];
    for (let rest = size; rest > 0; rest -= spans.at(-1)!.size) spans.push(takeFrom(this.free, rest));
    this.freeOf[isTransient ? 'transient' : 'reserved'] -= size;
    this.regions.set(id, { spans, size, isTransient });
    return spans;
  }

  release(id: number): void {
    const { spans, size, isTransient } = this.regions.get(id)!;
    this.regions.delete(id);
    this.free = merged([...this.free, ...spans]);
    this.freeOf[isTransient ? 'transient' : 'reserved'] += size;
    if (isTransient) this.remove(size, true);
  }
}

/** Best fit, else the largest; the upper end of what is longer. */
function takeFrom(spans: SlowSpan[], want: number): SlowSpan {
  const fitting = spans
    .filter(({ size }) => size >= want)
    .sort((one, other) => one.size - other.size || one.start - other.start)[0];
  const largest = [...spans].sort((one, other) => other.size - one.size || other.start - one.start)[0]!;
  const chosen = fitting ?? largest;
  if (chosen.size <= want) {
    spans.splice(spans.indexOf(chosen), 1);
    return { ...chosen };
  }
  chosen.size -= want;
  return { start: chosen.start + chosen.size, size: want };
}

function merged(spans: readonly SlowSpan[]): SlowSpan[] {
  const result: SlowSpan[] = [];
  for (const { start, size } of [...spans].sort((one, other) => one.start - other.start)) {
    const before = result.at(-1);
    if (before !== undefined && before.start + before.size === start) before.size += size;
    else result.push({ start, size });
  }
  return result;
}

/** A segment of a span; free ones are also in a list of their size class. */
interface Segment {
  start: bigint;
  size: bigint;
  isBusy: boolean;
}

interface Span {
  readonly base: bigint;
  readonly size: bigint;
  readonly isImported: boolean;
  /** In address order. */
  readonly segments: Segment[];
}

export interface SlowRequest {
  readonly size: bigint;
  readonly isBestFit: boolean;
  readonly align: bigint;
  readonly phase: bigint;
  readonly nocross: bigint;
  readonly min: bigint;
  /** Inclusive. */
  readonly max: bigint;
}

const u64 = (value: bigint) => BigInt.asUintN(64, value);

/** The kernel's rounding: modulo 2^64. */
const roundUp = (value: bigint, unit: bigint) => u64(-(u64(-value) & u64(-unit)));

/**
 * Slow reference of NetBSD's vmem without quantum caches and tag supply: arrays of objects, 64-bit integers that wrap
 * as the kernel's do, everything found by looking at everything. Written from the specification alone.
 */
export class SlowNetbsdVmem {
  /** In order of creation. */
  readonly spans: Span[] = [];
  /** Free segments by floor(log2(quanta)), the last listed first. */
  readonly lists: Segment[][] = Array.from({ length: 64 }, () => []);

  constructor(
    private readonly quantum: bigint,
    private readonly source: SlowNetbsdVmem | null = null,
    private readonly importFactor = 1n,
    private readonly granule = 1n,
  ) {}

  addSpan(base: bigint, size: bigint, isImported = false): void {
    const segment = { start: base, size, isBusy: false };
    this.spans.push({ base, size, isImported, segments: [segment] });
    this.list(segment);
  }

  /** vmem_alloc. */
  alloc(size: bigint, isBestFit: boolean): bigint | null {
    const max = 2n ** 64n - 1n;
    return this.xalloc({ size, isBestFit, align: this.quantum, phase: 0n, nocross: 0n, min: 0n, max });
  }

  /** vmem_xalloc; null when exhausted. */
  xalloc(request: SlowRequest): bigint | null {
    const size = roundUp(request.size, this.quantum);
    const exact = { ...request, size };
    const importable = exact.align === this.quantum && exact.phase === 0n && exact.nocross === 0n;
    let found = request.isBestFit ? null : this.instantFit(exact);
    found ??= this.bestFit(exact);
    while (found === null && importable && this.import(size, request.isBestFit)) found = this.bestFit(exact);
    return found === null ? null : this.carve(found.segment, found.start, size);
  }

  free(start: bigint): void {
    const span = this.spans.find(({ segments }) =>
      segments.some((one) => one.start === start && one.isBusy),
    )!;
    const at = span.segments.findIndex((one) => one.start === start);
    const freed = span.segments[at]!;
    freed.isBusy = false;
    const [right, left] = [span.segments[at + 1], span.segments[at - 1]];
    for (const other of [right, left]) {
      if (other === undefined || other.isBusy) continue;
      this.unlist(other);
      span.segments.splice(span.segments.indexOf(other), 1);
      freed.size += other.size;
      if (other === left) freed.start = left.start;
    }
    if (!span.isImported || freed.size !== span.size) this.list(freed);
    else {
      this.spans.splice(this.spans.indexOf(span), 1);
      this.source!.free(span.base);
    }
  }

  /** Tags in the order of the segment list. */
  lines(): string[] {
    return this.spans.flatMap(({ base, size, isImported, segments }) => [
      `${isImported ? 'span' : 'static'} ${base} ${size}`,
      ...segments.map((one) => `${one.isBusy ? 'busy' : 'free'} ${one.start} ${one.size}`),
    ]);
  }

  /** Free lists, each from its head. */
  listLines(): string[] {
    return this.lists.flatMap((list, index) => list.map(({ start, size }) => `${index} ${start} ${size}`));
  }

  private classOf(size: bigint): number {
    return (size / this.quantum).toString(2).length - 1;
  }

  private list(segment: Segment): void {
    this.lists[this.classOf(segment.size)]!.unshift(segment);
  }

  private unlist(segment: Segment): void {
    const list = this.lists[this.classOf(segment.size)]!;
    list.splice(list.indexOf(segment), 1);
  }

  private instantFit(request: SlowRequest): { segment: Segment; start: bigint } | null {
    const own = this.classOf(request.size);
    const isPower = request.size === this.quantum << BigInt(own);
    const heads = this.lists.slice(isPower ? own : own + 1).flatMap((list) => list.slice(0, 1));
    return this.firstFit(heads, request);
  }

  private bestFit(request: SlowRequest): { segment: Segment; start: bigint } | null {
    const members = this.lists.slice(this.classOf(request.size)).flat();
    return this.firstFit(
      members.filter(({ size }) => size >= request.size),
      request,
    );
  }

  private firstFit(segments: Segment[], request: SlowRequest): { segment: Segment; start: bigint } | null {
    for (const segment of segments) {
      const start = placeIn(segment, request);
      if (start !== null) return { segment, start };
    }
    return null;
  }

  private carve(segment: Segment, start: bigint, size: bigint): bigint {
    const { segments } = this.spans.find((span) => span.segments.includes(segment))!;
    this.unlist(segment);
    if (start !== segment.start) {
      const front = { start: segment.start, size: start - segment.start, isBusy: false };
      segments.splice(segments.indexOf(segment), 0, front);
      segment.start = start;
      segment.size -= front.size;
      this.list(front);
    }
    if (segment.size > size) {
      segments.splice(segments.indexOf(segment), 0, { start, size, isBusy: true });
      segment.start += size;
      segment.size -= size;
      this.list(segment);
    } else segment.isBusy = true;
    return start;
  }

  private import(size: bigint, isBestFit: boolean): boolean {
    if (this.source === null) return false;
    const bytes = roundUp(size * this.importFactor, this.granule);
    const base = this.source.alloc(bytes, isBestFit);
    if (base === null) return false;
    this.addSpan(base, bytes, true);
    return true;
  }
}

/** Where the request fits into the segment, or null. */
function placeIn(segment: Segment, { size, align, phase, nocross, min, max }: SlowRequest): bigint | null {
  const last = segment.start + segment.size - 1n;
  const end = last < max ? last : max;
  let start = segment.start > min ? segment.start : min;
  if (start > end) return null;
  start = u64(roundUp(u64(start - phase), align) + phase);
  if (start < segment.start) start += align;
  const crossed = nocross === 0n ? 0n : (start ^ (start + size - 1n)) & u64(-nocross);
  if (crossed !== 0n) start = u64(roundUp(u64(start - phase), nocross) + phase);
  return start <= end && end - start >= size - 1n ? start : null;
}

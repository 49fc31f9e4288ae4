/** A segment of the list, or the cursor. */
interface Tag {
  readonly kind: 'static' | 'span' | 'segment' | 'cursor';
  start: bigint;
  size: bigint;
  isBusy: boolean;
  /** Free list, by number; kept when next fit enlarges the segment. */
  list: number;
}

export type SlowStrategy = 'best' | 'first' | 'next';

export interface SlowRequest {
  readonly size: bigint;
  readonly strategy: SlowStrategy;
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

/** What the request by next fit would do for ever. */
export class SlowEndlessScan extends Error {}

/**
 * Slow reference of FreeBSD's vmem without quantum caches: one array for the segment list, 64-bit integers that wrap as
 * the kernel's do, everything found by looking at everything. Written from the specification alone.
 */
export class SlowFreebsdVmem {
  readonly tags: Tag[] = [{ kind: 'cursor', start: 0n, size: 0n, isBusy: true, list: -1 }];
  /** Free segments, the last listed first. */
  private readonly listed: Tag[] = [];

  constructor(
    private readonly quantum: bigint,
    private readonly source: SlowFreebsdVmem | null = null,
    private readonly importQuantum = 1n,
    private readonly releases = false,
  ) {}

  addSpan(start: bigint, size: bigint, kind: 'static' | 'span' = 'static'): void {
    const last = this.tags.at(-1)!;
    const touches = last.kind === 'segment' && last.start + last.size === start && !this.releases;
    if (touches && !last.isBusy) {
      this.unlist(last);
      last.size += size;
      this.list(last);
      return;
    }
    if (!touches) this.tags.push({ kind, start, size, isBusy: true, list: -1 });
    const segment: Tag = { kind: 'segment', start, size, isBusy: false, list: -1 };
    this.tags.push(segment);
    this.list(segment);
  }

  /** vmem_xalloc; null when exhausted. */
  xalloc(request: SlowRequest): bigint | null {
    const exact = { ...request, size: roundUp(request.size, this.quantum) };
    if (request.strategy === 'next') return this.nextFit(exact);
    let found = request.strategy === 'first' ? this.pick(this.heads(exact.size), exact) : null;
    found ??= this.pick(this.members(exact.size), exact);
    while (found === null && this.import(exact)) found = this.pick(this.members(exact.size), exact);
    return found === null ? null : this.carve(found.tag, found.start, exact.size);
  }

  free(start: bigint): void {
    const freed = this.tags.find((tag) => tag.kind === 'segment' && tag.isBusy && tag.start === start)!;
    freed.isBusy = false;
    for (const other of [this.beside(freed, 1), this.beside(freed, -1)]) {
      if (other?.kind !== 'segment' || other.isBusy) continue;
      this.unlist(other);
      this.drop(other);
      freed.size += other.size;
      if (other.start < freed.start) freed.start = other.start;
    }
    if (!this.release(freed)) this.list(freed);
  }

  /** Tags in the order of the segment list. */
  lines(): string[] {
    return this.tags.map(({ kind, start, size, isBusy }) => {
      const name = kind === 'segment' ? (isBusy ? 'busy' : 'free') : kind;
      return `${name} ${start} ${size}`;
    });
  }

  /** Free lists, each from its head. */
  listLines(): string[] {
    const ordered = this.listed.toSorted((a, b) => a.list - b.list);
    return ordered.map(({ list, start, size }) => `${list} ${start} ${size}`);
  }

  private listOf(size: bigint): number {
    const quanta = size / this.quantum;
    return quanta <= 32n ? Number(quanta) - 1 : quanta.toString(2).length + 25;
  }

  private list(tag: Tag): void {
    tag.list = this.listOf(tag.size);
    this.listed.unshift(tag);
  }

  private unlist(tag: Tag): void {
    this.listed.splice(this.listed.indexOf(tag), 1);
  }

  private drop(tag: Tag): void {
    this.tags.splice(this.tags.indexOf(tag), 1);
  }

  private beside(tag: Tag, step: number): Tag | undefined {
    return this.tags[this.tags.indexOf(tag) + step];
  }

  /** Members of all lists from that of the size on, in the order in which best fit looks at them. */
  private members(size: bigint): Tag[] {
    const from = this.listOf(size);
    return this.listed.filter(({ list }) => list >= from).sort((a, b) => a.list - b.list);
  }

  /** Heads of the lists whose least size, not that of their members, is enough. */
  private heads(size: bigint): Tag[] {
    const least = (list: number) => this.quantum * (list < 32 ? BigInt(list + 1) : 1n << BigInt(list - 26));
    const sure = this.members(size).filter(({ list }) => least(list) >= size);
    return sure.filter((tag, index) => tag.list !== sure[index - 1]?.list);
  }

  private pick(tags: readonly Tag[], request: SlowRequest): { tag: Tag; start: bigint } | null {
    for (const tag of tags) {
      const start = tag.size >= request.size ? placeIn(tag, request) : null;
      if (start !== null) return { tag, start };
    }
    return null;
  }

  private nextFit(request: SlowRequest): bigint | null {
    for (;;) {
      const at = this.tags.findIndex(({ kind }) => kind === 'cursor');
      const cursor = this.tags[at]!;
      const around = [...this.tags.slice(at + 1), ...this.tags.slice(0, at)];
      let found = this.pick(
        around.filter(({ kind, isBusy }) => kind === 'segment' && !isBusy),
        request,
      );
      if (found === null && at === 0) throw new SlowEndlessScan();
      let start = found === null ? null : this.carve(found.tag, found.start, request.size);
      const merged = this.mergeAt(cursor);
      if (merged !== null) {
        const again = start === null ? this.pick([merged], request) : null;
        if (again !== null) {
          found = again;
          start = this.carve(merged, again.start, request.size);
        } else if (this.release(merged)) this.unlist(merged);
      }
      if (start !== null) {
        this.moveCursor(cursor, found!.tag, start + request.size);
        return start;
      }
      if (!this.import(request)) return null;
    }
  }

  private mergeAt(cursor: Tag): Tag | null {
    const [left, right] = [this.beside(cursor, -1), this.beside(cursor, 1)];
    if (left === undefined || right === undefined || left.isBusy || right.isBusy) return null;
    if (left.start + left.size !== right.start) return null;
    left.size += right.size;
    this.unlist(right);
    this.drop(right);
    return left;
  }

  private moveCursor(cursor: Tag, from: Tag, end: bigint): void {
    this.drop(cursor);
    const at = this.tags.findIndex((tag, index) => index >= this.tags.indexOf(from) && tag.start >= end);
    this.tags.splice(Math.max(at, 0), 0, cursor);
  }

  private carve(tag: Tag, start: bigint, size: bigint): bigint {
    this.unlist(tag);
    if (start !== tag.start) {
      const front = { ...tag, size: start - tag.start };
      this.tags.splice(this.tags.indexOf(tag), 0, front);
      tag.size -= front.size;
      tag.start = start;
      this.list(front);
    }
    if (tag.size > size) {
      this.tags.splice(this.tags.indexOf(tag), 0, { ...tag, size, isBusy: true });
      tag.start += size;
      tag.size -= size;
      this.list(tag);
    } else tag.isBusy = true;
    return start;
  }

  /** Whether the free segment filled an imported span and went back with it. */
  private release(tag: Tag): boolean {
    const span = this.beside(tag, -1);
    if (!this.releases || span?.kind !== 'span' || span.size !== tag.size) return false;
    this.drop(tag);
    this.drop(span);
    this.source!.free(span.start);
    return true;
  }

  private import({ size, align, strategy }: SlowRequest): boolean {
    if (this.source === null) return false;
    const room = align === this.quantum ? size : size + 2n * align;
    const bytes = ((room + this.importQuantum - 1n) / this.importQuantum) * this.importQuantum;
    const plain = { align: this.quantum, phase: 0n, nocross: 0n, min: 0n, max: 2n ** 64n - 1n };
    const base = this.source.xalloc({ ...plain, size: bytes, strategy });
    if (base === null) return false;
    this.addSpan(base, bytes, 'span');
    return true;
  }
}

/** Where the request fits into the segment, or null. */
function placeIn(tag: Tag, { size, align, phase, nocross, min, max }: SlowRequest): bigint | null {
  const last = tag.start + tag.size - 1n;
  const end = last < max ? last : max;
  let start = tag.start > min ? tag.start : min;
  if (start > end) return null;
  start = u64(roundUp(u64(start - phase), align) + phase);
  if (start < tag.start) start += align;
  const crossed = nocross === 0n ? 0n : (start ^ (start + size - 1n)) & u64(-nocross);
  if (crossed !== 0n) start = u64(roundUp(u64(start - phase), nocross) + phase);
  return start <= end && end - start >= size - 1n ? start : null;
}

/** An element of an arena's list. The anchor is not an element: it stands before the first and after the last. */
export interface Element {
  kind: 'span' | 'free' | 'alloc' | 'rotor';
  start: bigint;
  /** Exclusive, so 2^64 for a segment that ends at the top; of an allocation: start + requested size, unrounded. */
  end: bigint;
  imported: boolean;
}

/** What serves small sizes in front of an arena: a quantum cache. */
export interface ReferenceFrontCache {
  alloc(flags: ReferenceFlags): bigint | null;
  free(address: bigint): void;
}

/** Names of flags, as the operations of a golden case spell them. */
export type ReferenceFlags = ReadonlySet<string>;

/** Flags that reach a source arena or a cache: all but the policies. */
export function withoutPolicy(flags: ReferenceFlags): ReferenceFlags {
  return new Set([...flags].filter((flag) => ['NOSLEEP', 'PANIC', 'PUSHPAGE', 'NORMALPRI'].includes(flag)));
}

/** The import and free functions of an arena. */
export interface ReferenceSource {
  readonly quantum: bigint;
  readonly returnsSpans: boolean;
  /** Base and length of a span of at least `size` bytes, or null. */
  take(size: bigint, align: bigint, flags: ReferenceFlags): { base: bigint; size: bigint } | null;
  giveBack(base: bigint, size: bigint): void;
}

/** Constraints of vmem_xalloc; 0 = none. */
export interface ReferenceConstraint {
  readonly align: bigint;
  readonly phase: bigint;
  readonly nocross: bigint;
  readonly min: bigint;
  /** Exclusive. */
  readonly max: bigint;
}

export interface ReferenceArenaOptions {
  readonly name: string;
  readonly quantum: bigint;
  readonly source: ReferenceSource | null;
  readonly qcacheMax: bigint;
  readonly minImport: bigint;
  readonly promisesAlignment: boolean;
  /** Called when a request is refused that may wait for memory. */
  readonly onRefused: () => void;
}

/** 1-based index of the highest set bit, 0 for 0. */
export function highestBit(value: bigint): number {
  return value === 0n ? 0 : value.toString(2).length;
}

export function isPower(value: bigint): boolean {
  return value > 0n && (value & (value - 1n)) === 0n;
}

/** The larger of two; Math.max does not take bigint. */
export function larger(a: bigint, b: bigint): bigint {
  return [a, b].sort((x, y) => (x < y ? 1 : -1))[0]!;
}

export function up(value: bigint, unit: bigint): bigint {
  return ((value + unit - 1n) / unit) * unit;
}

function sizeOf(element: Element): bigint {
  return element.end - element.start;
}

/**
 * The slow reference of an illumos vmem arena, written from the specification alone: 64-bit addresses as bigint, the
 * arena list, the free lists and the hash chains as plain arrays, every neighbour found by searching. It shares no
 * code with the model. Section numbers are those of spec/illumos-vmem.md.
 */
export class ReferenceArena {
  readonly name: string;
  readonly quantum: bigint;
  readonly qcacheMax: bigint;
  caches: readonly ReferenceFrontCache[] = [];
  /** Spans in order of creation, each followed by its segments, and the rotor (§1). */
  readonly list: Element[] = [{ kind: 'rotor', start: 0n, end: 0n, imported: false }];
  /** List n holds the free segments of 2^n ≤ size < 2^(n+1), the one freed last first. */
  readonly freeLists: Element[][] = Array.from({ length: 64 }, () => []);
  buckets: Element[][] = Array.from({ length: 16 }, () => []);
  total = 0n;
  imported = 0n;
  inUse = 0n;
  readonly counters = { alloc: 0, free: 0, fail: 0, wait: 0, search: 0, lookup: 0 };

  constructor(private readonly options: ReferenceArenaOptions) {
    this.name = options.name;
    this.quantum = options.quantum;
    this.qcacheMax = options.qcacheMax;
  }

  addSpan(base: bigint, size: bigint): void {
    this.createSpan(base, size, false);
  }

  /** §3.1 */
  alloc(size: bigint, flags: ReferenceFlags): bigint | null {
    if (size <= this.qcacheMax) return this.cacheFor(size).alloc(withoutPolicy(flags));
    if (flags.has('NEXTFIT')) return this.nextFit(size, flags);
    const sure = isPower(size) ? highestBit(size) - 1 : highestBit(size);
    const list = this.lowestList(sure);
    if (list === null || flags.has('BESTFIT') || flags.has('FIRSTFIT')) {
      return this.xalloc(size, { align: this.quantum, phase: 0n, nocross: 0n, min: 0n, max: 0n }, flags);
    }
    const segment = this.freeLists[list]![0]!;
    return this.carve(segment, flags.has('ENDALLOC') ? segment.end - size : segment.start, size).start;
  }

  free(address: bigint, size: bigint): void {
    if (size <= this.qcacheMax) this.cacheFor(size).free(address);
    else this.xfree(address, size);
  }

  /** §3.2 */
  xalloc(size: bigint, given: ReferenceConstraint, flags: ReferenceFlags): bigint | null {
    const constraint = { ...given, align: given.align === 0n ? this.quantum : given.align };
    const { align, phase, nocross, min, max } = constraint;
    let segment = this.search(size, constraint, flags);
    if (segment === null && nocross === 0n && min === 0n && max === 0n) {
      segment = this.importSpan(size, constraint, flags);
    }
    if (segment === null) {
      if (!flags.has('ABORT')) this.options.onRefused();
      if (flags.has('ABORT') || flags.has('NOSLEEP')) this.counters.fail++;
      else this.counters.wait++;
      return null;
    }
    let address = placeIn(segment, size, constraint)!;
    if (flags.has('ENDALLOC')) address += ((segment.end - (address + size)) / align) * align;
    if ((address - phase) % align !== 0n) throw new Error('the reference misplaced a request');
    return this.carve(segment, address, size).start;
  }

  /** §4 */
  xfree(address: bigint, size: bigint): void {
    let segment = this.unhash(address, size);
    segment.end = address + up(size, this.quantum);
    const right = this.neighbour(segment, 1);
    if (right?.kind === 'free') {
      this.unlist(right);
      segment.end = right.end;
      this.destroy(right);
    }
    const left = this.neighbour(segment, -1);
    if (left?.kind === 'free') {
      this.unlist(left);
      left.end = segment.end;
      this.destroy(segment);
      segment = left;
    }
    if (this.mayGoBack(segment)) this.release(segment);
    else this.insertFree(segment);
  }

  /** §7 */
  update(): void {
    const live = this.counters.alloc - this.counters.free;
    const wanted = Math.max(16, 2 ** (highestBit(BigInt(3 * live + 4)) - 2));
    const present = this.buckets.length;
    if (present / 8 <= wanted && wanted <= 2 * present) return;
    const old = this.buckets;
    this.buckets = Array.from({ length: wanted }, () => []);
    for (const chain of old) for (const segment of chain) this.bucketOf(segment.start).unshift(segment);
  }

  private cacheFor(size: bigint): ReferenceFrontCache {
    return this.caches[Number((size - 1n) / this.quantum)]!;
  }

  private neighbour(element: Element, step: 1 | -1): Element | undefined {
    return this.list[this.list.indexOf(element) + step];
  }

  private insertBefore(place: Element | undefined, element: Element): void {
    this.list.splice(place === undefined ? this.list.length : this.list.indexOf(place), 0, element);
  }

  private destroy(element: Element): void {
    this.list.splice(this.list.indexOf(element), 1);
  }

  private lowestList(from: number): number | null {
    for (let list = from; list < 64; list++) if (this.freeLists[list]!.length > 0) return list;
    return null;
  }

  private insertFree(segment: Element): void {
    segment.kind = 'free';
    this.freeLists[highestBit(sizeOf(segment)) - 1]!.unshift(segment);
  }

  private unlist(segment: Element): void {
    const list = this.freeLists[highestBit(sizeOf(segment)) - 1]!;
    list.splice(list.indexOf(segment), 1);
  }

  /** §2 */
  private createSpan(base: bigint, size: bigint, imported: boolean): Element {
    const range = { start: base, end: base + size };
    const segment: Element = { kind: 'free', ...range, imported: false };
    this.list.push({ kind: 'span', ...range, imported }, segment);
    this.insertFree(segment);
    this.total += size;
    if (imported) this.imported += size;
    return segment;
  }

  /** §2: takes [address, address + size) out of a free segment and returns the allocated one. */
  private carve(segment: Element, address: bigint, size: bigint, before = segment): Element {
    const end = address + up(size, this.quantum);
    const rest = segment.end - end;
    if (
      address === segment.start &&
      rest !== 0n &&
      highestBit(sizeOf(segment)) === highestBit(segment.end - end)
    ) {
      segment.start = end;
      const taken: Element = { kind: 'alloc', start: address, end: address + size, imported: false };
      this.insertBefore(before, taken);
      return this.hash(taken);
    }
    this.unlist(segment);
    if (rest !== 0n) {
      const right: Element = { kind: 'free', start: end, end: segment.end, imported: false };
      this.insertBefore(this.neighbour(segment, 1), right);
      this.insertFree(right);
    }
    if (segment.start !== address) {
      const left: Element = { kind: 'free', start: segment.start, end: address, imported: false };
      this.insertBefore(segment, left);
      this.insertFree(left);
    }
    segment.kind = 'alloc';
    segment.start = address;
    segment.end = address + size;
    return this.hash(segment);
  }

  private hash(segment: Element): Element {
    this.bucketOf(segment.start).unshift(segment);
    this.counters.alloc++;
    this.inUse += sizeOf(segment);
    return segment;
  }

  private unhash(address: bigint, size: bigint): Element {
    const chain = this.bucketOf(address);
    const position = chain.findIndex((segment) => segment.start === address);
    const segment = chain[position];
    if (segment === undefined || sizeOf(segment) !== size) throw new Error(`bad free of ${address}`);
    chain.splice(position, 1);
    this.counters.lookup += position;
    this.counters.free++;
    this.inUse -= size;
    return segment;
  }

  private bucketOf(address: bigint): Element[] {
    const shift = BigInt(highestBit(BigInt(this.buckets.length)) - 1);
    const sum = address + (address >> shift) + (address >> (2n * shift));
    return this.buckets[Number((sum / this.quantum) % BigInt(this.buckets.length))]!;
  }

  /** §3.2, steps 2 and 3 */
  private search(size: bigint, constraint: ReferenceConstraint, flags: ReferenceFlags): Element | null {
    let list = this.lowestList(this.firstListFor(size, flags));
    let found: Element | null = null;
    while (list !== null) {
      for (const segment of this.freeLists[list]!) {
        this.counters.search++;
        if (placeIn(segment, size, constraint) === null) continue;
        if (found !== null && sizeOf(segment) >= sizeOf(found)) continue;
        found = segment;
        if (!flags.has('BESTFIT') || sizeOf(segment) === size) return found;
      }
      // The head of the next list counts as an element that was looked at.
      this.counters.search++;
      if (found !== null) return found;
      list = this.lowestList(list + 1);
    }
    return found;
  }

  private firstListFor(size: bigint, flags: ReferenceFlags): number {
    if (isPower(size)) return highestBit(size) - 1;
    const sure = highestBit(size);
    const nothingLarger = this.lowestList(sure) === null;
    return nothingLarger || flags.has('BESTFIT') || flags.has('FIRSTFIT') ? sure - 1 : sure;
  }

  /** §5 */
  private importSpan(size: bigint, constraint: ReferenceConstraint, flags: ReferenceFlags): Element | null {
    const { source, minImport, promisesAlignment } = this.options;
    if (source === null) return null;
    const { align, phase } = constraint;
    const granule = larger(this.quantum, source.quantum);
    let slack = phase;
    if (align > granule && !promisesAlignment) {
      slack = phase % granule === 0n ? align - granule : align - this.quantum;
    }
    const wanted = larger(size + slack, minImport);
    const span = source.take(up(wanted, granule), align, withoutPolicy(flags));
    return span === null ? null : this.createSpan(span.base, span.size, true);
  }

  /** §4, step 4: whether a segment is all there is of an imported span that can go back. */
  private mayGoBack(segment: Element): boolean {
    const before = this.neighbour(segment, -1);
    const after = this.neighbour(segment, 1);
    const endsSpan = after === undefined || after.kind === 'span';
    return before?.kind === 'span' && before.imported && endsSpan && this.options.source!.returnsSpans;
  }

  private release(segment: Element): void {
    const span = this.neighbour(segment, -1)!;
    this.destroy(segment);
    this.destroy(span);
    this.total -= sizeOf(span);
    this.imported -= sizeOf(span);
    this.options.source!.giveBack(span.start, sizeOf(span));
  }

  /** §6 */
  private nextFit(size: bigint, flags: ReferenceFlags): bigint | null {
    const rotor = this.list.find((element) => element.kind === 'rotor')!;
    const behind = this.neighbour(rotor, 1);
    const rest = behind?.kind === 'free' ? sizeOf(behind) - up(size, this.quantum) : 0n;
    if (behind !== undefined && rest > 0n && highestBit(rest) === highestBit(sizeOf(behind))) {
      return this.carve(behind, behind.start, size, rotor).start;
    }
    const fits = (element: Element | undefined) => element?.kind === 'free' && sizeOf(element) >= size;
    let found = this.circle(rotor).find((element) => {
      this.counters.search++;
      return fits(element);
    });
    if (found === undefined) {
      this.advance(rotor, behind);
      const before = this.neighbour(rotor, -1);
      if (fits(before)) found = before;
    }
    if (found === undefined) {
      if (this.options.source === null && !flags.has('NOSLEEP')) throw new Error('would sleep');
      const unconstrained = { align: this.quantum, phase: 0n, nocross: 0n, min: 0n, max: 0n };
      return this.xalloc(size, unconstrained, withoutPolicy(flags));
    }
    const taken = this.carve(found, found.start, size);
    this.advance(rotor, taken);
    return taken.start;
  }

  /** All elements from the one behind the rotor around to the one before it; undefined is the anchor. */
  private circle(rotor: Element): (Element | undefined)[] {
    const position = this.list.indexOf(rotor);
    return [...this.list.slice(position + 1), undefined, ...this.list.slice(0, position)];
  }

  /** §6: moves the rotor to behind `place` (undefined: behind the anchor, so to the front). */
  private advance(rotor: Element, place: Element | undefined): void {
    const left = this.neighbour(rotor, -1);
    const right = this.neighbour(rotor, 1);
    this.destroy(rotor);
    this.list.splice(place === undefined ? 0 : this.list.indexOf(place) + 1, 0, rotor);
    if (left?.kind === 'free' && right?.kind === 'free') {
      this.unlist(right);
      this.unlist(left);
      left.end = right.end;
      this.insertFree(left);
      this.destroy(right);
    }
    const rest = left?.kind === 'free' ? left : right;
    if (rest?.kind !== 'free' || !this.mayGoBack(rest)) return;
    this.unlist(rest);
    this.release(rest);
  }
}

/** §3.2, step 3: where a request goes in a free segment, or null if it does not. */
function placeIn(segment: Element, size: bigint, constraint: ReferenceConstraint): bigint | null {
  const { align, phase, nocross, min, max } = constraint;
  const from = larger(segment.start, min);
  const to = max !== 0n && max < segment.end ? max : segment.end;
  if (from >= to) return null;
  const straddles = (at: bigint) => nocross !== 0n && at / nocross !== (at + size - 1n) / nocross;
  let address = from + ((((phase - from) % align) + align) % align);
  if (straddles(address)) {
    const boundary = up(address, nocross);
    address += up(boundary - address, align);
  }
  return address + size <= to ? address : null;
}

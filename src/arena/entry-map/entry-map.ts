import { type Address, AddressSpace, NO_ADDRESS } from '../../core/address.js';
import { InvariantError, MisuseError } from '../../core/errors.js';
import type { ConstraintTable } from '../../core/request.js';
import type { Bytes } from '../../core/units.js';
import { FreeSpectrum } from '../free-spectrum.js';
import {
  type ArenaRange,
  type RangeArena,
  RangeFigures,
  requireRange,
  requireWhole,
} from '../range-arena.js';
import type { CacheFigures, TagVisitor } from '../view.js';
import { TagType } from '../view.js';
import { type EntryIndex, EntryTree, HEAD, NIL } from './entry-tree.js';
import { lowestFit } from './fit.js';

/** What an EntryMap is made of. */
export interface EntryMapOptions extends ArenaRange {
  /** Whether allocated ranges that touch share one entry. */
  readonly merge: boolean;
  /** Bytes of one entry and of the map's own structure, for `metadataBytes`. */
  readonly entryBytes: Bytes;
  readonly mapBytes: Bytes;
}

/** The figures as the map keeps them; see ArenaFigures for each, and THEORY.md for what they mean here. */
class EntryMapFigures extends RangeFigures {
  readonly freeTags = 0;
  readonly hashBuckets = 0;
  lookups = 0;
  searches = 0;

  constructor(
    totalBytes: Bytes,
    private readonly tree: EntryTree,
  ) {
    super(totalBytes);
  }

  get allocTags(): number {
    return this.tree.size;
  }
}

/**
 * A bounded address range as a sorted map of its allocated ranges, placed first fit: each request gets the lowest
 * address at which it fits. See THEORY.md.
 */
export class EntryMap implements RangeArena {
  readonly name: string;
  readonly source = null;
  readonly quantum: Bytes;
  readonly caches: readonly CacheFigures[] = [];
  readonly figures: EntryMapFigures;
  /** Entries that a free had to make, because it cut an entry in two. */
  clips = 0;
  private spectrum: FreeSpectrum | null = null;

  /**
   * A map whose entries are in `tree`, which is empty and covers the range.
   * @throws MisuseError if the range is empty, not of whole quanta, or does not end at 2^53 or below.
   */
  constructor(
    private readonly options: EntryMapOptions,
    protected readonly tree: EntryTree = new EntryTree(options.base, options.base + options.size),
  ) {
    const { name, size, quantum } = options;
    requireRange(options);
    this.name = name;
    this.quantum = quantum;
    this.figures = new EntryMapFigures(size, this.tree);
  }

  /**
   * Allocates the lowest free range of `size` bytes; NO_ADDRESS if no gap is large enough.
   * @throws MisuseError if the size is not a positive multiple of the quantum.
   */
  alloc(size: Bytes): Address {
    requireWhole(this, size);
    const stepsBefore = this.tree.steps;
    const before = this.tree.findGap(size);
    this.figures.searches += this.tree.steps - stepsBefore;
    if (before === NIL) return this.fail();
    const address = this.tree.end[before]!;
    this.enter(before, address, size);
    return address;
  }

  /**
   * Allocates the lowest free range of `size` bytes that meets row `row` of `constraints`; NO_ADDRESS if there is
   * none. O(log n) for each gap that is long enough but fails the constraints.
   * @throws MisuseError if the size is not a positive multiple of the quantum.
   */
  xalloc(size: Bytes, constraints: ConstraintTable, row: number): Address {
    requireWhole(this, size);
    const { tree } = this;
    const stepsBefore = tree.steps;
    const before = this.findConstrained(size, constraints, row);
    this.figures.searches += tree.steps - stepsBefore;
    if (before === NIL) return this.fail();
    const address = this.fitBehind(before, size, constraints, row);
    this.enter(before, address, size);
    return address;
  }

  /**
   * Frees [address, address + size). With merging it may be any allocated range, else it must be what one
   * allocation got.
   * @throws MisuseError if the range is not allocated, or not so.
   */
  free(address: Address, size: Bytes): void {
    requireWhole(this, size);
    const { tree, figures } = this;
    const stepsBefore = tree.steps;
    const entry = tree.findEntry(address);
    figures.lookups += tree.steps - stepsBefore;
    const start = tree.start[entry]!;
    const end = tree.end[entry]!;
    const inside = address % this.quantum === 0 && address >= start && address + size <= end;
    const exact = address === start && address + size === end;
    if (!(this.options.merge ? inside : exact)) throw this.badFree(address, size, start, end);
    if (this.isFreeBefore(entry, address)) figures.merges++;
    if (this.isFreeAfter(entry, address + size)) figures.merges++;
    if (this.spectrum !== null) this.countFreed(this.spectrum, entry, address, size);
    this.clip(entry, address, address + size);
    figures.frees++;
    figures.inUseBytes -= size;
  }

  /** Nothing is rounded here. */
  bytesFor(size: Bytes): Bytes {
    return size;
  }

  largestFree(): Bytes {
    return this.tree.largestGap;
  }

  freeBytes(): Bytes {
    return this.figures.totalBytes - this.figures.inUseBytes;
  }

  /** Free ranges. They are no objects of the model, so `freeTags` is 0. O(entries). */
  gapCount(): number {
    const { gap, next } = this.tree;
    let count = 0;
    for (let node = HEAD; node !== NIL; node = next[node]!) if (gap[node]! > 0) count++;
    return count;
  }

  metadataBytes(): Bytes {
    return this.options.mapBytes + this.tree.size * this.options.entryBytes;
  }

  /** One span for the whole range, then entries and gaps in address order. */
  walk(visit: TagVisitor): void {
    const { start, end, gap, next } = this.tree;
    visit(TagType.span, this.options.base, this.options.size);
    for (let node = HEAD; node !== NIL; node = next[node]!) {
      if (node !== HEAD) visit(TagType.alloc, start[node]!, end[node]! - start[node]!);
      if (gap[node]! > 0) visit(TagType.free, end[node]!, gap[node]!);
    }
  }

  walkFree(visit: (size: Bytes) => void): void {
    const { gap, next } = this.tree;
    for (let node = HEAD; node !== NIL; node = next[node]!) if (gap[node]! > 0) visit(gap[node]!);
  }

  freeSpectrum(): FreeSpectrum {
    this.spectrum ??= new FreeSpectrum(this.quantum, this.walkFree.bind(this));
    return this.spectrum;
  }

  extentBytes(): Bytes {
    const { start, end, next, previous, size } = this.tree;
    return size === 0 ? 0 : end[previous[NIL]!]! - start[next[HEAD]!]!;
  }

  check(): void {
    const problem =
      this.tree.contradiction() || this.contradictionInEntries() || this.spectrum?.contradiction() || '';
    if (problem !== '') throw new InvariantError(`${this.name}: ${problem}`, this.dump());
  }

  /** The entry before the gap in which a constrained request is placed; NIL if there is none. */
  protected findConstrained(size: Bytes, constraints: ConstraintTable, row: number): EntryIndex {
    const { tree } = this;
    const minimum = constraints.minAddress[row]!;
    const maximum = constraints.maxAddress[row]!;
    let before = minimum <= tree.end[HEAD]! ? tree.findGap(size) : tree.findEntry(minimum);
    while (before !== NIL && (maximum === 0 || tree.end[before]! < maximum)) {
      if (this.fitBehind(before, size, constraints, row) !== NO_ADDRESS) return before;
      before = tree.nextGap(before, size);
    }
    return NIL;
  }

  /** Lowest address in the gap of an entry that meets the constraint. */
  protected fitBehind(entry: EntryIndex, size: Bytes, constraints: ConstraintTable, row: number): Address {
    const low = this.tree.end[entry]!;
    return lowestFit(low, low + this.tree.gap[entry]!, size, this.quantum, constraints, row);
  }

  /** Whether the byte before `address`, which lies in `entry`, is free. */
  private isFreeBefore(entry: EntryIndex, address: Address): boolean {
    const { tree } = this;
    return address === tree.start[entry]! && tree.gap[tree.previous[entry]!]! > 0;
  }

  private isFreeAfter(entry: EntryIndex, end: Address): boolean {
    return end === this.tree.end[entry]! && this.tree.gap[entry]! > 0;
  }

  /** Records [address, address + size), which lies in the gap of `before`. */
  private enter(before: EntryIndex, address: Address, size: Bytes): void {
    const { tree, figures } = this;
    const end = address + size;
    const after = tree.next[before]!;
    const joinsBefore = this.options.merge && before !== HEAD && address === tree.end[before]!;
    const joinsAfter = this.options.merge && after !== NIL && end === tree.start[after]!;
    if (size < tree.gap[before]!) figures.splits++;
    if (this.spectrum !== null) this.countTaken(this.spectrum, before, address, size);
    if (joinsBefore) {
      const newEnd = joinsAfter ? tree.end[after]! : end;
      if (joinsAfter) tree.remove(after);
      tree.moveEnd(before, newEnd);
    } else if (joinsAfter) {
      tree.moveStart(after, address);
    } else {
      tree.insertAfter(before, address, end);
    }
    figures.allocs++;
    figures.inUseBytes += size;
    figures.reach(address, end);
  }

  /** A gap shrinks to what is left on either side of [address, address + size). */
  private countTaken(spectrum: FreeSpectrum, before: EntryIndex, address: Address, size: Bytes): void {
    const { end, gap } = this.tree;
    const below = address - end[before]!;
    const above = gap[before]! - below - size;
    spectrum.remove(gap[before]!);
    if (below > 0) spectrum.add(below);
    if (above > 0) spectrum.add(above);
  }

  /** The gaps that [address, address + size), within `entry`, touches become one with it. */
  private countFreed(spectrum: FreeSpectrum, entry: EntryIndex, address: Address, size: Bytes): void {
    const { start, end, gap, previous } = this.tree;
    const below = address === start[entry] ? gap[previous[entry]!]! : 0;
    const above = address + size === end[entry] ? gap[entry]! : 0;
    if (below > 0) spectrum.remove(below);
    if (above > 0) spectrum.remove(above);
    spectrum.add(below + size + above);
  }

  /** Takes [from, to) out of `entry`: all of it, one end, or the middle, which leaves two entries. */
  private clip(entry: EntryIndex, from: Address, to: Address): void {
    const { tree } = this;
    const end = tree.end[entry]!;
    if (from === tree.start[entry]!) {
      if (to === end) tree.remove(entry);
      else tree.moveStart(entry, to);
      return;
    }
    tree.moveEnd(entry, from);
    if (to === end) return;
    tree.insertAfter(entry, to, end);
    this.clips++;
  }

  private fail(): Address {
    this.figures.fails++;
    return NO_ADDRESS;
  }

  private badFree(address: Address, size: Bytes, start: Address, end: Address): MisuseError {
    return new MisuseError('free of a range that is not allocated so', {
      map: this.name,
      address,
      size,
      entryStart: start,
      entryEnd: end,
      merge: this.options.merge,
    });
  }

  private contradictionInEntries(): string {
    const { start, end, gap, next } = this.tree;
    let bytes = 0;
    for (let node = next[HEAD]!; node !== NIL; node = next[node]!) {
      bytes += end[node]! - start[node]!;
      const touches = gap[node] === 0 && next[node] !== NIL;
      if (touches && this.options.merge) return `entry ${node} should be one with the next`;
      if (start[node]! % this.quantum !== 0 || end[node]! % this.quantum !== 0) {
        return `entry ${node} is not of whole quanta`;
      }
    }
    if (bytes !== this.figures.inUseBytes)
      return `${bytes} bytes in entries, ${this.figures.inUseBytes} in use`;
    return '';
  }

  private dump(): string {
    const lines: string[] = [];
    const { start, end, next } = this.tree;
    for (let node = HEAD; node !== NIL && lines.length <= this.tree.size; node = next[node]!) {
      const range = `${AddressSpace.canonical.format(start[node]!)}..${AddressSpace.canonical.format(end[node]!)}`;
      lines.push(`entry ${node} ${range}`);
    }
    return lines.join('\n');
  }
}

import { type Address, NO_ADDRESS } from '../../core/address.js';
import { InvariantError, MisuseError } from '../../core/errors.js';
import type { ConstraintTable } from '../../core/request.js';
import type { Bytes } from '../../core/units.js';
import { lowestFit } from '../entry-map/fit.js';
import { FreeSpectrum } from '../free-spectrum.js';
import {
  type ArenaRange,
  type RangeArena,
  RangeFigures,
  requireRange,
  requireWhole,
} from '../range-arena.js';
import { type CacheFigures, TagType, type TagVisitor } from '../view.js';
import { type QuantumIndex, SummaryTree } from './summary-tree.js';

/** What a Bitmap is made of. */
export interface BitmapOptions extends ArenaRange {
  /** Words of 32 bits in a chunk, a leaf of the tree. */
  readonly wordsPerChunk: number;
  /** Bytes of an inner node, of a chunk, and of the arena's own structure, for `metadataBytes`. */
  readonly nodeBytes: Bytes;
  readonly chunkBytes: Bytes;
  readonly arenaBytes: Bytes;
}

/** See ArenaFigures for each, and THEORY.md for what they mean here. */
class BitmapFigures extends RangeFigures {
  readonly freeTags = 0;
  readonly hashBuckets = 0;
  /** Maximal runs of allocated quanta. */
  allocTags = 0;
  lookups = 0;
  searches = 0;
}

/**
 * A range as a bitmap with a bit per quantum under a radix tree of summaries: each request gets the lowest address at
 * which it fits. See THEORY.md.
 */
export class Bitmap implements RangeArena {
  readonly name: string;
  readonly source = null;
  readonly quantum: Bytes;
  readonly caches: readonly CacheFigures[] = [];
  readonly figures: BitmapFigures;
  private readonly tree: SummaryTree;
  private readonly quanta: number;
  private spectrum: FreeSpectrum | null = null;

  /** @throws MisuseError if the range is empty, not of whole quanta, or does not end at 2^53 or below. */
  constructor(private readonly options: BitmapOptions) {
    requireRange(options);
    this.name = options.name;
    this.quantum = options.quantum;
    this.quanta = options.size / options.quantum;
    this.tree = new SummaryTree(this.quanta, options.wordsPerChunk);
    this.figures = new BitmapFigures(options.size);
  }

  alloc(size: Bytes): Address {
    requireWhole(this, size);
    const { tree, figures } = this;
    const stepsBefore = tree.steps;
    const at = tree.seek(0, size / this.quantum);
    figures.searches += tree.steps - stepsBefore;
    if (at < 0) return this.fail();
    this.take(at, size);
    return this.addressOf(at);
  }

  /** The lowest address at which the constraint can be met; tries each free run that is long enough. */
  xalloc(size: Bytes, constraints: ConstraintTable, row: number): Address {
    requireWhole(this, size);
    const { tree, figures } = this;
    const stepsBefore = tree.steps;
    const address = this.findConstrained(size, constraints, row);
    figures.searches += tree.steps - stepsBefore;
    if (address === NO_ADDRESS) return this.fail();
    this.take(this.indexOf(address), size);
    return address;
  }

  /**
   * Frees [address, address + size), all of which must be allocated: a bitmap does not know where an allocation ends.
   * @throws MisuseError if it is not.
   */
  free(address: Address, size: Bytes): void {
    requireWhole(this, size);
    const { tree, figures } = this;
    const from = this.indexOf(address);
    const to = from + size / this.quantum;
    const isInside = Number.isInteger(from) && from >= 0 && to <= this.quanta;
    if (!(isInside && this.isAllocated(from, to))) {
      throw new MisuseError('free of a range that is not allocated', { arena: this.name, address, size });
    }
    const low = tree.previousAllocatedEnd(from);
    const high = tree.nextAllocated(to);
    if (low < from) figures.merges++;
    if (high > to) figures.merges++;
    this.countRuns(from, to, low, high, -1);
    if (this.spectrum !== null) this.countGap(this.spectrum, from, to, low, high, false);
    tree.mark(from, to, false);
    figures.frees++;
    figures.inUseBytes -= size;
  }

  /** Nothing is rounded here. */
  bytesFor(size: Bytes): Bytes {
    return size;
  }

  largestFree(): Bytes {
    return this.tree.longestFree * this.quantum;
  }

  freeBytes(): Bytes {
    return this.figures.totalBytes - this.figures.inUseBytes;
  }

  metadataBytes(): Bytes {
    const { arenaBytes, nodeBytes, chunkBytes } = this.options;
    return arenaBytes + this.tree.nodes * nodeBytes + this.tree.chunkCount * chunkBytes;
  }

  /** One span for the whole range, then runs of allocated and of free quanta in address order. */
  walk(visit: TagVisitor): void {
    const { tree, quanta, quantum } = this;
    visit(TagType.span, this.options.base, this.options.size);
    for (let from = 0; from < quanta; ) {
      const allocated = tree.nextAllocated(from);
      if (allocated > from) visit(TagType.free, this.addressOf(from), (allocated - from) * quantum);
      if (allocated === quanta) return;
      const free = tree.seek(allocated, 1);
      from = free < 0 ? quanta : free;
      visit(TagType.alloc, this.addressOf(allocated), (from - allocated) * quantum);
    }
  }

  freeSpectrum(): FreeSpectrum {
    this.spectrum ??= new FreeSpectrum(this.quantum, (visit) => {
      this.walk((type, _start, size) => {
        if (type === TagType.free) visit(size);
      });
    });
    return this.spectrum;
  }

  extentBytes(): Bytes {
    const { tree, quanta } = this;
    return Math.max(0, tree.previousAllocatedEnd(quanta) - tree.nextAllocated(0)) * this.quantum;
  }

  check(): void {
    const problem =
      this.tree.contradiction() || this.contradictionInRuns() || this.spectrum?.contradiction() || '';
    if (problem !== '') throw new InvariantError(`${this.name}: ${problem}`);
  }

  private isAllocated(from: QuantumIndex, to: QuantumIndex): boolean {
    const { tree, figures } = this;
    const stepsBefore = tree.steps;
    const firstFree = tree.seek(from, 1);
    figures.lookups += tree.steps - stepsBefore;
    return firstFree < 0 || firstFree >= to;
  }

  private findConstrained(size: Bytes, constraints: ConstraintTable, row: number): Address {
    const { tree, quantum } = this;
    const maximum = constraints.maxAddress[row]!;
    const minimum = Math.max(constraints.minAddress[row]!, this.options.base);
    let at = tree.seek(Math.ceil(this.indexOf(minimum)), size / quantum);
    while (at >= 0 && (maximum === 0 || this.addressOf(at) < maximum)) {
      const end = tree.nextAllocated(at);
      const address = lowestFit(this.addressOf(at), this.addressOf(end), size, quantum, constraints, row);
      if (address !== NO_ADDRESS) return address;
      at = tree.seek(end, size / quantum);
    }
    return NO_ADDRESS;
  }

  /** Allocates the free quanta from `from` on. */
  private take(from: QuantumIndex, size: Bytes): void {
    const { tree, figures } = this;
    const to = from + size / this.quantum;
    const low = tree.previousAllocatedEnd(from);
    const high = tree.nextAllocated(to);
    if (low < from || high > to) figures.splits++;
    this.countRuns(from, to, low, high, 1);
    if (this.spectrum !== null) this.countGap(this.spectrum, from, to, low, high, true);
    tree.mark(from, to, true);
    figures.allocs++;
    figures.inUseBytes += size;
    figures.reach(this.addressOf(from), this.addressOf(to));
  }

  /** Allocated runs: [from, to) is one more or less, unless it joins or leaves a neighbour. [low, high) is the gap. */
  private countRuns(
    from: QuantumIndex,
    to: QuantumIndex,
    low: QuantumIndex,
    high: QuantumIndex,
    change: number,
  ): void {
    const touchesBelow = low === from && from > 0;
    const touchesAbove = high === to && to < this.quanta;
    this.figures.allocTags += change * (1 - Number(touchesBelow) - Number(touchesAbove));
  }

  /** Tells the spectrum that the gap [low, high) is cut by [from, to), or made one by its end. */
  private countGap(
    spectrum: FreeSpectrum,
    from: QuantumIndex,
    to: QuantumIndex,
    low: QuantumIndex,
    high: QuantumIndex,
    isCut: boolean,
  ): void {
    const { quantum } = this;
    const whole = (high - low) * quantum;
    const below = (from - low) * quantum;
    const above = (high - to) * quantum;
    if (isCut) {
      spectrum.remove(whole);
      if (below > 0) spectrum.add(below);
      if (above > 0) spectrum.add(above);
    } else {
      if (below > 0) spectrum.remove(below);
      if (above > 0) spectrum.remove(above);
      spectrum.add(whole);
    }
  }

  private addressOf(index: QuantumIndex): Address {
    return this.options.base + index * this.quantum;
  }

  private indexOf(address: Address): QuantumIndex {
    return (address - this.options.base) / this.quantum;
  }

  private fail(): Address {
    this.figures.fails++;
    return NO_ADDRESS;
  }

  private contradictionInRuns(): string {
    let inUse = 0;
    let runs = 0;
    let end = this.options.base;
    let problem = '';
    this.walk((type, start, size) => {
      if (type === TagType.span) return;
      if (start !== end) problem = `the run at ${start} does not begin where the one before it ends`;
      end = start + size;
      if (type !== TagType.alloc) return;
      inUse += size;
      runs++;
    });
    if (problem !== '') return problem;
    if (end !== this.options.base + this.options.size) return 'the last run does not end at the limit';
    const { inUseBytes, allocTags } = this.figures;
    if (inUse !== inUseBytes) return `${inUse} bytes in runs, ${inUseBytes} in use`;
    return runs === allocTags ? '' : `${runs} allocated runs, ${allocTags} counted`;
  }
}

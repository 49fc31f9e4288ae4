import { type Address, NO_ADDRESS } from '../../core/address.js';
import { InvariantError, MisuseError } from '../../core/errors.js';
import type { ConstraintTable } from '../../core/request.js';
import { type Bytes, highBit, isPowerOfTwo } from '../../core/units.js';
import { NIL } from '../avl-tree.js';
import { type BlockIndex, BlockState, BlockTable } from '../block-table.js';
import { lowestFit } from '../entry-map/fit.js';
import { FreeSpectrum } from '../free-spectrum.js';
import { LengthIndex } from '../length-index.js';
import {
  type ArenaRange,
  type RangeArena,
  RangeFigures,
  requireRange,
  requireWhole,
} from '../range-arena.js';
import { type CacheFigures, TagType, type TagVisitor } from '../view.js';

/** What a Buddy is made of. */
export interface BuddyOptions extends ArenaRange {
  /** Bytes of the tag of one block, free or allocated, and of the arena's own structure, for `metadataBytes`. */
  readonly tagBytes: Bytes;
  readonly arenaBytes: Bytes;
}

/** See ArenaFigures for each, and THEORY.md for what they mean here. */
class BuddyFigures extends RangeFigures {
  constructor(
    totalBytes: Bytes,
    private readonly blocks: BlockTable,
    private readonly free: LengthIndex,
  ) {
    super(totalBytes);
  }

  get freeTags(): number {
    return this.free.size;
  }

  get allocTags(): number {
    return this.blocks.count - this.free.size;
  }

  get lookups(): number {
    return this.blocks.probes;
  }

  get searches(): number {
    return this.free.steps;
  }

  get hashBuckets(): number {
    return this.blocks.hashBuckets;
  }
}

/**
 * A binary buddy system over any range: blocks are powers of two, aligned to their size in the address space. The
 * smallest free block that fits is taken, of equal ones the lowest. See THEORY.md.
 */
export class Buddy implements RangeArena {
  readonly name: string;
  readonly source = null;
  readonly quantum: Bytes;
  readonly caches: readonly CacheFigures[] = [];
  readonly figures: BuddyFigures;
  private readonly blocks: BlockTable;
  private readonly freeBlocks = new LengthIndex();
  private spectrum: FreeSpectrum | null = null;

  /** @throws MisuseError if the range is empty, not of whole quanta, or does not end at 2^53 or below. */
  constructor(private readonly options: BuddyOptions) {
    requireRange(options);
    this.name = options.name;
    this.quantum = options.quantum;
    this.blocks = new BlockTable(options.quantum);
    this.figures = new BuddyFigures(options.size, this.blocks, this.freeBlocks);
    const end = options.base + options.size;
    for (let start = options.base; start < end; ) {
      let size = this.quantum;
      while (start % (size * 2) === 0 && start + size * 2 <= end) size *= 2;
      this.enterFree(this.blocks.add(start, size));
      start += size;
    }
  }

  alloc(size: Bytes): Address {
    requireWhole(this, size);
    const block = this.freeBlocks.atLeast(this.bytesFor(size));
    if (block === NIL) return this.fail();
    const address = this.blocks.start[block]!;
    this.take(block, address, size);
    return address;
  }

  /**
   * The smallest free block in which the request meets the constraint at an address where a block of its size may
   * begin, of equals the lowest; if there is none, the same for any address.
   */
  xalloc(size: Bytes, constraints: ConstraintTable, row: number): Address {
    requireWhole(this, size);
    return this.allocAligned(size, this.bytesFor(size), constraints, row);
  }

  free(address: Address, size: Bytes): void {
    const { blocks, figures } = this;
    const block = blocks.find(address);
    if (block === NIL || blocks.state[block] !== BlockState.alloc || blocks.asked[block] !== size) {
      throw new MisuseError('free of a range that is not allocated so', { arena: this.name, address, size });
    }
    figures.frees++;
    figures.inUseBytes -= blocks.size[block]!;
    blocks.withdraw(block);
    blocks.state[block] = BlockState.free;
    while (this.absorbBuddy(block)) figures.merges++;
    blocks.enter(block, blocks.start[block]!);
    this.enterFree(block);
  }

  /** The next power of two. */
  bytesFor(size: Bytes): Bytes {
    return 2 ** highBit(size - 1);
  }

  largestFree(): Bytes {
    return this.freeBlocks.longest;
  }

  freeBytes(): Bytes {
    return this.figures.totalBytes - this.figures.inUseBytes;
  }

  metadataBytes(): Bytes {
    return this.options.arenaBytes + this.blocks.count * this.options.tagBytes;
  }

  walk(visit: TagVisitor): void {
    const { start, size, state } = this.blocks;
    visit(TagType.span, this.options.base, this.options.size);
    for (const block of this.blocks.inOrder()) {
      visit(state[block] === BlockState.free ? TagType.free : TagType.alloc, start[block]!, size[block]!);
    }
  }

  walkFree(visit: (size: Bytes) => void): void {
    const { size, state, limit } = this.blocks;
    for (let block = 1; block < limit; block++) if (state[block] === BlockState.free) visit(size[block]!);
  }

  freeSpectrum(): FreeSpectrum {
    this.spectrum ??= new FreeSpectrum(this.quantum, this.walkFree.bind(this));
    return this.spectrum;
  }

  /** O(log² of the range): at each end the free blocks, which cannot merge, differ in size. */
  extentBytes(): Bytes {
    const { base, size } = this.options;
    if (this.figures.allocTags === 0) return 0;
    const { probes } = this.blocks;
    let start = base;
    for (let free = this.freeAt(start); free > 0; free = this.freeAt(start)) start += free;
    let end = base + size;
    for (let free = this.freeBefore(end); free > 0; free = this.freeBefore(end)) end -= free;
    this.blocks.probes = probes;
    return end - start;
  }

  check(): void {
    const { base, size } = this.options;
    const problem =
      this.blocks.contradiction(base, base + size) ||
      this.freeBlocks.contradiction() ||
      this.contradictionInBlocks() ||
      this.spectrum?.contradiction() ||
      '';
    if (problem !== '') throw new InvariantError(`${this.name}: ${problem}`);
  }

  /** Tries addresses that are multiples of `unit` away from the phase, then those of the quantum. */
  private allocAligned(size: Bytes, unit: Bytes, constraints: ConstraintTable, row: number): Address {
    const block = this.findConstrained(size, unit, constraints, row);
    if (block !== NIL) {
      const address = this.fitIn(block, size, unit, constraints, row);
      this.take(block, address, size);
      return address;
    }
    if (unit === this.quantum) return this.fail();
    return this.allocAligned(size, this.quantum, constraints, row);
  }

  /** Goes through the free blocks order by order, and in each only through those within the bounds. */
  private findConstrained(size: Bytes, unit: Bytes, constraints: ConstraintTable, row: number): BlockIndex {
    const { freeBlocks: free } = this;
    const minimum = constraints.minAddress[row]!;
    const maximum = constraints.maxAddress[row]!;
    const longest = free.longest;
    for (let length = this.bytesFor(size); length <= longest; length *= 2) {
      let block = free.seek(length, Math.max(0, minimum - length));
      for (; block !== NIL && free.length[block] === length; block = free.after(block)) {
        if (maximum !== 0 && free.start[block]! >= maximum) break;
        if (this.fitIn(block, size, unit, constraints, row) !== NO_ADDRESS) return block;
      }
    }
    return NIL;
  }

  /** Bytes of the free block that begins at `start`; 0 if there is none. */
  private freeAt(start: Address): Bytes {
    const block = this.blocks.find(start);
    return block !== NIL && this.blocks.state[block] === BlockState.free ? this.blocks.size[block]! : 0;
  }

  /** Bytes of the free block that ends at `end`; 0 if there is none. */
  private freeBefore(end: Address): Bytes {
    for (let size = this.quantum; size <= end - this.options.base && end % size === 0; size *= 2)
      if (this.freeAt(end - size) === size) return size;
    return 0;
  }

  private fitIn(
    block: BlockIndex,
    size: Bytes,
    unit: Bytes,
    constraints: ConstraintTable,
    row: number,
  ): Address {
    const low = this.blocks.start[block]!;
    return lowestFit(low, low + this.blocks.size[block]!, size, unit, constraints, row);
  }

  /** Halves a free block while the half around the request holds all of it, and enters the rest as free. */
  private take(block: BlockIndex, address: Address, size: Bytes): void {
    const { blocks, figures } = this;
    this.withdrawFree(block);
    blocks.withdraw(block);
    for (let half = blocks.size[block]! / 2; half >= size; half /= 2) {
      const middle = blocks.start[block]! + half;
      const isUpper = address >= middle;
      if (!isUpper && address + size > middle) break;
      const restStart = isUpper ? blocks.start[block]! : middle;
      if (isUpper) blocks.start[block] = middle;
      blocks.size[block] = half;
      this.enterFree(blocks.add(restStart, half));
      figures.splits++;
    }
    blocks.state[block] = BlockState.alloc;
    blocks.asked[block] = size;
    blocks.enter(block, address);
    figures.allocs++;
    figures.inUseBytes += blocks.size[block]!;
    figures.reach(blocks.start[block]!, blocks.start[block]! + blocks.size[block]!);
  }

  /** Makes a withdrawn block one with its buddy if that is free and whole. */
  private absorbBuddy(block: BlockIndex): boolean {
    const { blocks } = this;
    const start = blocks.start[block]!;
    const size = blocks.size[block]!;
    const isUpper = start % (size * 2) !== 0;
    const buddy = blocks.find(isUpper ? start - size : start + size);
    if (buddy === NIL || blocks.state[buddy] !== BlockState.free || blocks.size[buddy] !== size) return false;
    this.withdrawFree(buddy);
    blocks.withdraw(buddy);
    blocks.drop(buddy);
    if (isUpper) blocks.start[block] = start - size;
    blocks.size[block] = size * 2;
    return true;
  }

  private enterFree(block: BlockIndex): void {
    const { size, start } = this.blocks;
    this.freeBlocks.insert(block, size[block]!, start[block]!);
    if (this.spectrum !== null) this.spectrum.add(size[block]!);
  }

  private withdrawFree(block: BlockIndex): void {
    this.freeBlocks.remove(block);
    if (this.spectrum !== null) this.spectrum.remove(this.blocks.size[block]!);
  }

  private fail(): Address {
    this.figures.fails++;
    return NO_ADDRESS;
  }

  private contradictionInBlocks(): string {
    const { blocks, freeBlocks: free } = this;
    let inUse = 0;
    let previous: BlockIndex = NIL;
    for (const block of blocks.inOrder()) {
      const size = blocks.size[block]!;
      const start = blocks.start[block]!;
      const isFree = blocks.state[block] === BlockState.free;
      if (!isPowerOfTwo(size) || start % size !== 0) return `block ${block} is no buddy block`;
      if (free.has(block) !== isFree) return `block ${block} is wrongly in or out of the index`;
      if (isFree && (free.length[block] !== size || free.start[block] !== start))
        return `block ${block} has a wrong key`;
      const isPair = isFree && previous !== NIL && blocks.size[previous] === size && start % (size * 2) !== 0;
      if (isPair) return `blocks ${previous} and ${block} are free buddies`;
      if (!isFree) inUse += size;
      previous = isFree ? block : NIL;
    }
    return inUse === this.figures.inUseBytes
      ? ''
      : `${inUse} bytes in blocks, ${this.figures.inUseBytes} in use`;
  }
}

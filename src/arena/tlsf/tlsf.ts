import { type Address, NO_ADDRESS } from '../../core/address.js';
import { InvariantError, MisuseError } from '../../core/errors.js';
import type { ConstraintTable } from '../../core/request.js';
import type { Bytes } from '../../core/units.js';
import { doubled, INITIAL_CAPACITY, NIL } from '../avl-tree.js';
import { type BlockIndex, BlockState, BlockTable } from '../block-table.js';
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
import { FreeMatrix, NO_LIST } from './free-matrix.js';

/** What a Tlsf is made of. */
export interface TlsfOptions extends ArenaRange {
  /** log2 of the free lists per power of two, at most 5. */
  readonly secondLevelLog2: number;
  /** Bytes of the tag of one block, free or allocated, and of the arena's own structure, for `metadataBytes`. */
  readonly tagBytes: Bytes;
  readonly arenaBytes: Bytes;
}

/** See ArenaFigures for each, and THEORY.md for what they mean here. */
class TlsfFigures extends RangeFigures {
  /** Blocks visited by constrained searches. */
  visits = 0;

  constructor(
    totalBytes: Bytes,
    private readonly blocks: BlockTable,
    private readonly matrix: FreeMatrix,
  ) {
    super(totalBytes);
  }

  get freeTags(): number {
    return this.matrix.size;
  }

  get allocTags(): number {
    return this.blocks.count - this.matrix.size;
  }

  get lookups(): number {
    return this.blocks.probes;
  }

  get searches(): number {
    return this.matrix.steps + this.visits;
  }

  get hashBuckets(): number {
    return this.blocks.hashBuckets;
  }
}

/** Two-level segregated fit with its tags at the side: constant time, good fit. See THEORY.md. */
export class Tlsf implements RangeArena {
  readonly name: string;
  readonly source = null;
  readonly quantum: Bytes;
  readonly caches: readonly CacheFigures[] = [];
  readonly figures: TlsfFigures;
  private readonly blocks: BlockTable;
  private readonly matrix: FreeMatrix;
  /** Neighbours in the address space. */
  private below: Int32Array = new Int32Array(INITIAL_CAPACITY);
  private above: Int32Array = new Int32Array(INITIAL_CAPACITY);
  /** The blocks at the two ends of the range. */
  private readonly lowest: BlockIndex;
  private highest: BlockIndex;

  /** @throws MisuseError if the range is empty, not of whole quanta, or does not end at 2^53 or below. */
  constructor(private readonly options: TlsfOptions) {
    requireRange(options);
    this.name = options.name;
    this.quantum = options.quantum;
    this.blocks = new BlockTable(options.quantum);
    this.matrix = new FreeMatrix(options.quantum, options.secondLevelLog2);
    this.figures = new TlsfFigures(options.size, this.blocks, this.matrix);
    this.lowest = this.blocks.add(options.base, options.size);
    this.highest = this.lowest;
    this.matrix.insert(this.lowest, options.size);
  }

  alloc(size: Bytes): Address {
    requireWhole(this, size);
    const list = this.matrix.firstFrom(this.matrix.listFor(size));
    if (list === NO_LIST) return this.fail();
    const block = this.matrix.head(list);
    const address = this.blocks.start[block]!;
    this.take(block, address, size);
    return address;
  }

  /** The lowest address in the first free block, in the order of the lists, in which the constraint can be met. */
  xalloc(size: Bytes, constraints: ConstraintTable, row: number): Address {
    requireWhole(this, size);
    const { base, size: total } = this.options;
    const isServable = lowestFit(base, base + total, size, this.quantum, constraints, row) !== NO_ADDRESS;
    const block = isServable ? this.findConstrained(size, constraints, row) : NIL;
    if (block === NIL) return this.fail();
    const address = this.fitIn(block, size, constraints, row);
    this.take(block, address, size);
    return address;
  }

  free(address: Address, size: Bytes): void {
    const { blocks, figures } = this;
    const block = blocks.find(address);
    if (block === NIL || blocks.state[block] !== BlockState.alloc || blocks.size[block] !== size) {
      throw new MisuseError('free of a range that is not allocated so', { arena: this.name, address, size });
    }
    figures.frees++;
    figures.inUseBytes -= size;
    blocks.state[block] = BlockState.free;
    const lower = this.below[block]!;
    this.absorbAbove(block);
    if (lower !== NIL && blocks.state[lower] === BlockState.free) {
      this.matrix.remove(lower, blocks.size[lower]!);
      this.join(lower, block);
      this.matrix.insert(lower, blocks.size[lower]!);
    } else {
      this.matrix.insert(block, blocks.size[block]!);
    }
  }

  /** Nothing is rounded but the search. */
  bytesFor(size: Bytes): Bytes {
    return size;
  }

  /** O(blocks of the last list) at worst. */
  largestFree(): Bytes {
    const { matrix, blocks } = this;
    let largest = this.freeSpectrum().largestIfSure;
    if (largest >= 0) return largest;
    for (let block = matrix.head(matrix.last); block !== NIL; block = matrix.next[block]!) {
      largest = Math.max(largest, blocks.size[block]!);
    }
    return largest;
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
    this.matrix.spectrum ??= new FreeSpectrum(this.quantum, this.walkFree.bind(this));
    return this.matrix.spectrum;
  }

  extentBytes(): Bytes {
    const { start, size, state } = this.blocks;
    const first = state[this.lowest] === BlockState.free ? this.above[this.lowest]! : this.lowest;
    if (first === NIL) return 0;
    const last = state[this.highest] === BlockState.free ? this.below[this.highest]! : this.highest;
    return start[last]! + size[last]! - start[first]!;
  }

  check(): void {
    const { base, size } = this.options;
    const problem =
      this.blocks.contradiction(base, base + size) ||
      this.matrix.contradiction(this.blocks.size) ||
      this.matrix.spectrum?.contradiction() ||
      this.contradictionInBlocks();
    if (problem !== '') throw new InvariantError(`${this.name}: ${problem}`);
  }

  private findConstrained(size: Bytes, constraints: ConstraintTable, row: number): BlockIndex {
    const { matrix, figures } = this;
    let list = matrix.firstFrom(matrix.listOf(size));
    while (list !== NO_LIST) {
      for (let block = matrix.head(list); block !== NIL; block = matrix.next[block]!) {
        figures.visits++;
        if (this.fitIn(block, size, constraints, row) !== NO_ADDRESS) return block;
      }
      list = matrix.firstFrom(list + 1);
    }
    return NIL;
  }

  private fitIn(block: BlockIndex, size: Bytes, constraints: ConstraintTable, row: number): Address {
    const low = this.blocks.start[block]!;
    return lowestFit(low, low + this.blocks.size[block]!, size, this.quantum, constraints, row);
  }

  /** Allocates [address, address + size) of a free block and enters what remains on either side as free. */
  private take(block: BlockIndex, address: Address, size: Bytes): void {
    const { blocks, figures, matrix } = this;
    const front = address - blocks.start[block]!;
    const back = blocks.size[block]! - front - size;
    matrix.remove(block, blocks.size[block]!);
    const taken = front === 0 ? block : this.cut(block, front);
    if (front > 0) matrix.insert(block, front);
    if (back > 0) matrix.insert(this.cut(taken, size), back);
    blocks.state[taken] = BlockState.alloc;
    if (front + back > 0) figures.splits++;
    figures.allocs++;
    figures.inUseBytes += size;
    figures.reach(address, address + size);
  }

  /** Shortens a block to `size` bytes and returns the block of the rest. */
  private cut(block: BlockIndex, size: Bytes): BlockIndex {
    const { blocks } = this;
    const rest = blocks.add(blocks.start[block]! + size, blocks.size[block]! - size);
    while (rest >= this.below.length) this.grow();
    const after = this.above[block]!;
    blocks.size[block] = size;
    this.above[block] = rest;
    this.below[rest] = block;
    this.above[rest] = after;
    if (after === NIL) this.highest = rest;
    else this.below[after] = rest;
    return rest;
  }

  /** Joins a block with the one above if that is free. */
  private absorbAbove(block: BlockIndex): void {
    const upper = this.above[block]!;
    if (upper === NIL || this.blocks.state[upper] !== BlockState.free) return;
    this.matrix.remove(upper, this.blocks.size[upper]!);
    this.join(block, upper);
  }

  private join(lower: BlockIndex, upper: BlockIndex): void {
    const { blocks } = this;
    const after = this.above[upper]!;
    blocks.size[lower]! += blocks.size[upper]!;
    this.above[lower] = after;
    if (after === NIL) this.highest = lower;
    else this.below[after] = lower;
    blocks.withdraw(upper);
    blocks.drop(upper);
    this.figures.merges++;
  }

  private grow(): void {
    this.below = doubled(this.below, Int32Array);
    this.above = doubled(this.above, Int32Array);
  }

  private fail(): Address {
    this.figures.fails++;
    return NO_ADDRESS;
  }

  private contradictionInBlocks(): string {
    const { blocks } = this;
    let inUse = 0;
    let free = 0;
    let previous: BlockIndex = NIL;
    for (const block of blocks.inOrder()) {
      const isFree = blocks.state[block] === BlockState.free;
      if (this.below[block] !== previous) return `block ${block} has a wrong lower neighbour`;
      if (previous !== NIL && this.above[previous] !== block)
        return `block ${previous} has a wrong upper neighbour`;
      if (isFree && previous !== NIL && blocks.state[previous] === BlockState.free)
        return `block ${block} is not merged`;
      if (isFree) free++;
      else inUse += blocks.size[block]!;
      previous = block;
    }
    if (free !== this.matrix.size) return `${free} blocks are free, ${this.matrix.size} in the lists`;
    return inUse === this.figures.inUseBytes
      ? ''
      : `${inUse} bytes in blocks, ${this.figures.inUseBytes} in use`;
  }
}

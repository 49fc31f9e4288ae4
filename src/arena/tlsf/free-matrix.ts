import { type Bytes, highBit } from '../../core/units.js';
import { doubled, INITIAL_CAPACITY, NIL } from '../avl-tree.js';
import type { BlockIndex } from '../block-table.js';
import type { FreeSpectrum } from '../free-spectrum.js';

/** First-level ranges that sizes up to 2^53 can need. */
const FIRST_LEVELS = 54;

/** Number of a free list: first level times lists per level, plus second level. */
export type ListIndex = number;

/** No list. */
export const NO_LIST: ListIndex = -1;

/**
 * The free lists of TLSF: a first level of powers of two, each divided linearly into a second level, with a bitmap of
 * non-empty lists per first level and one of non-empty first levels. Lists are last in, first out.
 */
export class FreeMatrix {
  next: Int32Array = new Int32Array(INITIAL_CAPACITY);
  /** Bitmap words read since the matrix was made. */
  steps = 0;
  size = 0;
  /** Told of every change, once somebody samples. */
  spectrum: FreeSpectrum | null = null;
  private previous: Int32Array = new Int32Array(INITIAL_CAPACITY);
  private readonly heads: Int32Array;
  private readonly secondLevel = new Int32Array(FIRST_LEVELS);
  private readonly firstLevel = new Int32Array(2);
  private readonly lists: number;

  /** `log2` of the lists per first level, at most 5. */
  constructor(
    private readonly quantum: Bytes,
    private readonly log2: number,
  ) {
    this.lists = 2 ** log2;
    this.heads = new Int32Array(FIRST_LEVELS * this.lists);
  }

  /** The list in which a free block of `size` bytes stands. */
  listOf(size: Bytes): ListIndex {
    const quanta = size / this.quantum;
    if (quanta < this.lists) return quanta;
    const power = highBit(quanta) - 1 - this.log2;
    return (power + 1) * this.lists + Math.floor(quanta / 2 ** power) - this.lists;
  }

  /** The first list of which every block has at least `size` bytes. */
  listFor(size: Bytes): ListIndex {
    const quanta = size / this.quantum;
    if (quanta < this.lists) return quanta;
    const step = 2 ** (highBit(quanta) - 1 - this.log2);
    return this.listOf((quanta + step - 1) * this.quantum);
  }

  /** The first list from `list` on that is not empty; NO_LIST if all are. */
  firstFrom(list: ListIndex): ListIndex {
    const level = list >> this.log2;
    this.steps++;
    if (level >= FIRST_LEVELS) return NO_LIST;
    const rest = this.secondLevel[level]! & (-1 << (list & (this.lists - 1)));
    if (rest !== 0) return level * this.lists + lowestBit(rest);
    const higher = this.levelFrom(level + 1);
    return higher < 0 ? NO_LIST : higher * this.lists + lowestBit(this.secondLevel[higher]!);
  }

  head(list: ListIndex): BlockIndex {
    return this.heads[list]!;
  }

  /** The last list that is not empty; NO_LIST if all are. */
  get last(): ListIndex {
    for (let level = FIRST_LEVELS - 1; level >= 0; level--) {
      const word = this.secondLevel[level]!;
      if (word !== 0) return level * this.lists + 31 - Math.clz32(word);
    }
    return NO_LIST;
  }

  insert(block: BlockIndex, size: Bytes): void {
    while (block >= this.next.length) this.grow();
    const list = this.listOf(size);
    const head = this.heads[list]!;
    const level = list >> this.log2;
    this.next[block] = head;
    this.previous[block] = NIL;
    if (head !== NIL) this.previous[head] = block;
    this.heads[list] = block;
    this.secondLevel[level]! |= 1 << (list & (this.lists - 1));
    this.firstLevel[level >> 5]! |= 1 << (level & 31);
    this.size++;
    if (this.spectrum !== null) this.spectrum.add(size);
  }

  /** Removes a block that was inserted with this size. */
  remove(block: BlockIndex, size: Bytes): void {
    const after = this.next[block]!;
    const before = this.previous[block]!;
    this.size--;
    if (this.spectrum !== null) this.spectrum.remove(size);
    if (after !== NIL) this.previous[after] = before;
    if (before !== NIL) {
      this.next[before] = after;
      return;
    }
    const list = this.listOf(size);
    this.heads[list] = after;
    if (after !== NIL) return;
    const level = list >> this.log2;
    this.secondLevel[level]! &= ~(1 << (list & (this.lists - 1)));
    if (this.secondLevel[level] === 0) this.firstLevel[level >> 5]! &= ~(1 << (level & 31));
  }

  /** Compares links, lists, bitmaps and count with the sizes of the blocks; answers what is wrong, or ''. */
  contradiction(sizes: Float64Array): string {
    let count = 0;
    for (let list = 0; list < this.heads.length; list++) {
      const level = list >> this.log2;
      const isMarked = ((this.secondLevel[level]! >>> (list & (this.lists - 1))) & 1) === 1;
      if (isMarked !== (this.heads[list] !== NIL)) return `list ${list} is wrongly marked`;
      const isLevelMarked = ((this.firstLevel[level >> 5]! >>> (level & 31)) & 1) === 1;
      if (isLevelMarked !== (this.secondLevel[level] !== 0)) return `level ${level} is wrongly marked`;
      let before = NIL;
      for (let block = this.heads[list]!; block !== NIL; before = block, block = this.next[block]!) {
        if (this.previous[block] !== before) return `block ${block} has a wrong predecessor in its list`;
        if (this.listOf(sizes[block]!) !== list) return `block ${block} is in a wrong list`;
        if (++count > this.size) return 'the lists have more blocks than are counted';
      }
    }
    return count === this.size ? '' : `${count} blocks in the lists, ${this.size} counted`;
  }

  /** The first level from `level` on with a list that is not empty; -1 if there is none. */
  private levelFrom(level: number): number {
    for (let word = level >> 5; word < 2; word++) {
      const from = word === level >> 5 ? -1 << (level & 31) : -1;
      const rest = this.firstLevel[word]! & from;
      this.steps++;
      if (rest !== 0) return word * 32 + lowestBit(rest);
    }
    return -1;
  }

  private grow(): void {
    this.next = doubled(this.next, Int32Array);
    this.previous = doubled(this.previous, Int32Array);
  }
}

function lowestBit(word: number): number {
  return 31 - Math.clz32(word & -word);
}

import type { Address } from '../../core/address.js';

/** An area: the place of its record in `words`. */
export type AreaIndex = number;

/** The absent area. It is black and has no range, and its record stays so. */
export const NIL: AreaIndex = 0;

/** Node tag of an area that belongs to no node. */
export const NO_TAG = 0;

/** Words of a record: 64 bytes, one line of the processor's cache, which a step of a descent touches alone. */
const RECORD_WORDS = 16;

/** Places of the numbers of a record, from half its own place on. */
export const START = 0;
export const END = 1;
/** In the free tree: bytes of the largest range in the subtree. */
export const LARGEST = 2;

/** Places of the words of a record, from its own place on. The upper child follows the lower one. */
export const CHILD = 6;
export const PARENT = 8;
/** Neighbours in the list of the tree or the pool; NEXT also chains records that are not in use. */
export const NEXT = 9;
export const PREVIOUS = 10;
/** 1 or 0. */
export const RED = 11;
/** Node of the CPU that asked, plus 1; NO_TAG for none. */
export const TAG = 12;

const INITIAL_RECORDS = 256;

/**
 * The areas of one system, `struct vmap_area` [linux-6.12.117], as records in one buffer. As in the kernel, an area
 * carries one set of links and is in one place at a time: free tree, busy or lazy tree of a node, or a pool.
 */
export class AreaTable {
  /** The same records as 32-bit words and as doubles. */
  words: Int32Array;
  numbers: Float64Array;
  /** Areas in use, wherever they are. */
  count = 0;
  private spare: AreaIndex = NIL;
  private limit: AreaIndex = RECORD_WORDS;

  constructor() {
    const buffer = new ArrayBuffer(4 * RECORD_WORDS * INITIAL_RECORDS);
    this.words = new Int32Array(buffer);
    this.numbers = new Float64Array(buffer);
  }

  /** An area in no place, with its range and tag still to be set. */
  take(): AreaIndex {
    this.count++;
    const row = this.spare;
    if (row !== NIL) {
      this.spare = this.words[row + NEXT]!;
      return row;
    }
    if (this.limit === this.words.length) this.grow();
    this.limit += RECORD_WORDS;
    return this.limit - RECORD_WORDS;
  }

  give(row: AreaIndex): void {
    this.count--;
    this.words[row + NEXT] = this.spare;
    this.spare = row;
  }

  startOf(row: AreaIndex): Address {
    return this.numbers[(row >> 1) + START]!;
  }

  /** Exclusive. */
  endOf(row: AreaIndex): Address {
    return this.numbers[(row >> 1) + END]!;
  }

  /** Difference of the two: for areas in the kernel half, their bytes. */
  lengthOf(row: AreaIndex): number {
    return this.numbers[(row >> 1) + END]! - this.numbers[(row >> 1) + START]!;
  }

  nextOf(row: AreaIndex): AreaIndex {
    return this.words[row + NEXT]!;
  }

  tagOf(row: AreaIndex): number {
    return this.words[row + TAG]!;
  }

  setRange(row: AreaIndex, start: Address, end: Address): void {
    this.numbers[(row >> 1) + START] = start;
    this.numbers[(row >> 1) + END] = end;
  }

  private grow(): void {
    const buffer = new ArrayBuffer(8 * this.words.length);
    const words = new Int32Array(buffer);
    words.set(this.words);
    this.words = words;
    this.numbers = new Float64Array(buffer);
  }
}

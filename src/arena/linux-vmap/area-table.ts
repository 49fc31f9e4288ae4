import type { Address } from '../../core/address.js';
import * as abi from './abi.js';
import type { AreaIndex } from './area-record.js';
import * as record from './area-record.js';

const { NIL, RECORD, PAGE, EARLIEST, LATEST, NEXT, TAG, START, END } = record;
const { PAGE_BYTES } = abi;

const INITIAL_RECORDS = 256;

/**
 * The areas of one system, `struct vmap_area` [linux-6.12.117], as records in three columns. As in the kernel, an
 * area carries one set of links and is in one place at a time: free tree, busy or lazy tree of a node, or a pool.
 */
export class AreaTable {
  words = new Int32Array(RECORD * INITIAL_RECORDS);
  lists = new Int32Array(RECORD * INITIAL_RECORDS);
  numbers = new Float64Array(RECORD * INITIAL_RECORDS);
  /** Areas in use, wherever they are. */
  count = 0;
  private spare: AreaIndex = NIL;
  private limit: AreaIndex = RECORD;

  /** `origin` is the address of page 1; the 8 TiB from there on have pages. */
  constructor(private readonly origin: Address) {}

  /** An area in no place, with its range and tag still to be set. */
  take(): AreaIndex {
    this.count++;
    const row = this.spare;
    if (row !== NIL) {
      this.spare = this.lists[row + NEXT]!;
      return row;
    }
    if (this.limit === this.words.length) this.grow();
    this.limit += RECORD;
    return this.limit - RECORD;
  }

  give(row: AreaIndex): void {
    this.count--;
    this.lists[row + NEXT] = this.spare;
    this.spare = row;
  }

  startOf(row: AreaIndex): Address {
    return this.numbers[row + START]!;
  }

  /** Exclusive. */
  endOf(row: AreaIndex): Address {
    return this.numbers[row + END]!;
  }

  /** Difference of the two: for areas in the kernel half, their bytes. */
  lengthOf(row: AreaIndex): number {
    return this.numbers[row + END]! - this.numbers[row + START]!;
  }

  nextOf(row: AreaIndex): AreaIndex {
    return this.lists[row + NEXT]!;
  }

  tagOf(row: AreaIndex): number {
    return this.lists[row + TAG]!;
  }

  setRange(row: AreaIndex, start: Address, end: Address): void {
    this.numbers[row + START] = start;
    this.numbers[row + END] = end;
    this.words[row + PAGE] = this.pageOf(start);
  }

  /** Page that an address lies in, as PAGE has it. */
  pageOf(address: Address): number {
    const page = (address - this.origin) / PAGE_BYTES + 1;
    if (page >= LATEST) return LATEST;
    return page > EARLIEST ? page | 0 : EARLIEST;
  }

  private grow(): void {
    const { words, lists, numbers } = this;
    this.words = new Int32Array(2 * words.length);
    this.words.set(words);
    this.lists = new Int32Array(2 * lists.length);
    this.lists.set(lists);
    this.numbers = new Float64Array(2 * numbers.length);
    this.numbers.set(numbers);
  }
}

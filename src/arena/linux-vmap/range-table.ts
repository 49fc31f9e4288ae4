import { type Address, WINDOW_BYTES } from '../../core/address.js';
import { roundDown } from '../../core/units.js';
import * as abi from './abi.js';
import type { AreaIndex } from './area-record.js';
import * as record from './area-record.js';

const { CHAIN, EARLIEST, END, END_PAGE, HALF_BYTES, LATEST, MANY, NIL, PAGE, RANGE_RECORD, SIZE, START } =
  record;
const { PAGE_BYTES } = abi;

const INITIAL_RECORDS = 1024;

/** Numbers from here on are kernel addresses; below are those of programs (AddressSpace.canonical). */
const KERNEL_HALF = 16 * WINDOW_BYTES;

/** Bytes between the two halves that have no numbers. */
const HOLE_BYTES = 2 ** 64 - 2 ** 53;

/** Alignments up to this are seen in the low bits of a page's number. */
export const GREATEST_MASKED = 2 ** 40;

/**
 * Ranges of addresses as records: the free ones, `struct vmap_area` in the free tree [linux-6.12.117]. `words` is what
 * searches and descents read, `numbers` the exact range.
 */
export class RangeTable {
  words = new Int32Array(0);
  numbers = new Float64Array(0);
  /** Records in use. */
  count = 0;
  /** Visits of all descents in the trees of these records. */
  steps = 0;
  /** Address of page 0: a multiple of GREATEST_MASKED, so that a page's number shows alignments up to there. */
  readonly base: Address;
  private spare: AreaIndex = NIL;
  private limit: AreaIndex;

  /** The 6 TiB from `origin` on, and more, have pages. */
  constructor(
    origin: Address,
    private readonly recordWords = RANGE_RECORD,
  ) {
    this.limit = recordWords;
    this.base = roundDown(origin, GREATEST_MASKED) - GREATEST_MASKED;
    this.provide(INITIAL_RECORDS * recordWords);
  }

  /** A record in no place, with its range still to be set. */
  take(): AreaIndex {
    this.count++;
    const row = this.spare;
    if (row !== NIL) {
      this.spare = this.nextOf(row);
      return row;
    }
    if (this.limit === this.words.length) this.provide(2 * this.words.length);
    this.limit += this.recordWords;
    return this.limit - this.recordWords;
  }

  /** A record for good that is not counted, with links to nothing. */
  reserve(): AreaIndex {
    const row = this.take();
    this.count--;
    this.words.fill(NIL, row, row + this.recordWords);
    return row;
  }

  give(row: AreaIndex): void {
    this.count--;
    this.chain(row, this.spare);
    this.spare = row;
  }

  startOf(row: AreaIndex): Address {
    return this.numbers[((row >> 2) + START) | 0]!;
  }

  /** Exclusive. */
  endOf(row: AreaIndex): Address {
    return this.numbers[((row >> 2) + END) | 0]!;
  }

  /** Bytes of a range, as 64-bit addresses count them. */
  bytesOf(row: AreaIndex): number {
    const start = this.startOf(row);
    const end = this.endOf(row);
    return start < KERNEL_HALF && end > KERNEL_HALF ? end - start + HOLE_BYTES : end - start;
  }

  /** A start that has a page lies on its boundary. */
  setRange(row: AreaIndex, start: Address, end: Address): void {
    const { words, numbers } = this;
    numbers[((row >> 2) + START) | 0] = start;
    numbers[((row >> 2) + END) | 0] = end;
    words[(row + PAGE) | 0] = this.pageOf(start);
    words[(row + END_PAGE) | 0] = this.pageOf(end);
    const halves = this.bytesOf(row) / HALF_BYTES;
    words[(row + SIZE) | 0] = halves < MANY ? halves | 0 : MANY;
  }

  /** The record that `chain` has put behind another one. */
  nextOf(row: AreaIndex): AreaIndex {
    return this.words[row + CHAIN]!;
  }

  /** Chains two records that are in no tree. */
  chain(row: AreaIndex, next: AreaIndex): void {
    this.words[row + CHAIN] = next;
  }

  /** Page that an address lies in, as PAGE has it. */
  pageOf(address: Address): number {
    const page = (address - this.base) / PAGE_BYTES;
    if (page >= LATEST) return LATEST;
    return page > EARLIEST ? page | 0 : EARLIEST;
  }

  /** Page that begins at an address; EARLIEST if none does. */
  wholePageOf(address: Address): number {
    const place = (address - this.base) / PAGE_BYTES;
    const page = place | 0;
    return page === place && page > EARLIEST && page < LATEST ? page : EARLIEST;
  }

  /** Makes room for records of so many words together, and keeps those that are there. */
  protected provide(words: number): void {
    const { words: oldWords, numbers: oldNumbers } = this;
    this.words = new Int32Array(words);
    this.words.set(oldWords);
    this.numbers = new Float64Array(words / 4);
    this.numbers.set(oldNumbers);
  }
}

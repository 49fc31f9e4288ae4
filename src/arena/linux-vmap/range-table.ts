import type { Address } from '../../core/address.js';
import * as abi from './abi.js';
import type { AreaIndex } from './area-record.js';
import * as record from './area-record.js';

const { CHAIN, EARLIEST, END, LATEST, NIL, PAGE, RANGE_RECORD, START } = record;
const { PAGE_BYTES } = abi;

const INITIAL_RECORDS = 1024;

/** Bytes of the links before the numbers of a record. */
const LINK_BYTES = 16;

/**
 * Ranges of addresses as records: the free ones, `struct vmap_area` in the free tree [linux-6.12.117]. Links and numbers
 * of a record stand side by side, for searches read both.
 */
export class RangeTable {
  words = new Int32Array(0);
  numbers = new Float64Array(0);
  /** Records in use. */
  count = 0;
  private spare: AreaIndex = NIL;
  private limit: AreaIndex;

  /** `origin` is the address of page 1, and whole pages; the 8 TiB from there on have pages. */
  constructor(
    readonly origin: Address,
    private readonly recordWords = RANGE_RECORD,
  ) {
    this.limit = recordWords;
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
    return this.numbers[(row >> 1) + START]!;
  }

  /** Exclusive. */
  endOf(row: AreaIndex): Address {
    return this.numbers[(row >> 1) + END]!;
  }

  /** A start that has a page lies on its boundary. */
  setRange(row: AreaIndex, start: Address, end: Address): void {
    this.numbers[(row >> 1) + START] = start;
    this.numbers[(row >> 1) + END] = end;
    this.words[row + PAGE] = this.pageOf(start);
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
    const page = (address - this.origin) / PAGE_BYTES + 1;
    if (page >= LATEST) return LATEST;
    return page > EARLIEST ? page | 0 : EARLIEST;
  }

  /** Page that begins at an address; EARLIEST if none does. */
  wholePageOf(address: Address): number {
    const place = (address - this.origin) / PAGE_BYTES + 1;
    const page = place | 0;
    return page === place && page > EARLIEST && page < LATEST ? page : EARLIEST;
  }

  /** Makes room for records of so many words together, and keeps those that are there. */
  protected provide(words: number): void {
    const { words: old } = this;
    const buffer = new ArrayBuffer(words * Int32Array.BYTES_PER_ELEMENT);
    this.words = new Int32Array(buffer);
    this.words.set(old);
    this.numbers = new Float64Array(buffer, LINK_BYTES);
  }
}

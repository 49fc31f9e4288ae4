import type { Address } from '../../core/address.js';
import type { Bytes } from '../../core/units.js';
import * as abi from './abi.js';
import type { AreaIndex } from './area-record.js';
import * as record from './area-record.js';
import { GREATEST_MASKED, RangeTable } from './range-table.js';

const { AREA_RECORD, EARLIEST, END, LATEST, MANY, NEXT, PAGE, PAGES, START, TAG } = record;
const { PAGE_BYTES } = abi;

/**
 * The areas that are not free, `struct vmap_area` [linux-6.12.117], as records in three columns. As in the kernel, an
 * area carries one set of links and is in one place at a time: busy or lazy tree of a node, or a pool. `numbers` has
 * the ranges only of those whose start has no page, or whose pages are too many.
 */
export class AreaTable extends RangeTable {
  declare lists: Int32Array;

  constructor(origin: Address) {
    super(origin, AREA_RECORD);
  }

  override startOf(row: AreaIndex): Address {
    const page = this.words[row + PAGE]!;
    return page > EARLIEST && page < LATEST
      ? this.base + page * PAGE_BYTES
      : this.numbers[(row >> 1) + START]!;
  }

  /** Whether the start is a multiple of `align`, a power of two. */
  isAligned(row: AreaIndex, align: Bytes): boolean {
    const page = this.words[row + PAGE]!;
    if (page > EARLIEST && page < LATEST && align <= GREATEST_MASKED)
      return (page & (align / PAGE_BYTES - 1)) === 0;
    const quotient = this.startOf(row) / align;
    return quotient === Math.floor(quotient);
  }

  override endOf(row: AreaIndex): Address {
    return this.isNear(row)
      ? this.startOf(row) + this.lists[row + PAGES]! * PAGE_BYTES
      : this.numbers[(row >> 1) + END]!;
  }

  override setRange(row: AreaIndex, start: Address, end: Address): void {
    const pages = (end - start) / PAGE_BYTES;
    this.words[row + PAGE] = this.pageOf(start);
    this.lists[row + PAGES] = Math.min(pages, MANY);
    if (this.isNear(row)) return;
    this.provideNumbers();
    this.numbers[(row >> 1) + START] = start;
    this.numbers[(row >> 1) + END] = end;
  }

  pagesOf(row: AreaIndex): number {
    const pages = this.lists[row + PAGES]!;
    return pages < MANY ? pages : (this.endOf(row) - this.startOf(row)) / PAGE_BYTES;
  }

  tagOf(row: AreaIndex): number {
    return this.lists[row + TAG]!;
  }

  override nextOf(row: AreaIndex): AreaIndex {
    return this.lists[row + NEXT]!;
  }

  override chain(row: AreaIndex, next: AreaIndex): void {
    this.lists[row + NEXT] = next;
  }

  /** `numbers` stays short until an area needs it. */
  protected override provide(words: number): void {
    const { words: oldWords, lists: oldLists = new Int32Array(0) } = this;
    this.words = new Int32Array(words);
    this.words.set(oldWords);
    this.lists = new Int32Array(words);
    this.lists.set(oldLists);
  }

  /** Has room in `numbers` for all records that there are. */
  private provideNumbers(): void {
    const { numbers: old, words } = this;
    if (old.length === words.length / 2) return;
    this.numbers = new Float64Array(words.length / 2);
    this.numbers.set(old);
  }

  private isNear(row: AreaIndex): boolean {
    const page = this.words[row + PAGE]!;
    return page > EARLIEST && page < LATEST && this.lists[row + PAGES]! < MANY;
  }
}

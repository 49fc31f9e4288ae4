import type { Address } from '../../core/address.js';
import { doubled } from '../avl-tree.js';
import { type EntrySupply, type MapEntry, NO_ENTRY } from './entry-supply.js';
import { EntryFlag } from './flags.js';

/** The map that entry pages are pages of. */
export interface EntryPageHost {
  /** Maps a page at the lowest hole, described by `entry`. Answers whether there was one; it is then in `pageBase`. */
  mapEntryPage(entry: MapEntry): boolean;
  /** Address of the page that was mapped last. */
  readonly pageBase: Address;
  unmapEntryPage(base: Address): void;
}

const NO_PAGE = -1;
const INITIAL_PAGES = 4;

/** Entry 0 of a page describes the page; the one that made the page necessary gets entry 1. */
const FIRST_SPARE = 2;

/**
 * Entries of a kernel map, cut from pages of that map: `uvm_kmapent_alloc` and `uvm_kmapent_free` of NetBSD 5.2
 * [netbsd@301a139], spec §2.5. Entry i of page p is row p × entriesPerPage + i. There is no page 0: row 0 is the static
 * entry of the kernel image.
 */
export class EntryPages implements EntrySupply {
  readonly isInKernel = true;
  flags: Int8Array;
  freeEntries = 0;
  /** Pages that are mapped now, and that were ever. */
  pages = 0;
  pagesMade = 0;
  /** Next free entry of the same page. */
  private nextFree: Int32Array;
  private base: Float64Array = new Float64Array(INITIAL_PAGES);
  private firstFree: Int32Array = new Int32Array(INITIAL_PAGES);
  private used: Int32Array = new Int32Array(INITIAL_PAGES);
  /** Pages with a free entry, the newest first; spare rows are linked through `next` as well. */
  private next: Int32Array = new Int32Array(INITIAL_PAGES);
  private previous: Int32Array = new Int32Array(INITIAL_PAGES);
  private listed = NO_PAGE;
  private spare = NO_PAGE;
  private rows = 1;

  constructor(
    private readonly host: EntryPageHost,
    private readonly perPage: number,
  ) {
    this.flags = new Int8Array(INITIAL_PAGES * perPage);
    this.nextFree = new Int32Array(INITIAL_PAGES * perPage);
    this.flags[STATIC_ENTRY] = EntryFlag.kernel | EntryFlag.first;
  }

  take(): MapEntry {
    const page = this.listed;
    if (page === NO_PAGE) return this.takeFromNewPage();
    const entry = this.firstFree[page]!;
    this.firstFree[page] = this.nextFree[entry]!;
    this.freeEntries--;
    if (++this.used[page]! === this.perPage) this.unlist(page);
    return entry;
  }

  give(entry: MapEntry): void {
    const page = Math.trunc(entry / this.perPage);
    this.putFree(page, entry);
    const used = --this.used[page]!;
    this.freeEntries++;
    if (used === this.perPage - 1) this.list(page);
    // One page is kept though it is empty, but only while no other has free entries.
    if (used === 1 && this.next[this.listed]! !== NO_PAGE) this.removePage(page);
  }

  private takeFromNewPage(): MapEntry {
    const page = this.takeRow();
    const own = page * this.perPage;
    this.flags[own] = EntryFlag.kernel | EntryFlag.entryPage | EntryFlag.noMerge;
    if (!this.host.mapEntryPage(own)) {
      this.spareRow(page);
      return NO_ENTRY;
    }
    this.base[page] = this.host.pageBase;
    this.firstFree[page] = NO_ENTRY;
    for (let index = this.perPage - 1; index >= FIRST_SPARE; index--) {
      this.flags[own + index] = EntryFlag.kernel;
      this.putFree(page, own + index);
    }
    this.flags[own + 1] = EntryFlag.kernel;
    this.used[page] = FIRST_SPARE;
    this.freeEntries += this.perPage - FIRST_SPARE;
    this.pages++;
    this.pagesMade++;
    this.list(page);
    return own + 1;
  }

  private removePage(page: number): void {
    this.unlist(page);
    this.freeEntries -= this.perPage - 1;
    this.pages--;
    const base = this.base[page]!;
    this.spareRow(page);
    this.host.unmapEntryPage(base);
  }

  private putFree(page: number, entry: MapEntry): void {
    this.nextFree[entry] = this.firstFree[page]!;
    this.firstFree[page] = entry;
  }

  private list(page: number): void {
    this.next[page] = this.listed;
    this.previous[page] = NO_PAGE;
    if (this.listed !== NO_PAGE) this.previous[this.listed] = page;
    this.listed = page;
  }

  private unlist(page: number): void {
    const before = this.previous[page]!;
    const after = this.next[page]!;
    if (before === NO_PAGE) this.listed = after;
    else this.next[before] = after;
    if (after !== NO_PAGE) this.previous[after] = before;
  }

  private spareRow(page: number): void {
    this.next[page] = this.spare;
    this.spare = page;
  }

  private takeRow(): number {
    const row = this.spare;
    if (row !== NO_PAGE) {
      this.spare = this.next[row]!;
      return row;
    }
    if (this.rows === this.base.length) this.grow();
    return this.rows++;
  }

  private grow(): void {
    this.base = doubled(this.base, Float64Array);
    this.firstFree = doubled(this.firstFree, Int32Array);
    this.used = doubled(this.used, Int32Array);
    this.next = doubled(this.next, Int32Array);
    this.previous = doubled(this.previous, Int32Array);
    this.nextFree = doubled(this.nextFree, Int32Array);
    this.flags = doubled(this.flags, Int8Array);
  }
}

/** The entry of the kernel image. */
export const STATIC_ENTRY: MapEntry = 0;

import type { Address } from '../../core/address.js';
import type { Bytes } from '../../core/units.js';
import type { FreeSpectrum } from '../free-spectrum.js';
import * as abi from './abi.js';
import type { AreaIndex } from './area-record.js';
import * as record from './area-record.js';
import { FreeTree } from './free-tree.js';
import { GREATEST_MASKED, RangeTable } from './range-table.js';

const { CHILD, EARLIEST, END_PAGE, HALF_BYTES, LARGEST, LOWER, MANY, NIL, PARENT, RED, UPPER } = record;
const { PAGE_BYTES } = abi;

/** Pages from here on are too far away for sums of their numbers with alignments and sizes: 2 TiB and more. */
const FAR_PAGE = 2 ** 30;

/** Requests below this have numbers of pages that may be added to near ones. */
const GREATEST_NEAR = 2 ** 29 * PAGE_BYTES;

/** What a search answers that cannot say. */
const FAR: AreaIndex = -1;

/** Cuts that left a rest of the range, and pairs of neighbours made one. */
export interface CutCounters {
  splits: number;
  merges: number;
}

/**
 * The free ranges of the whole kernel half in one augmented tree: `free_vmap_area_root` and the functions on it,
 * mm/vmalloc.c [linux-6.12.117]; spec §1, §4 and §6. Requests see it through windows.
 */
export class FreeSpace {
  readonly ranges: RangeTable;
  readonly tree: FreeTree;
  /** Ranges that searches looked at. */
  visits = 0;
  /** Address that is given out next. A field, because numbers of this size would be made objects to be passed. */
  place: Address = Number.NaN;
  /** Kept up to date from the moment it is set. It sees what of a free range lies from `lowest` to `highest`. */
  spectrum: FreeSpectrum | null = null;

  private readonly windowStart: Address[] = [];
  private readonly windowEnd: Address[] = [];
  private readonly windowPage: number[] = [];

  constructor(
    /** Near which addresses have pages; see RangeTable. */
    origin: Address,
    readonly lowest: Address,
    readonly highest: Address,
    private readonly counters: CutCounters,
  ) {
    this.ranges = new RangeTable(origin);
    this.tree = new FreeTree(this.ranges);
  }

  /** A window [from, to) for requests; returns its number. */
  addWindow(from: Address, to: Address): number {
    this.windowEnd.push(to);
    this.windowPage.push(this.ranges.pageOf(from));
    return this.windowStart.push(from) - 1;
  }

  /**
   * The free range that a request gets, which may begin before what it gets, with the address in `place`; NIL if the
   * walk comes to none, or to one where the request would reach out of its window (`va_alloc`). With
   * alignments above a page this is not always the lowest that fits: the walk goes by a size that is enough for the
   * worst alignment, and takes a smaller one only where it happens to test it (`find_vmap_lowest_match`).
   */
  search(size: Bytes, align: Bytes, window: number, isExactWindow = this.isExact(size, window)): AreaIndex {
    const length = size + (align <= PAGE_BYTES || isExactWindow ? 0 : align - 1);
    const from = this.windowPage[window]!;
    const isNear = from < FAR_PAGE && from > EARLIEST && size < GREATEST_NEAR && align <= GREATEST_MASKED;
    let at = FAR;
    if (isNear) at = this.searchPages(size / PAGE_BYTES, align / PAGE_BYTES, length / HALF_BYTES, from);
    if (at === FAR) at = this.searchFar(size, align, length, this.windowStart[window]!);
    return at === NIL || this.place + size > this.windowEnd[window]! ? NIL : at;
  }

  /**
   * The walk by numbers of pages, from the page `from` on, for a size that is enough anywhere in halves of a page. FAR if
   * it comes to a range that lies too far away.
   */
  private searchPages(size: number, align: number, enough: number, from: number): AreaIndex {
    const { words, base } = this.ranges;
    const { head } = this.tree;
    const pages = size | 0;
    const halves = enough | 0;
    const mask = align > 1 ? (align - 1) | 0 : 0;
    let lowest = from | 0;
    let at = this.tree.root | 0;
    let visits = 0;
    down: while (at !== NIL) {
      visits = (visits + 1) | 0;
      let begin = words[at]!;
      while (lowest < begin && words[(at + LARGEST) | 0]! >= halves) {
        at = words[(at + CHILD) | 0]!;
        begin = words[at]!;
        visits = (visits + 1) | 0;
      }
      if (begin >= FAR_PAGE) return FAR;
      if (begin < lowest) begin = lowest;
      let first = (begin + mask) & ~mask;
      if (first <= ((words[(at + END_PAGE) | 0]! - pages) | 0)) break;
      if (words[(at + LARGEST + UPPER) | 0]! >= halves) {
        at = words[(at + CHILD + UPPER) | 0]!;
        continue;
      }
      // A range is tested on the way up even if the walk came from its upper side and has tested it before.
      do {
        at = words[(at + PARENT) | 0]! & ~RED;
        if (at === head) {
          at = NIL;
          break down;
        }
        visits = (visits + 1) | 0;
        begin = words[at]!;
        if (begin >= FAR_PAGE) return FAR;
        first = begin;
        if (first < lowest) first = lowest;
        first = (first + mask) & ~mask;
        if (first <= ((words[(at + END_PAGE) | 0]! - pages) | 0)) break down;
      } while (lowest > begin || words[(at + LARGEST + UPPER) | 0]! < halves);
      lowest = (begin + 1) | 0;
      at = words[(at + CHILD + UPPER) | 0]!;
    }
    this.visits += visits;
    if (at === NIL) return NIL;
    const begin = Math.max(words[at]!, from);
    this.place = base + ((begin + mask) & ~mask) * PAGE_BYTES;
    return at;
  }

  /** The walk by addresses, which may be any. */
  private searchFar(size: Bytes, align: Bytes, length: Bytes, from: Address): AreaIndex {
    const { ranges, tree } = this;
    const { words } = ranges;
    let lowest = from;
    let isFromAbove = true;
    let at = tree.root;
    while (at !== NIL && at !== tree.head) {
      this.visits++;
      const begin = ranges.startOf(at);
      if (isFromAbove && lowest < begin && this.isEnough(at, LOWER, length)) {
        at = words[at + CHILD]!;
        continue;
      }
      if (Math.ceil(Math.max(begin, lowest) / align) * align + size <= ranges.endOf(at)) {
        this.place = Math.ceil(Math.max(begin, from) / align) * align;
        return at;
      }
      if ((isFromAbove || lowest <= begin) && this.isEnough(at, UPPER, length)) {
        if (!isFromAbove) lowest = begin + 1;
        isFromAbove = true;
        at = words[at + CHILD + UPPER]!;
      } else {
        isFromAbove = false;
        at = words[at + PARENT]! & ~RED;
      }
    }
    return NIL;
  }

  /** Whether a range below the child of `row` at a side has so many bytes. */
  private isEnough(row: AreaIndex, side: number, length: Bytes): boolean {
    const { words } = this.ranges;
    const halves = length / HALF_BYTES;
    return halves < MANY
      ? words[row + LARGEST + side]! >= Math.floor(halves)
      : this.tree.largestBytes(words[row + CHILD + side]!) >= length;
  }

  /** Whether a window is as long as a request. */
  private isExact(size: Bytes, window: number): boolean {
    return this.windowEnd[window]! - this.windowStart[window]! === size;
  }

  /**
   * Takes `size` bytes from `place` on out of the free range `row` that holds them. The range that was there keeps what
   * lies above, a new one gets what lies below (`va_clip`).
   */
  cut(row: AreaIndex, size: Bytes): void {
    const { ranges, tree, spectrum, place: from } = this;
    const to = from + size;
    if (spectrum !== null) this.uncount(row);
    const start = ranges.startOf(row);
    const end = ranges.endOf(row);
    if (start === from && end === to) {
      tree.remove(row);
      ranges.give(row);
      return;
    }
    this.counters.splits++;
    let below = NIL;
    if (start !== from && end !== to) {
      below = ranges.take();
      ranges.setRange(below, start, from);
      ranges.setRange(row, to, end);
      tree.splitOff(row, below);
    } else {
      ranges.setRange(row, start === from ? to : start, start === from ? end : from);
      tree.resized(row);
    }
    if (spectrum === null) return;
    this.count(row);
    if (below !== NIL) this.count(below);
  }

  /**
   * Puts a range that is in no place back, joined with the one that follows it and with the one that precedes it
   * (`merge_or_add_vmap_area_augment`). The row above wins over the new one, that below over both.
   */
  giveBack(row: AreaIndex): void {
    const { ranges, tree, spectrum } = this;
    const place = tree.locate(row, tree.root);
    const below = tree.preceding(place);
    const above = tree.following(place);
    const joinsAbove = above !== NIL && ranges.startOf(above) === ranges.endOf(row);
    const joinsBelow = below !== NIL && ranges.endOf(below) === ranges.startOf(row);
    if (!joinsAbove && !joinsBelow) {
      tree.link(row, place);
      if (spectrum !== null) this.count(row);
      return;
    }
    if (spectrum !== null) {
      if (joinsAbove) this.uncount(above);
      if (joinsBelow) this.uncount(below);
    }
    const kept = joinsBelow ? below : above;
    const start = ranges.startOf(joinsBelow ? below : row);
    const end = ranges.endOf(joinsAbove ? above : row);
    if (joinsBelow && joinsAbove) {
      tree.remove(above);
      ranges.give(above);
    }
    ranges.setRange(kept, start, end);
    ranges.give(row);
    tree.resized(kept);
    this.counters.merges += joinsAbove && joinsBelow ? 2 : 1;
    if (spectrum !== null) this.count(kept);
  }

  /** The free range with the highest start at or below an address, or one that reaches up to it; NIL for none. */
  rangeAround(address: Address): AreaIndex {
    const { ranges } = this;
    const { words } = ranges;
    let found = NIL;
    let at = this.tree.root;
    while (at !== NIL) {
      this.visits++;
      if (ranges.startOf(at) > address) at = words[(at + CHILD) | 0]!;
      else {
        found = at;
        if (ranges.endOf(at) >= address) break;
        at = words[at + CHILD + UPPER]!;
      }
    }
    return found;
  }

  /** Bytes of a free range that lie from `lowest` to `highest`. */
  clipped(row: AreaIndex): Bytes {
    const { ranges, lowest, highest } = this;
    return Math.max(0, Math.min(ranges.endOf(row), highest) - Math.max(ranges.startOf(row), lowest));
  }

  /** A free range is there, or is none any more: for the spectrum. */
  count(row: AreaIndex): void {
    const bytes = this.clipped(row);
    if (bytes > 0) this.spectrum?.add(bytes);
  }

  uncount(row: AreaIndex): void {
    const bytes = this.clipped(row);
    if (bytes > 0) this.spectrum?.remove(bytes);
  }
}

import type { Address } from '../../core/address.js';
import type { Bytes } from '../../core/units.js';
import type { FreeSpectrum } from '../free-spectrum.js';
import * as abi from './abi.js';
import type { AreaIndex } from './area-record.js';
import * as record from './area-record.js';
import type { AreaTable } from './area-table.js';
import { AreaTree } from './area-tree.js';

const { CHILD, END, LARGEST, NIL, PARENT, RED, START } = record;
const { PAGE_BYTES } = abi;

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
  readonly tree: AreaTree;
  /** Ranges that searches looked at. */
  visits = 0;
  /** Kept up to date from the moment it is set. It sees what of a free range lies from `lowest` to `highest`. */
  spectrum: FreeSpectrum | null = null;

  constructor(
    private readonly areas: AreaTable,
    readonly lowest: Address,
    readonly highest: Address,
    private readonly counters: CutCounters,
  ) {
    this.tree = new AreaTree(areas, true);
  }

  /**
   * The free range that a request gets, which may begin before what it gets; NIL if the walk comes to none. With
   * alignments above a page this is not always the lowest that fits: the walk goes by a size that is enough for the
   * worst alignment, and takes a smaller one only where it happens to test it (`find_vmap_lowest_match`).
   */
  search(size: Bytes, align: Bytes, from: Address, isExactWindow: boolean): AreaIndex {
    const { words, numbers } = this.areas;
    const perAlign = 1 / align;
    const length = align <= PAGE_BYTES || isExactWindow ? size : size + align - 1;
    let lowest = from;
    let at = this.tree.root;
    let isFromAbove = true;
    let visits = 0;
    while (at !== NIL) {
      visits++;
      const begin = numbers[at + START]!;
      const lower = words[at + CHILD]!;
      if (isFromAbove && lowest < begin && numbers[lower + LARGEST]! >= length) {
        at = lower;
        continue;
      }
      const aligned = Math.ceil(Math.max(begin, lowest) * perAlign) * align;
      if (aligned + size <= numbers[at + END]!) break;
      const upper = words[at + CHILD + 1]!;
      if (numbers[upper + LARGEST]! >= length && (isFromAbove || lowest <= begin)) {
        if (!isFromAbove) lowest = begin + 1;
        isFromAbove = true;
        at = upper;
      } else {
        // A range is tested on the way up even if the walk came from its upper side and has tested it before.
        isFromAbove = false;
        at = words[at + PARENT]! & ~RED;
      }
    }
    this.visits += visits;
    return at;
  }

  /**
   * Takes [from, from + size) out of the free range `row` that holds it. The range that was there keeps what lies above
   * it, a new one gets what lies below (`va_clip`).
   */
  cut(row: AreaIndex, from: Address, size: Bytes): void {
    const { areas, tree, spectrum } = this;
    const to = from + size;
    if (spectrum !== null) this.uncount(row);
    const start = areas.startOf(row);
    const end = areas.endOf(row);
    if (start === from && end === to) {
      tree.remove(row);
      areas.give(row);
      return;
    }
    this.counters.splits++;
    let below = NIL;
    if (start === from) areas.setRange(row, to, end);
    else if (end === to) areas.setRange(row, start, from);
    else {
      below = areas.take();
      areas.setRange(below, start, from);
      areas.setRange(row, to, end);
    }
    tree.resized(row);
    if (below !== NIL) {
      tree.locate(below, row);
      tree.link(below);
    }
    if (spectrum === null) return;
    this.count(row);
    if (below !== NIL) this.count(below);
  }

  /** Puts an area that is in no place back, joined with free neighbours (`merge_or_add_vmap_area_augment`). */
  giveBack(row: AreaIndex): void {
    this.counters.merges += joinOrLink(this.tree, row, this.spectrum === null ? null : this);
  }

  /** The free range with the highest start at or below an address, or one that reaches up to it; NIL for none. */
  rangeAround(address: Address): AreaIndex {
    const { areas } = this;
    const { words } = areas;
    let found = NIL;
    let at = this.tree.root;
    while (at !== NIL) {
      this.visits++;
      if (areas.startOf(at) > address) at = words[at + CHILD]!;
      else {
        found = at;
        if (areas.endOf(at) >= address) break;
        at = words[at + CHILD + 1]!;
      }
    }
    return found;
  }

  /** Bytes of a free range that lie from `lowest` to `highest`. */
  clipped(row: AreaIndex): Bytes {
    const { areas, lowest, highest } = this;
    return Math.max(0, Math.min(areas.endOf(row), highest) - Math.max(areas.startOf(row), lowest));
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

/**
 * Puts an area into a tree, joined with the range that follows it and with the one that precedes it; rows that are
 * swallowed are given back. Returns the number of joints. The range above wins over the area, that below over both.
 */
export function joinOrLink(tree: AreaTree, row: AreaIndex, counter: FreeSpace | null): number {
  const { areas } = tree;
  tree.locate(row, tree.root);
  const below = tree.preceding;
  const above = tree.following;
  const joinsAbove = above !== NIL && areas.startOf(above) === areas.endOf(row);
  const joinsBelow = below !== NIL && areas.endOf(below) === areas.startOf(row);
  if (!joinsAbove && !joinsBelow) {
    tree.link(row);
    counter?.count(row);
    return 0;
  }
  if (joinsAbove) counter?.uncount(above);
  if (joinsBelow) counter?.uncount(below);
  const kept = joinsBelow ? below : above;
  const start = areas.startOf(joinsBelow ? below : row);
  const end = areas.endOf(joinsAbove ? above : row);
  if (joinsBelow && joinsAbove) {
    tree.remove(above);
    areas.give(above);
  }
  areas.setRange(kept, start, end);
  areas.give(row);
  tree.resized(kept);
  counter?.count(kept);
  return joinsAbove && joinsBelow ? 2 : 1;
}

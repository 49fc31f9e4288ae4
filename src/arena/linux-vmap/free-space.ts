import type { Address } from '../../core/address.js';
import type { Bytes } from '../../core/units.js';
import type { FreeSpectrum } from '../free-spectrum.js';
import { type AreaIndex, type AreaTable, NIL } from './area-table.js';
import { AreaTree } from './area-tree.js';

/** Page of x86-64. */
export const PAGE_BYTES: Bytes = 4096;

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
    const { start, end, child, parent, largest } = this.areas;
    const perAlign = 1 / align;
    const length = align <= PAGE_BYTES || isExactWindow ? size : size + align - 1;
    let lowest = from;
    let at = this.tree.root;
    let isFromAbove = true;
    let visits = 0;
    while (at !== NIL) {
      visits++;
      const begin = start[at]!;
      if (isFromAbove && lowest < begin && largest[child[2 * at]!]! >= length) {
        at = child[2 * at]!;
        continue;
      }
      const aligned = Math.ceil(Math.max(begin, lowest) * perAlign) * align;
      if (aligned + size <= end[at]!) break;
      const upper = child[2 * at + 1]!;
      if (largest[upper]! >= length && (isFromAbove || lowest <= begin)) {
        if (!isFromAbove) lowest = begin + 1;
        isFromAbove = true;
        at = upper;
      } else {
        // A range is tested on the way up even if the walk came from its upper side and has tested it before.
        isFromAbove = false;
        at = parent[at]!;
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
    if (areas.start[row] === from && areas.end[row] === to) {
      tree.remove(row);
      areas.give(row);
      return;
    }
    this.counters.splits++;
    let below = NIL;
    if (areas.start[row] === from) areas.start[row] = to;
    else if (areas.end[row] === to) areas.end[row] = from;
    else below = this.rest(row, from, to);
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
    const { start, end, child } = this.areas;
    let found = NIL;
    let at = this.tree.root;
    while (at !== NIL) {
      this.visits++;
      if (start[at]! > address) at = child[2 * at]!;
      else {
        found = at;
        if (end[at]! >= address) break;
        at = child[2 * at + 1]!;
      }
    }
    return found;
  }

  /** Bytes of a free range that lie from `lowest` to `highest`. */
  clipped(row: AreaIndex): Bytes {
    const { start, end } = this.areas;
    return Math.max(0, Math.min(end[row]!, this.highest) - Math.max(start[row]!, this.lowest));
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

  /** Splits off the part below `from`, as an area without a place; the other keeps what lies from `to` on. */
  private rest(row: AreaIndex, from: Address, to: Address): AreaIndex {
    const { areas } = this;
    const below = areas.take();
    areas.start[below] = areas.start[row]!;
    areas.end[below] = from;
    areas.start[row] = to;
    return below;
  }
}

/**
 * Puts an area into a tree, joined with the range that follows it and with the one that precedes it; rows that are
 * swallowed are given back. Returns the number of joints. The range above wins over the area, that below over both.
 */
export function joinOrLink(tree: AreaTree, row: AreaIndex, counter: FreeSpace | null): number {
  const { areas } = tree;
  const { start, end } = areas;
  tree.locate(row, tree.root);
  const below = tree.preceding;
  const above = tree.following;
  const joinsAbove = above !== NIL && start[above] === end[row];
  const joinsBelow = below !== NIL && end[below] === start[row];
  if (!joinsAbove && !joinsBelow) {
    tree.link(row);
    counter?.count(row);
    return 0;
  }
  if (joinsAbove) counter?.uncount(above);
  if (joinsBelow) counter?.uncount(below);
  const kept = joinsBelow ? below : above;
  if (joinsBelow) {
    const newEnd = joinsAbove ? end[above]! : end[row]!;
    if (joinsAbove) {
      tree.remove(above);
      areas.give(above);
    }
    end[below] = newEnd;
  } else start[above] = start[row]!;
  areas.give(row);
  tree.resized(kept);
  counter?.count(kept);
  return joinsAbove && joinsBelow ? 2 : 1;
}

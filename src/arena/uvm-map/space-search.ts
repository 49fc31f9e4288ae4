import type { Address } from '../../core/address.js';
import { type Bytes, roundUp } from '../../core/units.js';
import { type EntryIndex, type EntryTree, HEAD, NIL } from '../entry-map/entry-tree.js';
import { MapFlag } from './flags.js';

/** A hint at or below the base of the map asks for the lowest fit in the whole map. */
export const ANYWHERE: Address = 0;

/**
 * Where a map places requests and finds entries: `uvm_map_findspace` and `uvm_map_lookup_entry` of NetBSD 5.2
 * [netbsd@301a139], spec §2.2. The answer is always the lowest aligned fit at or above where the search starts, so one
 * walk of the tree of gaps replaces the kernel's search from `first_free` (THEORY.md, D2).
 */
export class SpaceSearch {
  /** Row looked up or found last, HEAD for none: a figure only, it decides nothing. */
  hint: EntryIndex = HEAD;
  /** Address that the last successful search found; in a column, so that it is not boxed. */
  readonly found: Float64Array = new Float64Array(1);

  constructor(
    private readonly tree: EntryTree,
    private readonly base: Address,
    private readonly limit: Address,
  ) {}

  /** The last row that starts at or below the address. */
  lookUp(address: Address): EntryIndex {
    const row = this.tree.findEntry(address);
    this.hint = row;
    return row;
  }

  /** The row before the gap that answers a request, with the address in `found`; NIL if there is none. */
  find(size: Bytes, align: Bytes, hint: Address, flags: number): EntryIndex {
    const row = this.search(size, align, hint, flags);
    if (row !== NIL) this.hint = row;
    return row;
  }

  private search(size: Bytes, align: Bytes, hint: Address, flags: number): EntryIndex {
    const { tree } = this;
    const isFixed = (flags & MapFlag.fixed) !== 0;
    if (hint <= this.base && !isFixed) return this.lowestFitFrom(tree.findGap(size), size, align);
    if (hint < this.base || hint >= this.limit) return NIL;
    const row = this.lookUp(hint);
    const end = tree.end[row]!;
    if (isFixed) {
      this.found[0] = hint;
      return hint >= end && hint + size <= end + tree.gap[row]! ? row : NIL;
    }
    if (this.fits(row, Math.max(hint, end), size, align)) return row;
    return this.lowestFitFrom(tree.nextGap(row, size), size, align);
  }

  /** The first row from `from` on, over gaps of at least `size` bytes, whose gap holds an aligned range. */
  private lowestFitFrom(from: EntryIndex, size: Bytes, align: Bytes): EntryIndex {
    const { tree } = this;
    let row = from;
    while (row !== NIL && !this.fits(row, tree.end[row]!, size, align)) row = tree.nextGap(row, size);
    return row;
  }

  /** Whether the gap of a row holds an aligned range at or above `low`; its address is then in `found`. */
  private fits(row: EntryIndex, low: Address, size: Bytes, align: Bytes): boolean {
    const { tree } = this;
    const address = align === 0 ? low : roundUp(low, align);
    this.found[0] = address;
    return address + size <= tree.end[row]! + tree.gap[row]!;
  }
}

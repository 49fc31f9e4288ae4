import type { Address } from '../../core/address.js';
import type { AreaIndex, TreePlace } from './area-record.js';
import * as record from './area-record.js';
import { BalancedTree } from './balanced-tree.js';

const { CHILD, EARLIEST, LATEST, LOWER, NIL, PARENT, PLACE_BITS, RED, UPPER } = record;

/** Areas, or free ranges, in address order: how they are found, and where new ones belong. */
export class AreaTree extends BalancedTree {
  /** The lowest area; NIL if there is none. */
  get first(): AreaIndex {
    return this.endmost(this.root, LOWER);
  }

  /** The highest area; NIL if there is none. */
  get last(): AreaIndex {
    return this.endmost(this.root, UPPER);
  }

  /** The area that follows `row`; NIL for none. */
  after(row: AreaIndex): AreaIndex {
    return this.neighbour(row, UPPER);
  }

  /** The area that precedes `row`; NIL for none. */
  before(row: AreaIndex): AreaIndex {
    return this.neighbour(row, LOWER);
  }

  /** The area that follows a place; NIL for none. */
  following(place: TreePlace): AreaIndex {
    const above = place & ~PLACE_BITS;
    if (above === this.head) return NIL;
    return place === above + CHILD ? above : this.neighbour(above, UPPER);
  }

  /** The area that precedes a place; NIL for none. */
  preceding(place: TreePlace): AreaIndex {
    const above = place & ~PLACE_BITS;
    if (above === this.head) return NIL;
    return place === above + CHILD ? this.neighbour(above, LOWER) : above;
  }

  /** Inserts an area at the place of its range. */
  insert(row: AreaIndex): void {
    this.link(row, this.locate(row, this.root));
  }

  /** The place of an area's range, looked for from the area `from` on. The range overlaps none in the tree. */
  locate(row: AreaIndex, from: AreaIndex): TreePlace {
    const page = this.table.words[row]!;
    return page === EARLIEST || page === LATEST ? this.locateFar(row, from) : this.locatePage(page, from);
  }

  /** The same for an area that starts at a page. */
  locatePage(page: number, from: AreaIndex): TreePlace {
    const { words } = this.table;
    // The sign of a difference picks the child, for half of the branches on it would be predicted wrongly.
    const following = (page + 1) | 0;
    let above = this.head >>> 0;
    let side = LOWER | 0;
    let steps = 0;
    let at = from >>> 0;
    while (at !== NIL) {
      steps = (steps + 1) | 0;
      above = at;
      let lower = words[(at + CHILD) | 0]!;
      let upper = words[(at + CHILD + UPPER) | 0]!;
      side = (words[at]! - following) >> 31;
      at = (lower ^ ((lower ^ upper) & side)) >>> 0;
      // Two areas a round, for each round asks again whether `words` is an array.
      if (at === NIL) break;
      steps = (steps + 1) | 0;
      above = at;
      lower = words[(at + CHILD) | 0]!;
      upper = words[(at + CHILD + UPPER) | 0]!;
      side = (words[at]! - following) >> 31;
      at = (lower ^ ((lower ^ upper) & side)) >>> 0;
    }
    this.table.steps += steps;
    return (above + CHILD - side) | 0;
  }

  /** The area that starts at an address; NIL if there is none. */
  find(address: Address): AreaIndex {
    const page = this.table.wholePageOf(address);
    return page === EARLIEST ? this.findFar(address) : this.findPage(page);
  }

  /** The area that starts at a page; NIL if there is none. */
  findPage(page: number): AreaIndex {
    const { words } = this.table;
    let at = this.root >>> 0;
    let steps = 0;
    while (at !== NIL) {
      steps = (steps + 1) | 0;
      const lower = words[(at + CHILD) | 0]!;
      const upper = words[(at + CHILD + UPPER) | 0]!;
      const distance = (words[at]! - page) | 0;
      if (distance === 0) break;
      at = (lower ^ ((lower ^ upper) & (distance >> 31))) >>> 0;
    }
    this.table.steps += steps;
    return at | 0;
  }

  /** `find` for an address that has no page of its own. */
  findFar(address: Address): AreaIndex {
    const { words } = this.table;
    let at = this.root;
    while (at !== NIL) {
      this.table.steps++;
      const begin = this.table.startOf(at);
      if (begin === address) break;
      at = words[at + CHILD + (address < begin ? LOWER : UPPER)]!;
    }
    return at;
  }

  /** `locate` for a range that has no page of its own. */
  private locateFar(row: AreaIndex, from: AreaIndex): TreePlace {
    const { words } = this.table;
    const address = this.table.startOf(row);
    let place = this.head + CHILD;
    for (let at = from; at !== NIL; at = words[place]!) {
      this.table.steps++;
      place = at + CHILD + (address < this.table.startOf(at) ? LOWER : UPPER);
    }
    return place;
  }

  /** The area at one end of the subtree of `row`. */
  private endmost(row: AreaIndex, side: number): AreaIndex {
    const { words } = this.table;
    let end = row;
    for (let at = row; at !== NIL; at = words[at + CHILD + side]!) end = at;
    return end;
  }

  /** The neighbour of `row` at one side; NIL for none. */
  private neighbour(row: AreaIndex, side: number): AreaIndex {
    const { words } = this.table;
    const beside = words[(row + CHILD + side) | 0]!;
    if (beside !== NIL) return this.endmost(beside, UPPER - side);
    let at = row;
    let above = words[(at + PARENT) | 0]! & ~RED;
    while (above !== this.head && words[(above + CHILD + side) | 0] === at) {
      at = above;
      above = words[(at + PARENT) | 0]! & ~RED;
    }
    return above === this.head ? NIL : above;
  }
}

import { WINDOW_BYTES } from '../../core/address.js';
import { type AreaIndex, type AreaTable, NIL } from './area-table.js';

/** Index of a child: which of the two it is. */
const LOWER = 0;
const UPPER = 1;

/** Numbers from here on are kernel addresses; below are those of programs (AddressSpace.canonical). */
export const KERNEL_HALF = 16 * WINDOW_BYTES;

/** Bytes between the two halves that have no numbers. */
const HOLE_BYTES = 2 ** 64 - 2 ** 53;

/**
 * Areas in address order as a red-black tree threaded by a list. The recolourings and rotations are those of
 * lib/rbtree.c (`__rb_insert`, `__rb_erase_augmented`, `__rb_erase_color`) [linux-6.12.117], so that the tree has the
 * kernel's shape after any history: with alignments above a page, the answer of a search depends on it (spec §4).
 * The free tree is augmented with the largest size below each area; the others are not.
 */
export class AreaTree {
  root: AreaIndex = NIL;
  /** Ends of the list. */
  first: AreaIndex = NIL;
  last: AreaIndex = NIL;
  /** Areas in the tree, and descents' visits since it was made. */
  size = 0;
  steps = 0;
  /** Where `locate` came to: the area above the place, and on which side of it the place is. */
  private above: AreaIndex = NIL;
  private side = LOWER;

  constructor(
    readonly areas: AreaTable,
    private readonly isAugmented: boolean,
  ) {}

  /** The area that starts where `row`, which is in no tree, does not yet lie: the neighbour above its place. */
  get following(): AreaIndex {
    return this.side === LOWER ? this.above : this.areas.next[this.above]!;
  }

  /** The neighbour below the place that `locate` found. */
  get preceding(): AreaIndex {
    return this.side === LOWER ? this.areas.previous[this.above]! : this.above;
  }

  /** Inserts an area at the place of its range. */
  insert(row: AreaIndex): void {
    this.locate(row, this.root);
    this.link(row);
  }

  /** Looks for the place of an area's range, beginning at the area `from`. The range overlaps none in the tree. */
  locate(row: AreaIndex, from: AreaIndex): void {
    const { start, child } = this.areas;
    const address = start[row]!;
    let above = NIL;
    let side = LOWER;
    let steps = 0;
    for (let at = from; at !== NIL; at = child[2 * at + side]!) {
      steps++;
      above = at;
      side = address < start[at]! ? LOWER : UPPER;
    }
    this.steps += steps;
    this.above = above;
    this.side = side;
  }

  /** Inserts an area at the place that `locate` found for it. */
  link(row: AreaIndex): void {
    const { areas, above, side } = this;
    this.thread(row);
    areas.child[2 * row] = NIL;
    areas.child[2 * row + 1] = NIL;
    areas.parent[row] = above;
    areas.red[row] = 1;
    if (above === NIL) this.root = row;
    else areas.child[2 * above + side] = row;
    this.size++;
    if (this.isAugmented) {
      areas.largest[row] = this.bytes(row);
      this.propagate(above, NIL);
    }
    this.balanceInserted(row);
  }

  /** The area that starts at an address; NIL if there is none. */
  find(address: number): AreaIndex {
    const { start, child } = this.areas;
    let at = this.root;
    let steps = 0;
    while (at !== NIL) {
      steps++;
      const begin = start[at]!;
      if (begin === address) break;
      at = child[2 * at + (address < begin ? LOWER : UPPER)]!;
    }
    this.steps += steps;
    return at;
  }

  /** Takes an area out. */
  remove(row: AreaIndex): void {
    const { areas } = this;
    const { child, parent, red } = areas;
    this.unthread(row);
    this.size--;
    const lower = child[2 * row]!;
    const upper = child[2 * row + 1]!;
    if (lower !== NIL && upper !== NIL) {
      this.removeInner(row, lower, upper);
      return;
    }
    const only = lower === NIL ? upper : lower;
    const above = parent[row]!;
    const side = this.sideOf(row, above);
    this.hang(only, above, side);
    if (this.isAugmented) this.propagate(above, NIL);
    if (only !== NIL) red[only] = red[row]!;
    else if (red[row] === 0 && above !== NIL) this.balanceRemoved(above, side);
  }

  /** Forgets all areas; their list stays as it is. */
  clear(): void {
    this.root = NIL;
    this.first = NIL;
    this.last = NIL;
    this.size = 0;
  }

  /** Tells the areas from `from` upwards that the size of `from` has changed. */
  resized(from: AreaIndex): void {
    this.propagate(from, NIL);
  }

  /** Bytes of an area's range, as 64-bit addresses count them. */
  bytes(row: AreaIndex): number {
    const { start, end } = this.areas;
    const size = end[row]! - start[row]!;
    return start[row]! < KERNEL_HALF && end[row]! > KERNEL_HALF ? size + HOLE_BYTES : size;
  }

  /** Size of the largest range in the subtree of `row`, from its own range and its children. */
  largestBelow(row: AreaIndex): number {
    const { largest, child } = this.areas;
    const own = this.bytes(row);
    const lower = largest[child[2 * row]!]!;
    const upper = largest[child[2 * row + 1]!]!;
    const larger = Math.max(lower, upper);
    return Math.max(own, larger);
  }

  /** Removes an area with two children: the next one in order takes its place and its colour. */
  private removeInner(row: AreaIndex, lower: AreaIndex, upper: AreaIndex): void {
    const { areas } = this;
    const { child, parent, red } = areas;
    let successor = upper;
    while (child[2 * successor]! !== NIL) successor = child[2 * successor]!;
    const orphan = child[2 * successor + 1]!;
    let above = successor;
    let side = UPPER;
    if (successor !== upper) {
      above = parent[successor]!;
      side = LOWER;
      this.hang(orphan, above, LOWER);
      this.hang(upper, successor, UPPER);
    }
    this.hang(lower, successor, LOWER);
    this.hang(successor, parent[row]!, this.sideOf(row, parent[row]!));
    const wasBlack = red[successor] === 0;
    red[successor] = red[row]!;
    if (this.isAugmented) {
      areas.largest[successor] = areas.largest[row]!;
      this.propagate(above, successor);
      this.propagate(successor, NIL);
    }
    if (orphan !== NIL) red[orphan] = 0;
    else if (wasBlack) this.balanceRemoved(above, side);
  }

  /** Ends a red area's having a red parent, from `row` upwards. */
  private balanceInserted(row: AreaIndex): void {
    const { child, parent, red } = this.areas;
    let at = row;
    for (;;) {
      let above = parent[at]!;
      if (above === NIL) {
        red[at] = 0;
        return;
      }
      if (red[above] === 0) return;
      const grand = parent[above]!;
      const side = this.sideOf(above, grand);
      const uncle = child[2 * grand + 1 - side]!;
      if (red[uncle] === 0) {
        if (child[2 * above + 1 - side] === at) {
          this.rotate(above, side);
          above = at;
        }
        this.rotate(grand, 1 - side);
        red[above] = 0;
        red[grand] = 1;
        return;
      }
      red[uncle] = 0;
      red[above] = 0;
      red[grand] = 1;
      at = grand;
    }
  }

  /** Restores the number of black areas on the paths through the child at `side` of `above`, which is one short. */
  private balanceRemoved(above: AreaIndex, side: number): void {
    const { child, parent, red } = this.areas;
    let at = above;
    let short = side;
    for (;;) {
      let sibling = child[2 * at + 1 - short]!;
      if (red[sibling] === 1) {
        this.rotate(at, short);
        red[sibling] = 0;
        red[at] = 1;
        sibling = child[2 * at + 1 - short]!;
      }
      const near = child[2 * sibling + short]!;
      const isFarRed = red[child[2 * sibling + 1 - short]!] === 1;
      if (isFarRed || red[near] === 1) {
        if (!isFarRed) this.rotate(sibling, 1 - short);
        this.endShortage(at, short);
        return;
      }
      red[sibling] = 1;
      const next = parent[at]!;
      if (red[at] === 1 || next === NIL) {
        red[at] = 0;
        return;
      }
      short = this.sideOf(at, next);
      at = next;
    }
  }

  /** The last rotation of `balanceRemoved`: the sibling takes the colour of `at`, whose other child it was. */
  private endShortage(at: AreaIndex, short: number): void {
    const { child, red } = this.areas;
    const sibling = child[2 * at + 1 - short]!;
    this.rotate(at, short);
    red[sibling] = red[at]!;
    red[at] = 0;
    red[child[2 * sibling + 1 - short]!] = 0;
  }

  /** Moves `row` down to its child's place at `side`; the child of the other side comes up. Colours stay. */
  private rotate(row: AreaIndex, side: number): void {
    const { child, parent, largest } = this.areas;
    const up = child[2 * row + 1 - side]!;
    const above = parent[row]!;
    const aboveSide = this.sideOf(row, above);
    this.hang(child[2 * up + side]!, row, 1 - side);
    this.hang(row, up, side);
    this.hang(up, above, aboveSide);
    if (!this.isAugmented) return;
    largest[up] = largest[row]!;
    largest[row] = this.largestBelow(row);
  }

  /** Makes `row` (or nothing) the child of `above` at `side`, or the root. */
  private hang(row: AreaIndex, above: AreaIndex, side: number): void {
    const { child, parent } = this.areas;
    if (above === NIL) this.root = row;
    else child[2 * above + side] = row;
    if (row !== NIL) parent[row] = above;
  }

  /** On which side of `above` its child `row` hangs. */
  private sideOf(row: AreaIndex, above: AreaIndex): number {
    return this.areas.child[2 * above + 1] === row ? UPPER : LOWER;
  }

  /** Renews the largest sizes from `row` up to `stop`, exclusive, or to the first that does not change. */
  private propagate(row: AreaIndex, stop: AreaIndex): void {
    const { largest, parent } = this.areas;
    for (let at = row; at !== stop; at = parent[at]!) {
      const size = this.largestBelow(at);
      if (largest[at] === size) return;
      largest[at] = size;
    }
  }

  private thread(row: AreaIndex): void {
    const { next, previous } = this.areas;
    const before = this.preceding;
    const after = this.above === NIL ? NIL : this.following;
    next[row] = after;
    previous[row] = before;
    if (before === NIL) this.first = row;
    else next[before] = row;
    if (after === NIL) this.last = row;
    else previous[after] = row;
  }

  private unthread(row: AreaIndex): void {
    const { next, previous } = this.areas;
    const before = previous[row]!;
    const after = next[row]!;
    if (before === NIL) this.first = after;
    else next[before] = after;
    if (after === NIL) this.last = before;
    else previous[after] = before;
  }
}

import { type Address, WINDOW_BYTES } from '../../core/address.js';
import type { AreaIndex } from './area-record.js';
import * as record from './area-record.js';
import type { AreaTable } from './area-table.js';
import type { RangeTable } from './range-table.js';

const { CHILD, EARLIEST, END, LARGEST, LATEST, NIL, PAGE, PARENT, RED, START } = record;

/** Index of a child: which of the two it is. */
const LOWER = 0;
const UPPER = 1;

/** Numbers from here on are kernel addresses; below are those of programs (AddressSpace.canonical). */
const KERNEL_HALF = 16 * WINDOW_BYTES;

/** Bytes between the two halves that have no numbers. */
const HOLE_BYTES = 2 ** 64 - 2 ** 53;

/**
 * Areas, or free ranges, in address order as a red-black tree. The recolourings and rotations are those of
 * lib/rbtree.c (`__rb_insert`, `__rb_erase_augmented`, `__rb_erase_color`) [linux-6.12.117], so that the tree has the
 * kernel's shape after any history: with alignments above a page, the answer of a search depends on it (spec §4).
 * The free tree is augmented: each area knows the largest size below either child, where the kernel has that of its own
 * subtree in each. The others are not.
 */
export class AreaTree {
  root: AreaIndex = NIL;
  /** Areas in the tree, and descents' visits since it was made. */
  size = 0;
  steps = 0;
  /** Where `locate` came to: the area above the place, and on which side of it the place is. */
  private above: AreaIndex = NIL;
  private side = LOWER;

  constructor(
    readonly table: RangeTable,
    private readonly isAugmented: boolean,
    /** The table, if its areas are to be a list as well: what is walked whole again and again. */
    private readonly listed: AreaTable | null = null,
  ) {}

  /** The neighbour above the place that `locate` found; NIL for none. */
  get following(): AreaIndex {
    return this.side === LOWER ? this.above : this.after(this.above);
  }

  /** The neighbour below the place that `locate` found; NIL for none. */
  get preceding(): AreaIndex {
    return this.side === LOWER ? this.before(this.above) : this.above;
  }

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

  /** Inserts an area at the place of its range. */
  insert(row: AreaIndex): void {
    this.locate(row, this.root);
    this.link(row);
    if (this.listed !== null) this.listed.enlist(row, this.above, this.side);
  }

  /** Looks for the place of an area's range, beginning at the area `from`. The range overlaps none in the tree. */
  locate(row: AreaIndex, from: AreaIndex): void {
    const { words } = this.table;
    const page = words[row + PAGE]!;
    if (page === EARLIEST || page === LATEST) {
      this.locateFar(row, from);
      return;
    }
    // The sign of a difference picks the child, for half of the branches on it would be predicted wrongly.
    const following = page + 1;
    let above = NIL;
    let side = LOWER;
    let steps = 0;
    for (let at = from; at !== NIL; ) {
      steps++;
      above = at;
      const lower = words[at + CHILD]!;
      const upper = words[at + CHILD + 1]!;
      side = (words[at + PAGE]! - following) >> 31;
      at = lower ^ ((lower ^ upper) & side);
    }
    this.steps += steps;
    this.above = above;
    // Not the negative, which may be a negative zero: the field would hold doubles from then on.
    this.side = side & 1;
  }

  /** Inserts an area at the place that `locate` found for it, below `resized` if that has another size than before. */
  link(row: AreaIndex, resized: AreaIndex = NIL): void {
    const { above, side } = this;
    const { words, numbers } = this.table;
    words[row + CHILD] = NIL;
    words[row + CHILD + 1] = NIL;
    words[row + PARENT] = above | RED;
    if (above === NIL) this.root = row;
    else words[above + CHILD + side] = row;
    this.size++;
    if (this.isAugmented) {
      numbers[(row >> 1) + LARGEST] = 0;
      numbers[(row >> 1) + LARGEST + 1] = 0;
      this.propagate(row, resized);
      if (resized !== NIL) this.propagate(resized, NIL);
    }
    this.balanceInserted(row);
  }

  /** The area that starts at an address; NIL if there is none. */
  find(address: Address): AreaIndex {
    const page = this.table.wholePageOf(address);
    return page === EARLIEST ? this.findFar(address) : this.findPage(page);
  }

  /** The area that starts at a page; NIL if there is none. */
  findPage(page: number): AreaIndex {
    const { words } = this.table;
    let at = this.root;
    let steps = 0;
    while (at !== NIL) {
      steps++;
      const lower = words[at + CHILD]!;
      const upper = words[at + CHILD + 1]!;
      const distance = words[at + PAGE]! - page;
      if (distance === 0) break;
      at = lower ^ ((lower ^ upper) & (distance >> 31));
    }
    this.steps += steps;
    return at;
  }

  /** Takes an area out. */
  remove(row: AreaIndex): void {
    const { words } = this.table;
    this.size--;
    if (this.listed !== null) this.listed.delist(row);
    const lower = words[row + CHILD]!;
    const upper = words[row + CHILD + 1]!;
    // Negative where there are both: one branch instead of two that are predicted badly.
    if ((-lower & -upper) < 0) {
      this.removeInner(row, lower, upper);
      return;
    }
    const only = lower | upper;
    const above = words[row + PARENT]! & ~RED;
    const side = this.sideOf(row, above);
    this.hang(only, above, side);
    if (this.isAugmented && above !== NIL) this.replaced(only, above, side);
    if (only !== NIL) this.recolour(only, row);
    else if ((words[row + PARENT]! & RED) === 0 && above !== NIL) this.balanceRemoved(above, side);
  }

  /** Forgets all areas; their links stay as they are. */
  clear(): void {
    this.root = NIL;
    this.size = 0;
  }

  /** Tells the areas from `from` upwards that the size of `from` has changed. */
  resized(from: AreaIndex): void {
    this.propagate(from, NIL);
  }

  /** The same, and inserts an area that has come off the lower end of `row`. */
  splitOff(row: AreaIndex, below: AreaIndex): void {
    this.locate(below, row);
    this.link(below, row);
  }

  /** Bytes of an area's range, as 64-bit addresses count them. */
  bytes(row: AreaIndex): number {
    const { numbers } = this.table;
    const size = numbers[(row >> 1) + END]! - numbers[(row >> 1) + START]!;
    return numbers[(row >> 1) + START]! < KERNEL_HALF && numbers[(row >> 1) + END]! > KERNEL_HALF
      ? size + HOLE_BYTES
      : size;
  }

  /** Size of the largest range in the subtree of `row`, its own included. */
  largestOf(row: AreaIndex): number {
    const { numbers } = this.table;
    const own = this.bytes(row);
    const lower = numbers[(row >> 1) + LARGEST]!;
    const upper = numbers[(row >> 1) + LARGEST + 1]!;
    const below = Math.max(lower, upper);
    return Math.max(own, below);
  }

  /** The area at one end of the subtree of `row`. */
  private endmost(row: AreaIndex, side: number): AreaIndex {
    const { words } = this.table;
    let end = row;
    for (let at = row; at !== NIL; at = words[at + CHILD + side]!) end = at;
    return end;
  }

  /** The neighbour of `row` at one side; NIL for none, and for that of NIL. */
  private neighbour(row: AreaIndex, side: number): AreaIndex {
    if (row === NIL) return NIL;
    const { words } = this.table;
    const beside = words[row + CHILD + side]!;
    if (beside !== NIL) return this.endmost(beside, 1 - side);
    let at = row;
    let above = words[at + PARENT]! & ~RED;
    while (above !== NIL && words[above + CHILD + side] === at) {
      at = above;
      above = words[at + PARENT]! & ~RED;
    }
    return above;
  }

  /** `locate` for a range that has no page of its own. */
  private locateFar(row: AreaIndex, from: AreaIndex): void {
    const { words } = this.table;
    const address = this.table.startOf(row);
    let above = NIL;
    let side = LOWER;
    for (let at = from; at !== NIL; at = words[at + CHILD + side]!) {
      this.steps++;
      above = at;
      side = address < this.table.startOf(at) ? LOWER : UPPER;
    }
    this.above = above;
    this.side = side;
  }

  /** `find` for an address that has no page of its own. */
  findFar(address: Address): AreaIndex {
    const { words } = this.table;
    let at = this.root;
    while (at !== NIL) {
      this.steps++;
      const begin = this.table.startOf(at);
      if (begin === address) break;
      at = words[at + CHILD + (address < begin ? LOWER : UPPER)]!;
    }
    return at;
  }

  /** Removes an area with two children: the next one in order takes its place and its colour. */
  private removeInner(row: AreaIndex, lower: AreaIndex, upper: AreaIndex): void {
    const { words, numbers } = this.table;
    let successor = upper;
    while (words[successor + CHILD]! !== NIL) successor = words[successor + CHILD]!;
    const orphan = words[successor + CHILD + 1]!;
    let above = successor;
    let side = UPPER;
    if (successor !== upper) {
      above = words[successor + PARENT]! & ~RED;
      side = LOWER;
      this.hang(orphan, above, LOWER);
      this.hang(upper, successor, UPPER);
    }
    this.hang(lower, successor, LOWER);
    this.hang(successor, words[row + PARENT]! & ~RED, this.sideOf(row, words[row + PARENT]! & ~RED));
    const wasBlack = (words[successor + PARENT]! & RED) === 0;
    this.recolour(successor, row);
    if (this.isAugmented) {
      numbers[(successor >> 1) + LARGEST] = numbers[(row >> 1) + LARGEST]!;
      if (successor !== upper) {
        numbers[(successor >> 1) + LARGEST + 1] = numbers[(row >> 1) + LARGEST + 1]!;
        this.replaced(orphan, above, LOWER, successor);
      }
      this.propagate(successor, NIL);
    }
    if (orphan !== NIL) words[orphan + PARENT]! &= ~RED;
    else if (wasBlack) this.balanceRemoved(above, side);
  }

  /** Ends a red area's having a red parent, from `row` upwards. */
  private balanceInserted(row: AreaIndex): void {
    const { words } = this.table;
    let at = row;
    for (;;) {
      let above = words[at + PARENT]! & ~RED;
      if (above === NIL) {
        words[at + PARENT] = NIL;
        return;
      }
      const next = words[above + PARENT]!;
      if ((next & RED) === 0) return;
      const grand = next & ~RED;
      const side = this.sideOf(above, grand);
      const uncle = words[grand + CHILD + 1 - side]!;
      if ((words[uncle + PARENT]! & RED) === 0) {
        if (words[above + CHILD + 1 - side] === at) {
          this.rotate(above, side);
          above = at;
        }
        this.rotate(grand, 1 - side);
        words[above + PARENT]! &= ~RED;
        words[grand + PARENT]! |= RED;
        return;
      }
      words[uncle + PARENT] = grand;
      words[above + PARENT] = grand;
      words[grand + PARENT]! |= RED;
      at = grand;
    }
  }

  /** Restores the number of black areas on the paths through the child at `side` of `above`, which is one short. */
  private balanceRemoved(above: AreaIndex, side: number): void {
    const { words } = this.table;
    let at = above;
    let short = side;
    for (;;) {
      let sibling = words[at + CHILD + 1 - short]!;
      if ((words[sibling + PARENT]! & RED) !== 0) {
        this.rotate(at, short);
        words[sibling + PARENT]! &= ~RED;
        words[at + PARENT]! |= RED;
        sibling = words[at + CHILD + 1 - short]!;
      }
      const near = words[sibling + CHILD + short]!;
      const isFarRed = (words[words[sibling + CHILD + 1 - short]! + PARENT]! & RED) !== 0;
      if (isFarRed || (words[near + PARENT]! & RED) !== 0) {
        if (!isFarRed) this.rotate(sibling, 1 - short);
        this.endShortage(at, short);
        return;
      }
      words[sibling + PARENT]! |= RED;
      const next = words[at + PARENT]! & ~RED;
      if ((words[at + PARENT]! & RED) !== 0 || next === NIL) {
        words[at + PARENT]! &= ~RED;
        return;
      }
      short = this.sideOf(at, next);
      at = next;
    }
  }

  /** The last rotation of `balanceRemoved`: the sibling takes the colour of `at`, whose other child it was. */
  private endShortage(at: AreaIndex, short: number): void {
    const { words } = this.table;
    const sibling = words[at + CHILD + 1 - short]!;
    this.rotate(at, short);
    this.recolour(sibling, at);
    words[at + PARENT]! &= ~RED;
    words[words[sibling + CHILD + 1 - short]! + PARENT]! &= ~RED;
  }

  /** Moves `row` down to its child's place at `side`; the child of the other side comes up. Colours stay. */
  private rotate(row: AreaIndex, side: number): void {
    const { words, numbers } = this.table;
    const up = words[row + CHILD + 1 - side]!;
    const above = words[row + PARENT]! & ~RED;
    const aboveSide = this.sideOf(row, above);
    this.hang(words[up + CHILD + side]!, row, 1 - side);
    this.hang(row, up, side);
    this.hang(up, above, aboveSide);
    if (!this.isAugmented) return;
    numbers[(row >> 1) + LARGEST + 1 - side] = numbers[(up >> 1) + LARGEST + side]!;
    numbers[(up >> 1) + LARGEST + side] = this.largestOf(row);
  }

  /** Makes `row` (or nothing) the child of `above` at `side`, or the root. */
  private hang(row: AreaIndex, above: AreaIndex, side: number): void {
    const { words } = this.table;
    if (above === NIL) this.root = row;
    else words[above + CHILD + side] = row;
    // NIL gets a parent so, which nobody asks for; it stays black.
    words[row + PARENT] = above | (words[row + PARENT]! & RED);
  }

  /** Gives `row` the colour of `other`. */
  private recolour(row: AreaIndex, other: AreaIndex): void {
    const { words } = this.table;
    words[row + PARENT] = (words[row + PARENT]! & ~RED) | (words[other + PARENT]! & RED);
  }

  /** On which side of `above` its child `row` hangs. */
  private sideOf(row: AreaIndex, above: AreaIndex): number {
    // The sign of one of two differences says it, for half of the branches on it would be predicted wrongly.
    const distance = this.table.words[above + CHILD]! - row;
    return (distance | -distance) >>> 31;
  }

  /** Tells the areas from `above` up to `stop`, exclusive, that their child at `side` is another one or none. */
  private replaced(child: AreaIndex, above: AreaIndex, side: number, stop = NIL): void {
    this.table.numbers[(above >> 1) + LARGEST + side] = child === NIL ? 0 : this.largestOf(child);
    this.propagate(above, stop);
  }

  /** Renews the largest sizes above `row`, up to `stop`, inclusive, or to the first that does not change. */
  private propagate(row: AreaIndex, stop: AreaIndex): void {
    const { words, numbers } = this.table;
    for (let at = row; at !== stop; ) {
      const above = words[at + PARENT]! & ~RED;
      if (above === NIL) return;
      const place = (above >> 1) + LARGEST + this.sideOf(at, above);
      const size = this.largestOf(at);
      if (numbers[place] === size) return;
      numbers[place] = size;
      at = above;
    }
  }
}

import { WINDOW_BYTES } from '../../core/address.js';
import {
  type AreaIndex,
  type AreaTable,
  CHILD,
  END,
  LARGEST,
  NEXT,
  NIL,
  PARENT,
  PREVIOUS,
  RED,
  START,
} from './area-table.js';

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
    return this.side === LOWER ? this.above : this.areas.words[this.above + NEXT]!;
  }

  /** The neighbour below the place that `locate` found. */
  get preceding(): AreaIndex {
    return this.side === LOWER ? this.areas.words[this.above + PREVIOUS]! : this.above;
  }

  /** Inserts an area at the place of its range. */
  insert(row: AreaIndex): void {
    this.locate(row, this.root);
    this.link(row);
  }

  /** Looks for the place of an area's range, beginning at the area `from`. The range overlaps none in the tree. */
  locate(row: AreaIndex, from: AreaIndex): void {
    const { words, numbers } = this.areas;
    const address = numbers[(row >> 1) + START]!;
    let above = NIL;
    let side = LOWER;
    let steps = 0;
    for (let at = from; at !== NIL; at = words[at + CHILD + side]!) {
      steps++;
      above = at;
      side = address < numbers[(at >> 1) + START]! ? LOWER : UPPER;
    }
    this.steps += steps;
    this.above = above;
    this.side = side;
  }

  /** Inserts an area at the place that `locate` found for it. */
  link(row: AreaIndex): void {
    const { above, side } = this;
    const { words, numbers } = this.areas;
    this.thread(row);
    words[row + CHILD] = NIL;
    words[row + CHILD + 1] = NIL;
    words[row + PARENT] = above;
    words[row + RED] = 1;
    if (above === NIL) this.root = row;
    else words[above + CHILD + side] = row;
    this.size++;
    if (this.isAugmented) {
      numbers[(row >> 1) + LARGEST] = this.bytes(row);
      this.propagate(above, NIL);
    }
    this.balanceInserted(row);
  }

  /** The area that starts at an address; NIL if there is none. */
  find(address: number): AreaIndex {
    const { words, numbers } = this.areas;
    let at = this.root;
    let steps = 0;
    while (at !== NIL) {
      steps++;
      const begin = numbers[(at >> 1) + START]!;
      if (begin === address) break;
      at = words[at + CHILD + (address < begin ? LOWER : UPPER)]!;
    }
    this.steps += steps;
    return at;
  }

  /** Takes an area out. */
  remove(row: AreaIndex): void {
    const { words } = this.areas;
    this.unthread(row);
    this.size--;
    const lower = words[row + CHILD]!;
    const upper = words[row + CHILD + 1]!;
    if (lower !== NIL && upper !== NIL) {
      this.removeInner(row, lower, upper);
      return;
    }
    const only = lower === NIL ? upper : lower;
    const above = words[row + PARENT]!;
    const side = this.sideOf(row, above);
    this.hang(only, above, side);
    if (this.isAugmented) this.propagate(above, NIL);
    if (only !== NIL) words[only + RED] = words[row + RED]!;
    else if (words[row + RED] === 0 && above !== NIL) this.balanceRemoved(above, side);
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
    const { numbers } = this.areas;
    const size = numbers[(row >> 1) + END]! - numbers[(row >> 1) + START]!;
    return numbers[(row >> 1) + START]! < KERNEL_HALF && numbers[(row >> 1) + END]! > KERNEL_HALF
      ? size + HOLE_BYTES
      : size;
  }

  /** Size of the largest range in the subtree of `row`, from its own range and its children. */
  largestBelow(row: AreaIndex): number {
    const { words, numbers } = this.areas;
    const own = this.bytes(row);
    const lower = numbers[(words[row + CHILD]! >> 1) + LARGEST]!;
    const upper = numbers[(words[row + CHILD + 1]! >> 1) + LARGEST]!;
    const larger = Math.max(lower, upper);
    return Math.max(own, larger);
  }

  /** Removes an area with two children: the next one in order takes its place and its colour. */
  private removeInner(row: AreaIndex, lower: AreaIndex, upper: AreaIndex): void {
    const { words, numbers } = this.areas;
    let successor = upper;
    while (words[successor + CHILD]! !== NIL) successor = words[successor + CHILD]!;
    const orphan = words[successor + CHILD + 1]!;
    let above = successor;
    let side = UPPER;
    if (successor !== upper) {
      above = words[successor + PARENT]!;
      side = LOWER;
      this.hang(orphan, above, LOWER);
      this.hang(upper, successor, UPPER);
    }
    this.hang(lower, successor, LOWER);
    this.hang(successor, words[row + PARENT]!, this.sideOf(row, words[row + PARENT]!));
    const wasBlack = words[successor + RED] === 0;
    words[successor + RED] = words[row + RED]!;
    if (this.isAugmented) {
      numbers[(successor >> 1) + LARGEST] = numbers[(row >> 1) + LARGEST]!;
      this.propagate(above, successor);
      this.propagate(successor, NIL);
    }
    if (orphan !== NIL) words[orphan + RED] = 0;
    else if (wasBlack) this.balanceRemoved(above, side);
  }

  /** Ends a red area's having a red parent, from `row` upwards. */
  private balanceInserted(row: AreaIndex): void {
    const { words } = this.areas;
    let at = row;
    for (;;) {
      let above = words[at + PARENT]!;
      if (above === NIL) {
        words[at + RED] = 0;
        return;
      }
      if (words[above + RED] === 0) return;
      const grand = words[above + PARENT]!;
      const side = this.sideOf(above, grand);
      const uncle = words[grand + CHILD + 1 - side]!;
      if (words[uncle + RED] === 0) {
        if (words[above + CHILD + 1 - side] === at) {
          this.rotate(above, side);
          above = at;
        }
        this.rotate(grand, 1 - side);
        words[above + RED] = 0;
        words[grand + RED] = 1;
        return;
      }
      words[uncle + RED] = 0;
      words[above + RED] = 0;
      words[grand + RED] = 1;
      at = grand;
    }
  }

  /** Restores the number of black areas on the paths through the child at `side` of `above`, which is one short. */
  private balanceRemoved(above: AreaIndex, side: number): void {
    const { words } = this.areas;
    let at = above;
    let short = side;
    for (;;) {
      let sibling = words[at + CHILD + 1 - short]!;
      if (words[sibling + RED] === 1) {
        this.rotate(at, short);
        words[sibling + RED] = 0;
        words[at + RED] = 1;
        sibling = words[at + CHILD + 1 - short]!;
      }
      const near = words[sibling + CHILD + short]!;
      const isFarRed = words[words[sibling + CHILD + 1 - short]! + RED] === 1;
      if (isFarRed || words[near + RED] === 1) {
        if (!isFarRed) this.rotate(sibling, 1 - short);
        this.endShortage(at, short);
        return;
      }
      words[sibling + RED] = 1;
      const next = words[at + PARENT]!;
      if (words[at + RED] === 1 || next === NIL) {
        words[at + RED] = 0;
        return;
      }
      short = this.sideOf(at, next);
      at = next;
    }
  }

  /** The last rotation of `balanceRemoved`: the sibling takes the colour of `at`, whose other child it was. */
  private endShortage(at: AreaIndex, short: number): void {
    const { words } = this.areas;
    const sibling = words[at + CHILD + 1 - short]!;
    this.rotate(at, short);
    words[sibling + RED] = words[at + RED]!;
    words[at + RED] = 0;
    words[words[sibling + CHILD + 1 - short]! + RED] = 0;
  }

  /** Moves `row` down to its child's place at `side`; the child of the other side comes up. Colours stay. */
  private rotate(row: AreaIndex, side: number): void {
    const { words, numbers } = this.areas;
    const up = words[row + CHILD + 1 - side]!;
    const above = words[row + PARENT]!;
    const aboveSide = this.sideOf(row, above);
    this.hang(words[up + CHILD + side]!, row, 1 - side);
    this.hang(row, up, side);
    this.hang(up, above, aboveSide);
    if (!this.isAugmented) return;
    numbers[(up >> 1) + LARGEST] = numbers[(row >> 1) + LARGEST]!;
    numbers[(row >> 1) + LARGEST] = this.largestBelow(row);
  }

  /** Makes `row` (or nothing) the child of `above` at `side`, or the root. */
  private hang(row: AreaIndex, above: AreaIndex, side: number): void {
    const { words } = this.areas;
    if (above === NIL) this.root = row;
    else words[above + CHILD + side] = row;
    if (row !== NIL) words[row + PARENT] = above;
  }

  /** On which side of `above` its child `row` hangs. */
  private sideOf(row: AreaIndex, above: AreaIndex): number {
    return this.areas.words[above + CHILD + 1] === row ? UPPER : LOWER;
  }

  /** Renews the largest sizes from `row` up to `stop`, exclusive, or to the first that does not change. */
  private propagate(row: AreaIndex, stop: AreaIndex): void {
    const { words, numbers } = this.areas;
    for (let at = row; at !== stop; at = words[at + PARENT]!) {
      const size = this.largestBelow(at);
      if (numbers[(at >> 1) + LARGEST] === size) return;
      numbers[(at >> 1) + LARGEST] = size;
    }
  }

  private thread(row: AreaIndex): void {
    const { words } = this.areas;
    const before = this.preceding;
    const after = this.above === NIL ? NIL : this.following;
    words[row + NEXT] = after;
    words[row + PREVIOUS] = before;
    if (before === NIL) this.first = row;
    else words[before + NEXT] = row;
    if (after === NIL) this.last = row;
    else words[after + PREVIOUS] = row;
  }

  private unthread(row: AreaIndex): void {
    const { words } = this.areas;
    const before = words[row + PREVIOUS]!;
    const after = words[row + NEXT]!;
    if (before === NIL) this.first = after;
    else words[before + NEXT] = after;
    if (after === NIL) this.last = before;
    else words[after + PREVIOUS] = before;
  }
}

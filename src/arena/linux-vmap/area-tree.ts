import { type Address, WINDOW_BYTES } from '../../core/address.js';
import type { AreaIndex } from './area-record.js';
import * as record from './area-record.js';
import type { AreaTable } from './area-table.js';

const { CHILD, EARLIEST, END, LARGEST, LATEST, NEXT, NIL, PAGE, PARENT, PREVIOUS, RED, START } = record;

/** Index of a child: which of the two it is. */
const LOWER = 0;
const UPPER = 1;

/** Numbers from here on are kernel addresses; below are those of programs (AddressSpace.canonical). */
const KERNEL_HALF = 16 * WINDOW_BYTES;

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
    return this.side === LOWER ? this.above : this.areas.lists[this.above + NEXT]!;
  }

  /** The neighbour below the place that `locate` found. */
  get preceding(): AreaIndex {
    return this.side === LOWER ? this.areas.lists[this.above + PREVIOUS]! : this.above;
  }

  /** Inserts an area at the place of its range. */
  insert(row: AreaIndex): void {
    this.locate(row, this.root);
    this.link(row);
  }

  /** Looks for the place of an area's range, beginning at the area `from`. The range overlaps none in the tree. */
  locate(row: AreaIndex, from: AreaIndex): void {
    const { words } = this.areas;
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
    for (let at = from; at !== NIL; at = words[at + CHILD + side]!) {
      steps++;
      above = at;
      side = (words[at + PAGE]! - following) >>> 31;
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
    words[row + PARENT] = above | RED;
    if (above === NIL) this.root = row;
    else words[above + CHILD + side] = row;
    this.size++;
    if (this.isAugmented) {
      numbers[row + LARGEST] = this.bytes(row);
      this.propagate(above, NIL);
    }
    this.balanceInserted(row);
  }

  /** The area that starts at an address; NIL if there is none. */
  find(address: Address): AreaIndex {
    const { words, numbers } = this.areas;
    const page = this.areas.pageOf(address);
    if (page === EARLIEST || page === LATEST) return this.findFar(address);
    let at = this.root;
    let steps = 0;
    while (at !== NIL) {
      steps++;
      const distance = words[at + PAGE]! - page;
      if (distance === 0) break;
      at = words[at + CHILD + (distance >>> 31)]!;
    }
    this.steps += steps;
    return numbers[at + START] === address ? at : NIL;
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
    const above = words[row + PARENT]! & ~RED;
    const side = this.sideOf(row, above);
    this.hang(only, above, side);
    if (this.isAugmented) this.propagate(above, NIL);
    if (only !== NIL) this.recolour(only, row);
    else if ((words[row + PARENT]! & RED) === 0 && above !== NIL) this.balanceRemoved(above, side);
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
    const size = numbers[row + END]! - numbers[row + START]!;
    return numbers[row + START]! < KERNEL_HALF && numbers[row + END]! > KERNEL_HALF
      ? size + HOLE_BYTES
      : size;
  }

  /** Size of the largest range in the subtree of `row`, from its own range and its children. */
  largestBelow(row: AreaIndex): number {
    const { words, numbers } = this.areas;
    const own = this.bytes(row);
    const lower = numbers[words[row + CHILD]! + LARGEST]!;
    const upper = numbers[words[row + CHILD + 1]! + LARGEST]!;
    const larger = Math.max(lower, upper);
    return Math.max(own, larger);
  }

  /** `locate` for a range that has no page of its own. */
  private locateFar(row: AreaIndex, from: AreaIndex): void {
    const { words, numbers } = this.areas;
    const address = numbers[row + START]!;
    let above = NIL;
    let side = LOWER;
    for (let at = from; at !== NIL; at = words[at + CHILD + side]!) {
      this.steps++;
      above = at;
      side = address < numbers[at + START]! ? LOWER : UPPER;
    }
    this.above = above;
    this.side = side;
  }

  /** `find` for an address that has no page of its own. */
  private findFar(address: Address): AreaIndex {
    const { words, numbers } = this.areas;
    let at = this.root;
    while (at !== NIL) {
      this.steps++;
      const begin = numbers[at + START]!;
      if (begin === address) break;
      at = words[at + CHILD + (address < begin ? LOWER : UPPER)]!;
    }
    return at;
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
      numbers[successor + LARGEST] = numbers[row + LARGEST]!;
      this.propagate(above, successor);
      this.propagate(successor, NIL);
    }
    if (orphan !== NIL) words[orphan + PARENT]! &= ~RED;
    else if (wasBlack) this.balanceRemoved(above, side);
  }

  /** Ends a red area's having a red parent, from `row` upwards. */
  private balanceInserted(row: AreaIndex): void {
    const { words } = this.areas;
    let at = row;
    for (;;) {
      let above = words[at + PARENT]! & ~RED;
      if (above === NIL) {
        words[at + PARENT]! &= ~RED;
        return;
      }
      if ((words[above + PARENT]! & RED) === 0) return;
      const grand = words[above + PARENT]! & ~RED;
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
      words[uncle + PARENT]! &= ~RED;
      words[above + PARENT]! &= ~RED;
      words[grand + PARENT]! |= RED;
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
    const { words } = this.areas;
    const sibling = words[at + CHILD + 1 - short]!;
    this.rotate(at, short);
    this.recolour(sibling, at);
    words[at + PARENT]! &= ~RED;
    words[words[sibling + CHILD + 1 - short]! + PARENT]! &= ~RED;
  }

  /** Moves `row` down to its child's place at `side`; the child of the other side comes up. Colours stay. */
  private rotate(row: AreaIndex, side: number): void {
    const { words, numbers } = this.areas;
    const up = words[row + CHILD + 1 - side]!;
    const above = words[row + PARENT]! & ~RED;
    const aboveSide = this.sideOf(row, above);
    this.hang(words[up + CHILD + side]!, row, 1 - side);
    this.hang(row, up, side);
    this.hang(up, above, aboveSide);
    if (!this.isAugmented) return;
    numbers[up + LARGEST] = numbers[row + LARGEST]!;
    numbers[row + LARGEST] = this.largestBelow(row);
  }

  /** Makes `row` (or nothing) the child of `above` at `side`, or the root. */
  private hang(row: AreaIndex, above: AreaIndex, side: number): void {
    const { words } = this.areas;
    if (above === NIL) this.root = row;
    else words[above + CHILD + side] = row;
    if (row !== NIL) words[row + PARENT] = above | (words[row + PARENT]! & RED);
  }

  /** Gives `row` the colour of `other`. */
  private recolour(row: AreaIndex, other: AreaIndex): void {
    const { words } = this.areas;
    words[row + PARENT] = (words[row + PARENT]! & ~RED) | (words[other + PARENT]! & RED);
  }

  /** On which side of `above` its child `row` hangs. */
  private sideOf(row: AreaIndex, above: AreaIndex): number {
    return this.areas.words[above + CHILD + 1] === row ? UPPER : LOWER;
  }

  /** Renews the largest sizes from `row` up to `stop`, exclusive, or to the first that does not change. */
  private propagate(row: AreaIndex, stop: AreaIndex): void {
    const { words, numbers } = this.areas;
    for (let at = row; at !== stop; at = words[at + PARENT]! & ~RED) {
      const size = this.largestBelow(at);
      if (numbers[at + LARGEST] === size) return;
      numbers[at + LARGEST] = size;
    }
  }

  private thread(row: AreaIndex): void {
    const { lists } = this.areas;
    const before = this.preceding;
    const after = this.above === NIL ? NIL : this.following;
    lists[row + NEXT] = after;
    lists[row + PREVIOUS] = before;
    if (before === NIL) this.first = row;
    else lists[before + NEXT] = row;
    if (after === NIL) this.last = row;
    else lists[after + PREVIOUS] = row;
  }

  private unthread(row: AreaIndex): void {
    const { lists } = this.areas;
    const before = lists[row + PREVIOUS]!;
    const after = lists[row + NEXT]!;
    if (before === NIL) this.first = after;
    else lists[before + NEXT] = after;
    if (after === NIL) this.last = before;
    else lists[after + PREVIOUS] = before;
  }
}

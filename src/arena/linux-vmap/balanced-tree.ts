import type { AreaIndex, TreePlace } from './area-record.js';
import * as record from './area-record.js';
import type { RangeTable } from './range-table.js';

const { CHILD, LOWER, NIL, PARENT, PLACE_BITS, RED, UPPER } = record;

/**
 * The shape of a red-black tree of areas, or of free ranges. The recolourings and rotations are those of lib/rbtree.c
 * (`__rb_insert`, `__rb_erase_augmented`, `__rb_erase_color`) [linux-6.12.117], so that the tree has the kernel's shape
 * after any history: with alignments above a page, the answer of a search depends on it (spec §4). An augmented tree is
 * told of each step that changes what lies below an area.
 *
 * A sum with `| 0` behind it is added without a test for overflow; it is written where the code runs for each operation.
 */
export class BalancedTree {
  /** Areas in the tree. */
  size = 0;
  /** The record above the root, whose lower child that is. */
  readonly head: AreaIndex;

  constructor(readonly table: RangeTable) {
    this.head = table.reserve();
  }

  get root(): AreaIndex {
    return this.table.words[this.head + CHILD]!;
  }

  /** Inserts an area at a place. */
  link(row: AreaIndex, place: TreePlace): void {
    const { words } = this.table;
    const above = place & ~PLACE_BITS;
    words[(row + CHILD) | 0] = NIL;
    words[(row + CHILD + UPPER) | 0] = NIL;
    words[place] = row;
    this.size++;
    words[(row + PARENT) | 0] = above === this.head ? above : above | RED;
    if ((words[(above + PARENT) | 0]! & RED) !== 0) this.balanceInserted(row, above);
  }

  /** Takes an area out. */
  remove(row: AreaIndex): void {
    const { words } = this.table;
    this.size--;
    const lower = words[(row + CHILD) | 0]!;
    const upper = words[(row + CHILD + UPPER) | 0]!;
    // Negative where there are both: one branch instead of two that are predicted badly.
    if ((-lower & -upper) < 0) {
      this.removeInner(row, lower, upper);
      return;
    }
    const only = lower | upper;
    const link = words[(row + PARENT) | 0]!;
    const above = link & ~RED;
    const side = this.sideOf(row, above);
    words[(above + CHILD + side) | 0] = only;
    this.unlinked(only, above, side);
    // An only child is red, and its parent black.
    if (only !== NIL) words[(only + PARENT) | 0] = above;
    else if (link === above && above !== this.head) this.balanceRemoved(above, side);
  }

  /** Forgets all areas; their links stay as they are. */
  clear(): void {
    this.table.words[this.head + CHILD] = NIL;
    this.size = 0;
  }

  /** Removes an area with two children: the next one in order takes its place and its colour. */
  private removeInner(row: AreaIndex, lower: AreaIndex, upper: AreaIndex): void {
    const { words } = this.table;
    let successor = upper;
    for (let next = words[(upper + CHILD) | 0]!; next !== NIL; next = words[(next + CHILD) | 0]!)
      successor = next;
    const orphan = words[(successor + CHILD + UPPER) | 0]!;
    const left = words[(successor + PARENT) | 0]!;
    let above = successor;
    let side = UPPER;
    if (successor !== upper) {
      above = left & ~RED;
      side = LOWER;
      words[(above + CHILD) | 0] = orphan;
      words[(successor + CHILD + UPPER) | 0] = upper;
      this.setParent(upper, successor);
    }
    words[(successor + CHILD) | 0] = lower;
    this.setParent(lower, successor);
    const link = words[(row + PARENT) | 0]!;
    words[((link & ~RED) + CHILD + this.sideOf(row, link & ~RED)) | 0] = successor;
    words[(successor + PARENT) | 0] = link;
    this.inherited(successor, row, orphan, above);
    // An orphan is red, and the parent that it lost black.
    if (orphan !== NIL) words[(orphan + PARENT) | 0] = above;
    else if ((left & RED) === 0) this.balanceRemoved(above, side);
  }

  /** Ends a red area's having a red parent, from `row` and `parent` upwards. */
  private balanceInserted(row: AreaIndex, parent: AreaIndex): void {
    const { words } = this.table;
    let at = row | 0;
    let above = parent | 0;
    for (;;) {
      const grand = (words[(above + PARENT) | 0]! - RED) | 0;
      const side = this.sideOf(above, grand);
      const uncle = words[(grand + CHILD + UPPER - side) | 0]!;
      if ((words[(uncle + PARENT) | 0]! & RED) === 0) {
        this.turn(grand, side, above, at, RED);
        return;
      }
      words[(uncle + PARENT) | 0] = grand;
      words[(above + PARENT) | 0] = grand;
      above = words[(grand + PARENT) | 0]!;
      if (above === this.head) return;
      words[(grand + PARENT) | 0] = above | RED;
      if ((words[(above + PARENT) | 0]! & RED) === 0) return;
      at = grand;
    }
  }

  /** Restores the number of black areas on the paths through the child at `side` of `parent`, which is one short. */
  private balanceRemoved(parent: AreaIndex, side: number): void {
    const { words } = this.table;
    let at = parent | 0;
    let short = side | 0;
    for (;;) {
      let sibling = words[(at + CHILD + UPPER - short) | 0]!;
      if ((words[(sibling + PARENT) | 0]! & RED) !== 0) sibling = this.turnRed(at, UPPER - short, sibling);
      const near = words[(sibling + CHILD + short) | 0]!;
      const far = words[(sibling + CHILD + UPPER - short) | 0]!;
      if ((words[(far + PARENT) | 0]! & RED) !== 0) {
        this.turn(at, UPPER - short, sibling, far, 0);
        return;
      }
      if ((words[(near + PARENT) | 0]! & RED) !== 0) {
        this.turn(at, UPPER - short, sibling, near, 0);
        return;
      }
      words[(sibling + PARENT) | 0] = at | RED;
      const link = words[(at + PARENT) | 0]!;
      const above = link & ~RED;
      if (link !== above) {
        words[(at + PARENT) | 0] = above;
        return;
      }
      if (above === this.head) return;
      short = this.sideOf(at, above);
      at = above;
    }
  }

  /** Puts the red child of `grand` at `side` above it, and returns the child of `grand` that is there then. */
  private turnRed(grand: AreaIndex, side: number, child: AreaIndex): AreaIndex {
    const { words } = this.table;
    const outer = words[(child + CHILD + side) | 0]!;
    this.turn(grand, side, child, outer, RED);
    words[(outer + PARENT) | 0] = child;
    return words[(grand + CHILD + side) | 0]!;
  }

  /**
   * The rotation, or the two, that put the middle one of three areas above the others: of `grand`, its child at `side` and
   * a child of that. It gets the colour of `grand`, the others get `colour`; their children keep theirs.
   */
  private turn(grand: AreaIndex, side: number, child: AreaIndex, at: AreaIndex, colour: number): void {
    const { words } = this.table;
    const other = UPPER - side;
    // -1 if `at` is the inner grandchild. What follows is written for both cases at once: each comes up half of the time.
    const distance = (words[(child + CHILD + side) | 0]! - at) | 0;
    const isInner = (distance | -distance) >> 31;
    const top = child ^ ((child ^ at) & isInner);
    const outer = at ^ child ^ top;
    const nearSide = other ^ (isInner & 1);
    const near = words[(at + CHILD + nearSide) | 0]!;
    const far = words[(top + CHILD + other) | 0]!;
    this.turned(grand, side, top, outer, at, nearSide);
    words[(outer + CHILD + other) | 0] = near;
    this.setParent(near, outer);
    words[(grand + CHILD + side) | 0] = far;
    this.setParent(far, grand);
    const link = words[(grand + PARENT) | 0]!;
    words[((link & ~RED) + CHILD + this.sideOf(grand, link & ~RED)) | 0] = top;
    words[(top + PARENT) | 0] = link;
    words[(top + CHILD + side) | 0] = outer;
    words[(outer + PARENT) | 0] = top | colour;
    words[(top + CHILD + other) | 0] = grand;
    words[(grand + PARENT) | 0] = top | colour;
  }

  /** Gives an area another parent and leaves its colour. NIL gets one so, which nobody asks for; it stays black. */
  private setParent(row: AreaIndex, above: AreaIndex): void {
    const { words } = this.table;
    words[(row + PARENT) | 0] = above | (words[(row + PARENT) | 0]! & RED);
  }

  /** On which side of `above` its child `row` hangs. */
  protected sideOf(row: AreaIndex, above: AreaIndex): number {
    // The sign of one of two differences says it, for half of the branches on it would be predicted wrongly.
    const distance = (this.table.words[(above + CHILD) | 0]! - row) | 0;
    return (distance | -distance) >>> 31;
  }

  /** `only`, or nothing, has come to hang on the side of `above` where an area has been taken out. */
  protected unlinked(_only: AreaIndex, _above: AreaIndex, _side: number): void {}

  /** `successor` has taken the place of `row`, and `orphan` that of `successor`, below `above`. */
  protected inherited(_successor: AreaIndex, _row: AreaIndex, _orphan: AreaIndex, _above: AreaIndex): void {}

  /**
   * `turn` is about to put `top` above `grand`, which takes over its child at the other side, and `outer`, which takes over
   * that of `at` at `nearSide`.
   */
  protected turned(
    _grand: AreaIndex,
    _side: number,
    _top: AreaIndex,
    _outer: AreaIndex,
    _at: AreaIndex,
    _nearSide: number,
  ): void {}
}

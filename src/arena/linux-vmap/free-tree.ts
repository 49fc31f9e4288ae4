import type { AreaIndex, TreePlace } from './area-record.js';
import * as record from './area-record.js';
import { AreaTree } from './area-tree.js';

const { CHILD, LARGEST, LOWER, NIL, PARENT, PLACE_BITS, RED, SIZE, UPPER } = record;

/**
 * The tree of free ranges, which is augmented: each knows the largest size below either child, where the kernel has that
 * of its own subtree in each (`free_vmap_area_rb_augment_cb`, mm/vmalloc.c [linux-6.12.117]).
 */
export class FreeTree extends AreaTree {
  override link(row: AreaIndex, place: TreePlace): void {
    this.hang(row, place, NIL);
    super.link(row, place);
  }

  /** Inserts a range that has come off the lower end of `row`. */
  splitOff(row: AreaIndex, below: AreaIndex): void {
    const place = this.locate(below, row);
    this.hang(below, place, row);
    super.link(below, place);
  }

  /** Tells the ranges from `from` upwards that the size of `from` has changed. */
  resized(from: AreaIndex): void {
    this.propagate(from, NIL);
  }

  /** Size of the largest range in the subtree of `row`, its own included, as LARGEST has it. */
  largestOf(row: AreaIndex): number {
    const { words } = this.table;
    const lower = words[(row + LARGEST) | 0]!;
    const upper = words[(row + LARGEST + UPPER) | 0]!;
    let largest = words[(row + SIZE) | 0]!;
    if (lower > largest) largest = lower;
    if (upper > largest) largest = upper;
    return largest;
  }

  /** Bytes of the largest range in the subtree of `row`, looked at one by one; 0 for none. */
  largestBytes(row: AreaIndex): number {
    if (row === NIL) return 0;
    const { words } = this.table;
    const below = Math.max(
      this.largestBytes(words[row + CHILD]!),
      this.largestBytes(words[row + CHILD + UPPER]!),
    );
    return Math.max(below, this.table.bytesOf(row));
  }

  protected override unlinked(only: AreaIndex, above: AreaIndex, side: number): void {
    if (above !== this.head) this.replaced(only, above, side, NIL);
  }

  protected override inherited(
    successor: AreaIndex,
    row: AreaIndex,
    orphan: AreaIndex,
    above: AreaIndex,
  ): void {
    const { words } = this.table;
    words[(successor + LARGEST) | 0] = words[(row + LARGEST) | 0]!;
    if (successor !== above) {
      words[(successor + LARGEST + UPPER) | 0] = words[(row + LARGEST + UPPER) | 0]!;
      this.replaced(orphan, above, LOWER, successor);
    }
    this.propagate(successor, NIL);
  }

  protected override turned(
    grand: AreaIndex,
    side: number,
    top: AreaIndex,
    outer: AreaIndex,
    at: AreaIndex,
    nearSide: number,
  ): void {
    const { words } = this.table;
    const other = UPPER - side;
    words[(outer + LARGEST + other) | 0] = words[(at + LARGEST + nearSide) | 0]!;
    words[(grand + LARGEST + side) | 0] = words[(top + LARGEST + other) | 0]!;
    words[(top + LARGEST + side) | 0] = this.largestOf(outer);
    words[(top + LARGEST + other) | 0] = this.largestOf(grand);
  }

  /** Tells the areas from `above` up to `stop`, exclusive, that their child at `side` is another one or none. */
  private replaced(child: AreaIndex, above: AreaIndex, side: number, stop: AreaIndex): void {
    this.table.words[(above + LARGEST + side) | 0] = child === NIL ? 0 : this.largestOf(child);
    this.propagate(above, stop);
  }

  /** The largest sizes when a leaf is about to be at `place`, below `resized` if that has another size than before. */
  private hang(leaf: AreaIndex, place: TreePlace, resized: AreaIndex): void {
    const { words } = this.table;
    const { head } = this;
    words[(leaf + LARGEST) | 0] = 0;
    words[(leaf + LARGEST + UPPER) | 0] = 0;
    const size = words[(leaf + SIZE) | 0]!;
    let above = place & ~PLACE_BITS;
    let side = place & UPPER;
    while (above !== head && words[(above + LARGEST + side) | 0]! < size) {
      words[(above + LARGEST + side) | 0] = size;
      if (above === resized) break;
      const next = words[(above + PARENT) | 0]! & ~RED;
      side = this.sideOf(above, next);
      above = next;
    }
    if (resized !== NIL) this.propagate(resized, NIL);
  }

  /** Renews the largest sizes above `row`, up to `stop`, inclusive, or to the first that does not change. */
  private propagate(row: AreaIndex, stop: AreaIndex): void {
    const { words } = this.table;
    const { head } = this;
    let at = row | 0;
    while (at !== stop) {
      const above = words[(at + PARENT) | 0]! & ~RED;
      if (above === head) return;
      const place = (above + LARGEST + this.sideOf(at, above)) | 0;
      const size = this.largestOf(at);
      if (words[place] === size) return;
      words[place] = size;
      at = above;
    }
  }
}

import { WINDOW_BYTES } from '../../core/address.js';
import type { AreaIndex, TreePlace } from './area-record.js';
import * as record from './area-record.js';
import { AreaTree } from './area-tree.js';

const { END, LARGEST, LOWER, NIL, PARENT, PLACE_BITS, RED, START, UPPER } = record;

/** Numbers from here on are kernel addresses; below are those of programs (AddressSpace.canonical). */
const KERNEL_HALF = 16 * WINDOW_BYTES;

/** Bytes between the two halves that have no numbers. */
const HOLE_BYTES = 2 ** 64 - 2 ** 53;

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

  /** Bytes of an area's range, as 64-bit addresses count them. */
  bytes(row: AreaIndex): number {
    const { numbers } = this.table;
    const start = numbers[((row >> 1) + START) | 0]!;
    const end = numbers[((row >> 1) + END) | 0]!;
    return start < KERNEL_HALF && end > KERNEL_HALF ? end - start + HOLE_BYTES : end - start;
  }

  /** Size of the largest range in the subtree of `row`, its own included. */
  largestOf(row: AreaIndex): number {
    const { numbers } = this.table;
    const lower = numbers[((row >> 1) + LARGEST) | 0]!;
    const upper = numbers[((row >> 1) + LARGEST + UPPER) | 0]!;
    let largest = this.bytes(row);
    if (lower > largest) largest = lower;
    if (upper > largest) largest = upper;
    return largest;
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
    const { numbers } = this.table;
    numbers[(successor >> 1) + LARGEST] = numbers[(row >> 1) + LARGEST]!;
    if (successor !== above) {
      numbers[(successor >> 1) + LARGEST + UPPER] = numbers[(row >> 1) + LARGEST + UPPER]!;
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
    const { numbers } = this.table;
    const other = UPPER - side;
    numbers[(outer >> 1) + LARGEST + other] = numbers[(at >> 1) + LARGEST + nearSide]!;
    numbers[(grand >> 1) + LARGEST + side] = numbers[(top >> 1) + LARGEST + other]!;
    numbers[(top >> 1) + LARGEST + side] = this.largestOf(outer);
    numbers[(top >> 1) + LARGEST + other] = this.largestOf(grand);
  }

  /** Tells the areas from `above` up to `stop`, exclusive, that their child at `side` is another one or none. */
  private replaced(child: AreaIndex, above: AreaIndex, side: number, stop: AreaIndex): void {
    this.table.numbers[(above >> 1) + LARGEST + side] = child === NIL ? 0 : this.largestOf(child);
    this.propagate(above, stop);
  }

  /** The largest sizes when a leaf is about to be at `place`, below `resized` if that has another size than before. */
  private hang(leaf: AreaIndex, place: TreePlace, resized: AreaIndex): void {
    const { words, numbers } = this.table;
    const { head } = this;
    numbers[(leaf >> 1) + LARGEST] = 0;
    numbers[(leaf >> 1) + LARGEST + UPPER] = 0;
    const size = this.bytes(leaf);
    let above = place & ~PLACE_BITS;
    let side = place & UPPER;
    while (above !== head && numbers[((above >> 1) + LARGEST + side) | 0]! < size) {
      numbers[((above >> 1) + LARGEST + side) | 0] = size;
      if (above === resized) break;
      const next = words[(above + PARENT) | 0]! & ~RED;
      side = this.sideOf(above, next);
      above = next;
    }
    if (resized !== NIL) this.propagate(resized, NIL);
  }

  /** Renews the largest sizes above `row`, up to `stop`, inclusive, or to the first that does not change. */
  private propagate(row: AreaIndex, stop: AreaIndex): void {
    const { words, numbers } = this.table;
    const { head } = this;
    let at = row | 0;
    while (at !== stop) {
      const above = words[(at + PARENT) | 0]! & ~RED;
      if (above === head) return;
      const place = ((above >> 1) + LARGEST + this.sideOf(at, above)) | 0;
      const size = this.largestOf(at);
      if (numbers[place] === size) return;
      numbers[place] = size;
      at = above;
    }
  }
}

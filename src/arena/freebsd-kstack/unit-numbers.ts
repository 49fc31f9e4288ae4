import { doubled } from '../avl-tree.js';

const FIRST_CAPACITY = 64;

/** Hands out the lowest number that is free, as alloc_unr of subr_unit.c does [freebsd@f13fa9df05]. */
export class UnitNumbers {
  /** Free numbers below `limit`, a binary heap. */
  private heap: Int32Array = new Int32Array(FIRST_CAPACITY);
  private freed = 0;
  /** All numbers from here on are free. */
  private limit = 0;

  take(): number {
    if (this.freed === 0) return this.limit++;
    const { heap } = this;
    const lowest = heap[0]!;
    const moved = heap[--this.freed]!;
    let at = 0;
    for (let child = 1; child < this.freed; child = 2 * at + 1) {
      if (child + 1 < this.freed && heap[child + 1]! < heap[child]!) child++;
      if (heap[child]! >= moved) break;
      heap[at] = heap[child]!;
      at = child;
    }
    heap[at] = moved;
    return lowest;
  }

  give(number: number): void {
    if (this.freed === this.heap.length) this.heap = doubled(this.heap, Int32Array);
    const { heap } = this;
    let at = this.freed++;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (heap[parent]! <= number) break;
      heap[at] = heap[parent]!;
      at = parent;
    }
    heap[at] = number;
  }
}

import { doubled } from '../avl-tree.js';
import { RowStack } from '../row-stack.js';

/** Whether a stack row is in use, and by whom. */
export const StackState = { none: 0, cached: 1, live: 2 } as const;

const FIRST_ROWS = 64;

/** Constructed kernel stacks, a row each. */
export class StackTable {
  /** Lowest address of the stack, above its guard pages. */
  base: Float64Array = new Float64Array(FIRST_ROWS);
  pages: Int32Array = new Int32Array(FIRST_ROWS);
  object: Int32Array = new Int32Array(FIRST_ROWS);
  /** Index of its first page in the object. */
  pindex: Int32Array = new Int32Array(FIRST_ROWS);
  state: Int8Array = new Int8Array(FIRST_ROWS);
  /** 1 if the stack has been swapped out, whether or not its pages have left memory yet. */
  isSwapped: Int8Array = new Int8Array(FIRST_ROWS);
  /** Rises with each thread that has had the stack. */
  thread: Int32Array = new Int32Array(FIRST_ROWS);
  /** Rows that were ever in use. */
  rows = 0;
  private readonly unused = new RowStack();

  create(pages: number): number {
    const stack = this.unused.count > 0 ? this.unused.pop() : this.addRow();
    this.pages[stack] = pages;
    this.isSwapped[stack] = 0;
    return stack;
  }

  destroy(stack: number): void {
    this.state[stack] = StackState.none;
    this.unused.push(stack);
  }

  private addRow(): number {
    if (this.rows === this.base.length) {
      this.base = doubled(this.base, Float64Array);
      this.pages = doubled(this.pages, Int32Array);
      this.object = doubled(this.object, Int32Array);
      this.pindex = doubled(this.pindex, Int32Array);
      this.state = doubled(this.state, Int8Array);
      this.thread = doubled(this.thread, Int32Array);
      this.isSwapped = doubled(this.isSwapped, Int8Array);
    }
    return this.rows++;
  }
}

import { doubled } from './avl-tree.js';

const INITIAL_CAPACITY = 64;

/** Row numbers of which the last one pushed is taken first. */
export class RowStack {
  count = 0;
  private rows: Int32Array = new Int32Array(INITIAL_CAPACITY);

  push(row: number): void {
    if (this.count === this.rows.length) this.rows = doubled(this.rows, Int32Array);
    this.rows[this.count++] = row;
  }

  /** The stack must not be empty. */
  pop(): number {
    return this.rows[--this.count]!;
  }

  /** What `pop` would take. The stack must not be empty. */
  top(): number {
    return this.rows[this.count - 1]!;
  }

  *[Symbol.iterator](): Generator<number> {
    for (let index = 0; index < this.count; index++) yield this.rows[index]!;
  }
}

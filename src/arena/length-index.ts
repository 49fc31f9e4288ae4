import type { Address } from '../core/address.js';
import type { Bytes } from '../core/units.js';
import { AvlTree, doubled, INITIAL_CAPACITY, NIL, type NodeIndex } from './avl-tree.js';

/**
 * Free ranges in the order of (length, start), so that the smallest that is long enough, and of several the lowest, is
 * found in O(log n). The owner of the ranges gives each a row number from 1 up, which it may use again after a
 * removal. Nothing is allocated but when the columns double.
 */
export class LengthIndex extends AvlTree {
  length: Float64Array = new Float64Array(INITIAL_CAPACITY);
  start: Float64Array = new Float64Array(INITIAL_CAPACITY);
  /** Nodes visited by `seek` and `after` since the index was made. */
  steps = 0;
  size = 0;

  /** Whether the row is in the index. */
  has(row: NodeIndex): boolean {
    return row < this.height.length && this.height[row]! > 0;
  }

  /** The first range of at least `length` bytes: the shortest, and among equals the lowest; NIL if there is none. */
  atLeast(length: Bytes): NodeIndex {
    return this.seek(length, 0);
  }

  /** The first range in order that is not before (length, start); NIL if there is none. */
  seek(length: Bytes, start: Address): NodeIndex {
    const { left, right } = this;
    let best = NIL;
    let steps = 0;
    for (let node = this.root; node !== NIL; steps++) {
      if (this.isBefore(node, length, start)) {
        node = right[node]!;
      } else {
        best = node;
        node = left[node]!;
      }
    }
    this.steps += steps;
    return best;
  }

  /** The next range in order; NIL after the last. */
  after(row: NodeIndex): NodeIndex {
    const { left, right, parent } = this;
    this.steps++;
    let node = right[row]!;
    if (node !== NIL) {
      while (left[node]! !== NIL) node = left[node]!;
      return node;
    }
    node = row;
    let above = parent[node]!;
    while (above !== NIL && node === right[above]!) {
      node = above;
      above = parent[node]!;
    }
    return above;
  }

  /** Length of the longest range; 0 if there is none. O(log n). */
  get longest(): Bytes {
    const node = this.last();
    return node === NIL ? 0 : this.length[node]!;
  }

  /** The last range in order: the longest, and among equals the highest; NIL if there is none. O(log n). */
  last(): NodeIndex {
    let node = this.root;
    while (node !== NIL && this.right[node]! !== NIL) node = this.right[node]!;
    return node;
  }

  /** Enters a range under a row that is not in the index. */
  insert(row: NodeIndex, length: Bytes, start: Address): void {
    while (row >= this.length.length) this.grow();
    const { left, right } = this;
    let above = NIL;
    let isUpper = false;
    for (let node = this.root; node !== NIL; node = isUpper ? right[node]! : left[node]!) {
      above = node;
      isUpper = this.isBefore(node, length, start);
    }
    this.length[row] = length;
    this.start[row] = start;
    left[row] = NIL;
    right[row] = NIL;
    this.parent[row] = above;
    if (above === NIL) this.root = row;
    else if (isUpper) right[above] = row;
    else left[above] = row;
    this.height[row] = 1;
    this.size++;
    this.retrace(above);
  }

  /** Removes a row that is in the index. */
  remove(row: NodeIndex): void {
    let successor = this.right[row]!;
    while (successor !== NIL && this.left[successor]! !== NIL) successor = this.left[successor]!;
    const changed = this.unhang(row, successor);
    this.height[row] = 0;
    this.size--;
    this.retrace(changed);
  }

  /** Compares order, links, heights and count with their definitions; answers what is wrong, or '' if nothing is. */
  contradiction(): string {
    const reached = this.contradictionBelow(this.root, NIL);
    if (typeof reached === 'string') return reached;
    if (reached !== this.size) return `${reached} ranges in the index, ${this.size} counted`;
    const { steps } = this;
    let problem = '';
    let previous = this.seek(0, 0);
    for (let row = this.after(previous); previous !== NIL && row !== NIL; row = this.after(row)) {
      if (!this.isBefore(previous, this.length[row]!, this.start[row]!))
        problem = `range ${row} is out of order`;
      previous = row;
    }
    this.steps = steps;
    return problem;
  }

  private isBefore(node: NodeIndex, length: Bytes, start: Address): boolean {
    const own = this.length[node]!;
    return own < length || (own === length && this.start[node]! < start);
  }

  /** Restores height and balance from `from` up to the root, or until nothing changes any more. */
  private retrace(from: NodeIndex): void {
    const { left, right, height, parent } = this;
    for (let node = from; node !== NIL; node = parent[node]!) {
      const oldHeight = height[node]!;
      const lean = height[right[node]!]! - height[left[node]!]!;
      if (lean > 1 || lean < -1) node = this.rebalance(node, lean);
      else this.recompute(node);
      if (height[node]! === oldHeight) return;
    }
  }

  private grow(): void {
    this.growLinks();
    this.length = doubled(this.length, Float64Array);
    this.start = doubled(this.start, Float64Array);
  }

  /** Number of nodes below and including `node`, or what is wrong with them. */
  private contradictionBelow(node: NodeIndex, above: NodeIndex): number | string {
    if (node === NIL) return 0;
    const lower = this.contradictionBelow(this.left[node]!, node);
    const upper = this.contradictionBelow(this.right[node]!, node);
    if (typeof lower === 'string') return lower;
    if (typeof upper === 'string') return upper;
    const heights = [this.height[this.left[node]!]!, this.height[this.right[node]!]!] as const;
    if (this.parent[node]! !== above) return `range ${node} has a wrong parent`;
    if (Math.abs(heights[0] - heights[1]) > 1) return `range ${node} is out of balance`;
    if (this.height[node]! !== Math.max(...heights) + 1) return `range ${node} has a wrong height`;
    return lower + upper + 1;
  }
}

import type { Address } from '../../core/address.js';
import type { Bytes } from '../../core/units.js';
import { AvlTree, doubled, INITIAL_CAPACITY, NIL, type NodeIndex } from '../avl-tree.js';

// NIL is in the address-ordered list the neighbour behind the last entry: its start is the limit.
export { NIL };

/** Index of an entry in the tree's columns. */
export type EntryIndex = NodeIndex;

/** An entry of length 0 at the base, never removed: it owns the gap before the first real entry. */
export const HEAD: EntryIndex = 1;

/**
 * Disjoint ranges in address order, as an AVL tree threaded by a list. Entry i is row i of each column; each entry
 * owns the gap that follows it, and the tree is augmented with the largest gap of every subtree, so that the lowest
 * gap of a length is found in O(log n). Nothing is allocated but when the columns double.
 * Not: a treap or skip list (their bounds hold only on average), nor a heap of gaps (address order is lost).
 */
export class EntryTree extends AvlTree {
  start: Float64Array = new Float64Array(INITIAL_CAPACITY);
  /** Exclusive. */
  end: Float64Array = new Float64Array(INITIAL_CAPACITY);
  /** Bytes between an entry's end and the next entry's start. */
  gap: Float64Array = new Float64Array(INITIAL_CAPACITY);
  next: Int32Array = new Int32Array(INITIAL_CAPACITY);
  previous: Int32Array = new Int32Array(INITIAL_CAPACITY);
  /** Elements visited by `findGap`, `nextGap` and `findEntry` since the tree was made. */
  steps = 0;
  /** Real entries: HEAD is not counted. */
  size = 0;
  private maxGap: Float64Array = new Float64Array(INITIAL_CAPACITY);
  /** Rows given back, linked through `next`; NIL ends the chain. */
  private spare: EntryIndex = NIL;
  private rows = 2;

  /** An empty tree over the addresses from `base` up to `limit`, exclusive. */
  constructor(base: Address, limit: Address) {
    super();
    this.root = HEAD;
    this.start[NIL] = limit;
    this.end[NIL] = limit;
    this.maxGap[NIL] = -1;
    this.gap[NIL] = -1;
    this.start[HEAD] = base;
    this.end[HEAD] = base;
    this.gap[HEAD] = limit - base;
    this.maxGap[HEAD] = limit - base;
    this.height[HEAD] = 1;
    this.next[NIL] = HEAD;
    this.previous[NIL] = HEAD;
  }

  get largestGap(): Bytes {
    return this.maxGap[this.root]!;
  }

  /** First entry in address order whose gap has at least `size` bytes; NIL if there is none. */
  findGap(size: Bytes): EntryIndex {
    return this.firstGapBelow(this.root, size);
  }

  /** The next entry in address order after `entry` whose gap has at least `size` bytes; NIL if there is none. */
  nextGap(entry: EntryIndex, size: Bytes): EntryIndex {
    let node = entry;
    if (this.maxGap[this.right[node]!]! >= size) return this.firstGapBelow(this.right[node]!, size);
    for (let above = this.parent[node]!; above !== NIL; node = above, above = this.parent[node]!) {
      this.steps++;
      if (node === this.right[above]!) continue;
      if (this.gap[above]! >= size) return above;
      if (this.maxGap[this.right[above]!]! >= size) return this.firstGapBelow(this.right[above]!, size);
    }
    return NIL;
  }

  /** The last entry that starts at or below `address`; HEAD if no real one does. */
  findEntry(address: Address): EntryIndex {
    const { start, left, right } = this;
    let best = HEAD;
    let steps = 0;
    for (let node = this.root; node !== NIL; steps++) {
      if (start[node]! > address) {
        node = left[node]!;
      } else {
        best = node;
        node = right[node]!;
      }
    }
    this.steps += steps;
    return best;
  }

  /** Makes an entry [start, end) in the gap of `before`, its predecessor, and returns its index. */
  insertAfter(before: EntryIndex, start: Address, end: Address): EntryIndex {
    const node = this.takeRow();
    const after = this.next[before]!;
    this.start[node] = start;
    this.end[node] = end;
    this.gap[node] = this.start[after]! - end;
    this.gap[before] = start - this.end[before]!;
    this.link(before, node);
    this.link(node, after);
    this.left[node] = NIL;
    this.right[node] = NIL;
    this.height[node] = 0;
    this.hang(node, before, after);
    this.size++;
    this.retrace(node);
    this.retrace(before);
    return node;
  }

  /** Removes a real entry; its range and gap are added to the gap of the entry before it. */
  remove(node: EntryIndex): void {
    const before = this.previous[node]!;
    const after = this.next[node]!;
    const changed = this.unhang(node, after);
    this.link(before, after);
    this.gap[before] = this.start[after]! - this.end[before]!;
    this.next[node] = this.spare;
    this.spare = node;
    this.size--;
    this.retrace(changed);
    this.retrace(before);
  }

  /** Moves the start of a real entry within the gap before it, or up to its end. */
  moveStart(node: EntryIndex, start: Address): void {
    const before = this.previous[node]!;
    this.start[node] = start;
    this.gap[before] = start - this.end[before]!;
    this.retrace(before);
  }

  /** Moves the end of a real entry within the gap after it, or down to its start. */
  moveEnd(node: EntryIndex, end: Address): void {
    this.end[node] = end;
    this.gap[node] = this.start[this.next[node]!]! - end;
    this.retrace(node);
  }

  /** Compares every link, height and maximum with its definition; answers what is wrong, or '' if nothing is. */
  contradiction(): string {
    const reached = this.contradictionBelow(this.root, NIL);
    if (typeof reached === 'string') return reached;
    if (reached !== this.size + 1) return `${reached} entries in the tree, ${this.size + 1} counted`;
    return this.contradictionInList();
  }

  private firstGapBelow(top: EntryIndex, size: Bytes): EntryIndex {
    const { left, right, gap, maxGap } = this;
    let node = top;
    if (maxGap[node]! < size) return NIL;
    for (let steps = 1; ; steps++) {
      const lower = left[node]!;
      if (maxGap[lower]! >= size) {
        node = lower;
      } else if (gap[node]! >= size) {
        this.steps += steps;
        return node;
      } else {
        node = right[node]!;
      }
    }
  }

  private link(before: EntryIndex, after: EntryIndex): void {
    this.next[before] = after;
    this.previous[after] = before;
  }

  /** Of two neighbours in order, either the lower has no right child or the upper has no left child. */
  private hang(node: EntryIndex, before: EntryIndex, after: EntryIndex): void {
    if (this.right[before]! === NIL) {
      this.right[before] = node;
      this.parent[node] = before;
    } else {
      this.left[after] = node;
      this.parent[node] = after;
    }
  }

  protected override unhang(node: EntryIndex, successor: EntryIndex): EntryIndex {
    const isReplaced = this.left[node]! !== NIL && this.right[node]! !== NIL;
    const changed = super.unhang(node, successor);
    // As with the height, the retracing must see what has changed below the successor.
    if (isReplaced) this.maxGap[successor] = this.maxGap[node]!;
    return changed;
  }

  protected override recompute(node: EntryIndex): void {
    const { maxGap } = this;
    super.recompute(node);
    maxGap[node] = Math.max(this.gap[node]!, maxGap[this.left[node]!]!, maxGap[this.right[node]!]!);
  }

  /** Restores height, maximum and balance from `from` up to the root, or until nothing changes any more. */
  private retrace(from: EntryIndex): void {
    const { left, right, height, gap, maxGap, parent } = this;
    for (let node = from; node !== NIL; node = parent[node]!) {
      const oldHeight = height[node]!;
      const oldMaxGap = maxGap[node]!;
      const lower = left[node]!;
      const upper = right[node]!;
      const lean = height[upper]! - height[lower]!;
      if (lean > 1 || lean < -1) {
        node = this.rebalance(node, lean);
      } else {
        height[node] = lean > 0 ? height[upper]! + 1 : height[lower]! + 1;
        maxGap[node] = Math.max(gap[node]!, maxGap[lower]!, maxGap[upper]!);
      }
      if (height[node]! === oldHeight && maxGap[node]! === oldMaxGap) return;
    }
  }

  private takeRow(): EntryIndex {
    const row = this.spare;
    if (row !== NIL) {
      this.spare = this.next[row]!;
      return row;
    }
    if (this.rows === this.start.length) this.grow();
    return this.rows++;
  }

  private grow(): void {
    this.growLinks();
    this.start = doubled(this.start, Float64Array);
    this.end = doubled(this.end, Float64Array);
    this.gap = doubled(this.gap, Float64Array);
    this.maxGap = doubled(this.maxGap, Float64Array);
    this.next = doubled(this.next, Int32Array);
    this.previous = doubled(this.previous, Int32Array);
  }

  /** Number of nodes below and including `node`, or what is wrong with them. */
  private contradictionBelow(node: EntryIndex, above: EntryIndex): number | string {
    if (node === NIL) return 0;
    const lower = this.contradictionBelow(this.left[node]!, node);
    const upper = this.contradictionBelow(this.right[node]!, node);
    if (typeof lower === 'string') return lower;
    if (typeof upper === 'string') return upper;
    const heights = [this.height[this.left[node]!]!, this.height[this.right[node]!]!] as const;
    const widest = Math.max(this.gap[node]!, this.maxGap[this.left[node]!]!, this.maxGap[this.right[node]!]!);
    if (this.parent[node]! !== above) return `entry ${node} has a wrong parent`;
    if (Math.abs(heights[0] - heights[1]) > 1) return `entry ${node} is out of balance`;
    if (this.height[node]! !== Math.max(...heights) + 1) return `entry ${node} has a wrong height`;
    if (this.maxGap[node]! !== widest) return `entry ${node} has a wrong largest gap`;
    return lower + upper + 1;
  }

  private contradictionInList(): string {
    let seen = 0;
    for (let node = HEAD; node !== NIL; node = this.next[node]!) {
      const after = this.next[node]!;
      if (this.previous[after]! !== node) return `entry ${after} has a wrong predecessor`;
      if (node !== HEAD && this.end[node]! <= this.start[node]!) return `entry ${node} is empty`;
      if (this.gap[node]! !== this.start[after]! - this.end[node]!) return `entry ${node} has a wrong gap`;
      if (this.gap[node]! < 0) return `entries ${node} and ${after} overlap`;
      if (node !== HEAD && this.findEntryQuietly(this.start[node]!) !== node)
        return `entry ${node} is not where it belongs`;
      if (++seen > this.size + 1) return 'the list has more entries than the tree';
    }
    return seen === this.size + 1 ? '' : `${seen} entries in the list, ${this.size + 1} counted`;
  }

  private findEntryQuietly(address: Address): EntryIndex {
    const { steps } = this;
    const found = this.findEntry(address);
    this.steps = steps;
    return found;
  }
}

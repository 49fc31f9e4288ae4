import { doubled } from '../avl-tree.js';

/** Row of an AreaTable. */
export type AreaIndex = number;

/** The absent area. Its colour is black and its largest free size 0, and they stay so. */
export const NIL: AreaIndex = 0;

const INITIAL_CAPACITY = 256;

/** Node tag of an area that belongs to no node. */
export const NO_TAG = 0;

/**
 * The areas of one system: `struct vmap_area` [linux-6.12.117] as columns. As in the kernel, an area carries one
 * set of links and is in one place at a time: free tree, busy or lazy tree of a node, a pool, or aside as a spare. Row
 * 0 stands for no area.
 */
export class AreaTable {
  start: Float64Array = new Float64Array(INITIAL_CAPACITY);
  /** Exclusive. */
  end: Float64Array = new Float64Array(INITIAL_CAPACITY);
  /** In the free tree: bytes of the largest range in the subtree. */
  largest: Float64Array = new Float64Array(INITIAL_CAPACITY);
  /** Children in a tree: the lower one of row i at 2i, the upper one at 2i + 1. */
  child: Int32Array = new Int32Array(2 * INITIAL_CAPACITY);
  parent: Int32Array = new Int32Array(INITIAL_CAPACITY);
  red: Uint8Array = new Uint8Array(INITIAL_CAPACITY);
  /** Neighbours in the list of the tree or the pool; `next` also chains rows that are not in use. */
  next: Int32Array = new Int32Array(INITIAL_CAPACITY);
  previous: Int32Array = new Int32Array(INITIAL_CAPACITY);
  /** Node of the CPU that asked, plus 1; NO_TAG for none. */
  tag: Uint8Array = new Uint8Array(INITIAL_CAPACITY);
  /** Areas in use, wherever they are. */
  count = 0;
  private spare: AreaIndex = NIL;
  private rows = 1;

  /** An area in no place, with its range and tag still to be set. */
  take(): AreaIndex {
    this.count++;
    const row = this.spare;
    if (row !== NIL) {
      this.spare = this.next[row]!;
      return row;
    }
    if (this.rows === this.parent.length) this.grow();
    return this.rows++;
  }

  give(row: AreaIndex): void {
    this.count--;
    this.next[row] = this.spare;
    this.spare = row;
  }

  private grow(): void {
    this.start = doubled(this.start, Float64Array);
    this.end = doubled(this.end, Float64Array);
    this.largest = doubled(this.largest, Float64Array);
    this.child = doubled(this.child, Int32Array);
    this.parent = doubled(this.parent, Int32Array);
    this.red = doubled(this.red, Uint8Array);
    this.next = doubled(this.next, Int32Array);
    this.previous = doubled(this.previous, Int32Array);
    this.tag = doubled(this.tag, Uint8Array);
  }
}

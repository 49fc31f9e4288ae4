import { doubled } from '../avl-tree.js';
import { RowStack } from '../row-stack.js';

/** What a root is while the trie has no leaf. */
export const EMPTY_TRIE = 0;
/** The answer of a search that finds no leaf. */
export const NO_LEAF = -1;

const RADIX_BITS = 4;
const CHILDREN = 1 << RADIX_BITS;
const FIRST_ROWS = 64;

/** Where the trie reads the key of a leaf; the column may be replaced by a longer one. */
export interface LeafKeys {
  readonly pindex: Int32Array;
}

/**
 * Path-compressed tries with 16 children per node over keys of 31 bits; any number of them share the rows of this table.
 * A child is 0, a node (its row, from 1 up), or a leaf, as -1 - leaf: leaves need no node of their own. A node exists
 * for each prefix at which keys part, so that the number of nodes follows from the set of keys.
 * Mirrors vm_radix_insert, vm_radix_remove and vm_radix_lookup_le, vm_radix.c [freebsd@f13fa9df05].
 */
export class PageTries {
  /** Nodes of all tries. */
  nodes = 0;
  private readonly keys: LeafKeys;
  private readonly unused = new RowStack();
  private rows = 1;
  private child: Int32Array = new Int32Array(FIRST_ROWS * CHILDREN);
  /** Which children a node has, a bit each. */
  private mask: Int32Array = new Int32Array(FIRST_ROWS);
  /** Lowest bit of the digit at which a node's keys part. */
  private shift: Int32Array = new Int32Array(FIRST_ROWS);
  /** A key below the node. */
  private sample: Int32Array = new Int32Array(FIRST_ROWS);

  constructor(keys: LeafKeys) {
    this.keys = keys;
  }

  /** The leaf with this key, or NO_LEAF. */
  find(root: number, key: number): number {
    let at = root;
    while (at > 0) at = this.child[at * CHILDREN + this.digit(at, key)]!;
    return at < 0 && this.keys.pindex[-1 - at] === key ? -1 - at : NO_LEAF;
  }

  /** The leaf with the greatest key that is at most `key`, or NO_LEAF. */
  findAtMost(root: number, key: number): number {
    let at = root;
    let below = EMPTY_TRIE;
    while (at > 0) {
      const prefix = this.prefix(at, key) - this.prefix(at, this.sample[at]!);
      if (prefix > 0) return this.greatest(at);
      if (prefix < 0) return this.greatest(below);
      const digit = this.digit(at, key);
      const lower = this.mask[at]! & ((1 << digit) - 1);
      if (lower !== 0) below = this.child[at * CHILDREN + 31 - Math.clz32(lower)]!;
      at = this.child[at * CHILDREN + digit]!;
    }
    return at < 0 && this.keys.pindex[-1 - at]! <= key ? -1 - at : this.greatest(below);
  }

  /** Adds a leaf, whose key the trie must not have yet, and returns the root. */
  insert(root: number, leaf: number): number {
    const key = this.keys.pindex[leaf]!;
    let at = root;
    let parent = EMPTY_TRIE;
    while (at > 0 && this.prefix(at, key) === this.prefix(at, this.sample[at]!)) {
      parent = at;
      at = this.child[at * CHILDREN + this.digit(at, key)]!;
    }
    const added = at === EMPTY_TRIE ? -1 - leaf : this.split(at, leaf, key);
    if (parent === EMPTY_TRIE) return added;
    this.setChild(parent, key, added);
    return root;
  }

  /** Takes the leaf with this key, which must be there, out of the trie and returns the root. */
  remove(root: number, key: number): number {
    if (root < 0) return EMPTY_TRIE;
    let above = EMPTY_TRIE;
    let parent = EMPTY_TRIE;
    for (let at = root; at > 0; at = this.child[at * CHILDREN + this.digit(at, key)]!) {
      above = parent;
      parent = at;
    }
    const digit = this.digit(parent, key);
    const left = this.mask[parent]! & ~(1 << digit);
    this.child[parent * CHILDREN + digit] = EMPTY_TRIE;
    this.mask[parent] = left;
    if ((left & (left - 1)) !== 0) return root;
    const only = this.child[parent * CHILDREN + 31 - Math.clz32(left)]!;
    this.destroy(parent);
    if (above === EMPTY_TRIE) return only;
    this.child[above * CHILDREN + this.digit(above, key)] = only;
    return root;
  }

  private greatest(from: number): number {
    let at = from;
    while (at > 0) at = this.child[at * CHILDREN + 31 - Math.clz32(this.mask[at]!)]!;
    return at < 0 ? -1 - at : NO_LEAF;
  }

  /** A node above `other` at the digit where its keys and `key` part, with the leaf as its second child. */
  private split(other: number, leaf: number, key: number): number {
    const otherKey = other < 0 ? this.keys.pindex[-1 - other]! : this.sample[other]!;
    const bit = 31 - Math.clz32(key ^ otherKey);
    const node = this.create(bit - (bit % RADIX_BITS), key);
    this.setChild(node, otherKey, other);
    this.setChild(node, key, -1 - leaf);
    return node;
  }

  private setChild(node: number, key: number, child: number): void {
    const digit = this.digit(node, key);
    this.child[node * CHILDREN + digit] = child;
    this.mask[node]! |= 1 << digit;
  }

  private digit(node: number, key: number): number {
    return (key >>> this.shift[node]!) & (CHILDREN - 1);
  }

  private prefix(node: number, key: number): number {
    return (key >>> this.shift[node]!) >>> RADIX_BITS;
  }

  private create(shift: number, key: number): number {
    const node = this.unused.count > 0 ? this.unused.pop() : this.addRow();
    this.mask[node] = 0;
    this.shift[node] = shift;
    this.sample[node] = key;
    this.nodes++;
    return node;
  }

  private destroy(node: number): void {
    this.child.fill(EMPTY_TRIE, node * CHILDREN, (node + 1) * CHILDREN);
    this.unused.push(node);
    this.nodes--;
  }

  private addRow(): number {
    if (this.rows === this.mask.length) {
      this.child = doubled(this.child, Int32Array);
      this.mask = doubled(this.mask, Int32Array);
      this.shift = doubled(this.shift, Int32Array);
      this.sample = doubled(this.sample, Int32Array);
    }
    return this.rows++;
  }
}

import type { Bytes } from '../../core/units.js';
import { doubled } from '../avl-tree.js';
import { RowStack } from '../row-stack.js';
import { SWAP_METADATA_BYTES, TRIE_NODE_BYTES } from './abi.js';
import { NO_LEAF, PageTries } from './page-trie.js';

/** Indices that one metadata block has slots for (SWAP_META_PAGES). */
const SLOTS = 16;

const FIRST_ROWS = 64;

/**
 * What the kernel keeps to find swap blocks by object and index: a metadata block for each aligned group of 16 indices of
 * which one holds a swap block, and a trie of those per object, with as many nodes as a page trie of their first
 * indices has. Mirrors swp_pager_meta_build and swp_pager_meta_free, swap_pager.c [freebsd@f13fa9df05].
 */
export class SwapMetadata {
  /** Metadata blocks in use (struct swblk). */
  blocks = 0;
  /** First index of each block. */
  pindex: Int32Array = new Int32Array(FIRST_ROWS);
  /** Slots of each block that hold a swap block. */
  private used: Int8Array = new Int8Array(FIRST_ROWS);
  /** Trie of each object, by row of the table of objects. */
  private root: Int32Array = new Int32Array(FIRST_ROWS);
  private readonly tries = new PageTries(this);
  private readonly unused = new RowStack();
  private rows = 0;

  /** Nodes of the tries of all objects. */
  get nodes(): number {
    return this.tries.nodes;
  }

  get bytes(): Bytes {
    return this.blocks * SWAP_METADATA_BYTES + this.nodes * TRIE_NODE_BYTES;
  }

  /** The index, which had no swap block, has one. */
  add(object: number, pindex: number): void {
    while (object >= this.root.length) this.root = doubled(this.root, Int32Array);
    const first = pindex - (pindex % SLOTS);
    const known = this.tries.find(this.root[object]!, first);
    const row = known === NO_LEAF ? this.addBlock(object, first) : known;
    this.used[row]!++;
  }

  /** The index, which had a swap block, has none. */
  remove(object: number, pindex: number): void {
    const first = pindex - (pindex % SLOTS);
    const row = this.tries.find(this.root[object]!, first);
    if (--this.used[row]! > 0) return;
    this.root[object] = this.tries.remove(this.root[object]!, first);
    this.unused.push(row);
    this.blocks--;
  }

  private addBlock(object: number, first: number): number {
    const row = this.unused.count > 0 ? this.unused.pop() : this.addRow();
    this.pindex[row] = first;
    this.root[object] = this.tries.insert(this.root[object]!, row);
    this.blocks++;
    return row;
  }

  private addRow(): number {
    if (this.rows === this.pindex.length) {
      this.pindex = doubled(this.pindex, Int32Array);
      this.used = doubled(this.used, Int8Array);
    }
    return this.rows++;
  }
}

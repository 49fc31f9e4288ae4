import { doubled } from '../avl-tree.js';
import { RowStack } from '../row-stack.js';
import { EMPTY_TRIE, NO_LEAF, PageTries } from './page-trie.js';
import { SwapMetadata } from './swap-metadata.js';

/** No swap block. */
export const NO_BLOCK = -1;

const FIRST_ROWS = 64;

/**
 * Which swap block holds which page of which object. Blocks are numbered in order of writing and not used twice, so that
 * those of one write are contiguous. What the kernel keeps to know this is `metadata`. Mirrors swap_pager.c in effect
 * [freebsd@f13fa9df05].
 */
export class SwapSpace {
  /** Blocks that hold a page. */
  blocksInUse = 0;
  readonly metadata = new SwapMetadata();
  pindex: Int32Array = new Int32Array(FIRST_ROWS);
  private block: Float64Array = new Float64Array(FIRST_ROWS);
  /** Trie of each object, by row of the table of objects. */
  private root: Int32Array = new Int32Array(FIRST_ROWS);
  private readonly tries = new PageTries(this);
  private readonly unused = new RowStack();
  private rows = 0;
  private nextBlock = 0;

  /** Gives the page the next block; one that it had is free. */
  write(object: number, pindex: number): void {
    while (object >= this.root.length) this.root = doubled(this.root, Int32Array);
    const known = this.tries.find(this.root[object]!, pindex);
    const row = known === NO_LEAF ? this.addPage(object, pindex) : known;
    this.block[row] = this.nextBlock++;
  }

  /** The block that holds the page, or NO_BLOCK. */
  blockOf(object: number, pindex: number): number {
    if (object >= this.root.length) return NO_BLOCK;
    const row = this.tries.find(this.root[object]!, pindex);
    return row === NO_LEAF ? NO_BLOCK : this.block[row]!;
  }

  /** Frees the blocks of an object of `size` pages that goes away. */
  forget(object: number, size: number): void {
    if (object >= this.root.length || this.root[object] === EMPTY_TRIE) return;
    for (let pindex = 0; pindex < size; pindex++) {
      const row = this.tries.find(this.root[object]!, pindex);
      if (row === NO_LEAF) continue;
      this.root[object] = this.tries.remove(this.root[object]!, pindex);
      this.unused.push(row);
      this.metadata.remove(object, pindex);
      this.blocksInUse--;
    }
  }

  private addPage(object: number, pindex: number): number {
    const row = this.unused.count > 0 ? this.unused.pop() : this.addRow();
    this.pindex[row] = pindex;
    this.root[object] = this.tries.insert(this.root[object]!, row);
    this.metadata.add(object, pindex);
    this.blocksInUse++;
    return row;
  }

  private addRow(): number {
    if (this.rows === this.pindex.length) {
      this.pindex = doubled(this.pindex, Int32Array);
      this.block = doubled(this.block, Float64Array);
    }
    return this.rows++;
  }
}

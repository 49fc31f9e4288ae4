import { doubled } from '../avl-tree.js';
import { RowStack } from '../row-stack.js';
import { NO_FRAME, NO_OBJECT, Owner, type PageFrames } from './page-frames.js';
import { EMPTY_TRIE, PageTries } from './page-trie.js';

const FIRST_ROWS = 16;

/**
 * VM objects and their resident pages: each object has a trie from index to page frame, and a list of its frames in
 * order of index. Mirrors vm_page_insert_after and vm_page_object_remove, vm_page.c [freebsd@f13fa9df05].
 */
export class VmObjects {
  /** Objects in existence. */
  count = 0;
  readonly tries: PageTries;
  /** Resident page with the lowest index, or NO_FRAME. */
  first: Int32Array = new Int32Array(FIRST_ROWS);
  residentPages: Int32Array = new Int32Array(FIRST_ROWS);
  /** Pages that an object may have: indices are below this. */
  size: Int32Array = new Int32Array(FIRST_ROWS);
  /** 1 if pages of the object may come from reservations (OBJ_COLORED). */
  reserves: Int8Array = new Int8Array(FIRST_ROWS);
  private root: Int32Array = new Int32Array(FIRST_ROWS);
  private readonly frames: PageFrames;
  private readonly unused = new RowStack();
  private rows = 0;

  constructor(frames: PageFrames) {
    this.frames = frames;
    this.tries = new PageTries(frames);
  }

  create(size: number, reserves: boolean): number {
    const object = this.unused.count > 0 ? this.unused.pop() : this.addRow();
    this.first[object] = NO_FRAME;
    this.residentPages[object] = 0;
    this.size[object] = size;
    this.reserves[object] = reserves ? 1 : 0;
    this.root[object] = EMPTY_TRIE;
    this.count++;
    return object;
  }

  /** Forgets an object without resident pages. */
  destroy(object: number): void {
    this.unused.push(object);
    this.count--;
  }

  /** The resident page with this index, or NO_FRAME. */
  find(object: number, pindex: number): number {
    return this.tries.find(this.root[object]!, pindex);
  }

  /** The resident page with the greatest index that is at most `pindex`, or NO_FRAME. */
  findAtMost(object: number, pindex: number): number {
    return this.tries.findAtMost(this.root[object]!, pindex);
  }

  /** The resident page behind `before`, which is a page of the object, or NO_FRAME for its first. */
  after(object: number, before: number): number {
    return before === NO_FRAME ? this.first[object]! : this.frames.objectNext[before]!;
  }

  /** Makes a frame the page `pindex` of the object, of which `before` is the page before it. */
  insert(object: number, pindex: number, frame: number, before: number): void {
    const { frames } = this;
    const after = this.after(object, before);
    frames.owner[frame] = Owner.kernelStack;
    frames.object[frame] = object;
    frames.pindex[frame] = pindex;
    frames.objectPrevious[frame] = before;
    frames.objectNext[frame] = after;
    if (before === NO_FRAME) this.first[object] = frame;
    else frames.objectNext[before] = frame;
    if (after !== NO_FRAME) frames.objectPrevious[after] = frame;
    this.residentPages[object]!++;
    this.root[object] = this.tries.insert(this.root[object]!, frame);
  }

  /** Takes a resident page out of its object. */
  remove(frame: number): void {
    const { frames } = this;
    const object = frames.object[frame]!;
    const before = frames.objectPrevious[frame]!;
    const after = frames.objectNext[frame]!;
    if (before === NO_FRAME) this.first[object] = after;
    else frames.objectNext[before] = after;
    if (after !== NO_FRAME) frames.objectPrevious[after] = before;
    this.residentPages[object]!--;
    this.root[object] = this.tries.remove(this.root[object]!, frames.pindex[frame]!);
    frames.object[frame] = NO_OBJECT;
  }

  private addRow(): number {
    if (this.rows === this.first.length) {
      this.first = doubled(this.first, Int32Array);
      this.residentPages = doubled(this.residentPages, Int32Array);
      this.size = doubled(this.size, Int32Array);
      this.reserves = doubled(this.reserves, Int8Array);
      this.root = doubled(this.root, Int32Array);
    }
    return this.rows++;
  }
}

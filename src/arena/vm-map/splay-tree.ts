import type { Address } from '../../core/address.js';
import type { Bytes } from '../../core/units.js';
import { doubled } from '../avl-tree.js';
import type { FreeSpectrum } from '../free-spectrum.js';

/** Index of an entry: a row of the tree's columns. */
export type EntryIndex = number;

/** The map itself: no child, and in the address-ordered list the neighbour of both ends. */
export const HEADER: EntryIndex = 0;

const FIRST_CAPACITY = 64;

/**
 * The entries of a map in address order: a splay tree that is reorganised from the top down at every access, with the
 * largest gap of each subtree, those at its two edges included. Which gaps a search sees depends on the shape of the
 * tree (THEORY.md), so this is the kernel's own kind of tree and no other balanced one. Where the kernel threads its
 * tree, a list joins neighbours here.
 *
 * A descent takes the tree apart: what lies left and right of the path is kept on two spines, the outermost first, and
 * put together again from the innermost outwards. Nothing is allocated but when columns double.
 * Mirrors vm_map_splay_split, vm_map_splay, vm_map_entry_link, vm_map_entry_unlink, vm_map_entry_resize and
 * vm_map_findspace, vm_map.c [freebsd@5cb586b]; the tree is that of [Sleator85].
 */
export class SplayTree {
  start: Float64Array = new Float64Array(FIRST_CAPACITY);
  /** Exclusive. */
  end: Float64Array = new Float64Array(FIRST_CAPACITY);
  next: Int32Array = new Int32Array(FIRST_CAPACITY);
  previous: Int32Array = new Int32Array(FIRST_CAPACITY);
  /** Entries. */
  size = 0;
  /** Nodes that descents went through. */
  steps = 0;
  /** Start of the place that `findSpace` found. */
  readonly found = new Float64Array(1);
  root: EntryIndex = HEADER;
  spectrum: FreeSpectrum | null = null;
  private maxFree: Float64Array = new Float64Array(FIRST_CAPACITY);
  private left: Int32Array = new Int32Array(FIRST_CAPACITY);
  private right: Int32Array = new Int32Array(FIRST_CAPACITY);
  private leftSpine: Int32Array = new Int32Array(FIRST_CAPACITY);
  private rightSpine: Int32Array = new Int32Array(FIRST_CAPACITY);
  private leftCount = 0;
  private rightCount = 0;
  private rows = HEADER + 1;
  /** Rows given back, linked through `next`. */
  private unused = HEADER;

  /** An empty tree over the addresses from `base` up to `limit`, exclusive. */
  constructor(base: Address, limit: Address) {
    this.start[HEADER] = limit;
    this.end[HEADER] = base;
  }

  get largestGap(): Bytes {
    return this.root === HEADER ? this.start[HEADER]! - this.end[HEADER]! : this.maxFree[this.root]!;
  }

  /** Bytes between an entry and the next; of the header, those in front of the first entry. */
  gapBehind(entry: EntryIndex): Bytes {
    return this.start[this.next[entry]!]! - this.end[entry]!;
  }

  /** vm_map_lookup_entry: the last entry that starts at or below `address`, which becomes the root; HEADER if none does. */
  lookUp(address: Address): EntryIndex {
    const { start, end, root } = this;
    if (root === HEADER || (address >= start[root]! && address < end[root]!)) return root;
    const holder = this.split(address, 0);
    if (holder !== HEADER) this.join(holder);
    else this.join(this.leftCount > 0 ? this.popLeft() : this.popRight());
    return address < start[this.root]! ? HEADER : this.root;
  }

  /** A new entry in the gap behind `before`, which the range must fit; it becomes the root. */
  insert(before: EntryIndex, start: Address, end: Address): EntryIndex {
    this.split(start, 0);
    const gap = this.gapBehind(before);
    const entry = this.create(before, start, end);
    this.join(entry);
    this.countGap(gap, -1);
    this.countGap(start - this.end[before]!, 1);
    this.countGap(this.gapBehind(entry), 1);
    return entry;
  }

  /** Splits off the front of an entry, up to `address`, as a new entry, which becomes the root. */
  cutFront(entry: EntryIndex, address: Address): EntryIndex {
    this.split(this.start[entry]!, 0);
    this.gatherPrevious(entry);
    const front = this.create(this.previous[entry]!, this.start[entry]!, address);
    this.start[entry] = address;
    this.right[entry] = this.assembleRight(this.right[entry]!);
    this.refresh(entry);
    this.right[front] = entry;
    this.join(front);
    return front;
  }

  /** Splits off the back of an entry, from `address` on, as a new entry, which becomes the root. */
  cutBack(entry: EntryIndex, address: Address): EntryIndex {
    this.split(address, 0);
    this.gatherNext(entry);
    const back = this.create(entry, address, this.end[entry]!);
    this.end[entry] = address;
    this.left[entry] = this.assembleLeft(this.left[entry]!);
    this.refresh(entry);
    this.left[back] = entry;
    this.join(back);
    return back;
  }

  /** Removes an entry; its range is a gap now. */
  remove(entry: EntryIndex): void {
    const before = this.previous[entry]!;
    this.countGap(this.gapBehind(before), -1);
    this.countGap(this.gapBehind(entry), -1);
    this.isolate(entry);
    this.unlink(entry);
    this.countGap(this.gapBehind(before), 1);
  }

  /** The entry behind takes over the range of an entry that it touches; returns it. */
  mergeIntoNext(entry: EntryIndex): EntryIndex {
    const after = this.next[entry]!;
    this.isolate(entry);
    this.start[after] = this.start[entry]!;
    this.unlink(entry);
    return after;
  }

  /** Moves the end of an entry up, within the gap behind it. The entry becomes the root. */
  extend(entry: EntryIndex, end: Address): void {
    this.countGap(this.gapBehind(entry), -1);
    this.split(this.start[entry]!, 0);
    this.gatherNext(entry);
    this.end[entry] = end;
    this.join(entry);
    this.countGap(this.gapBehind(entry), 1);
  }

  /**
   * Looks for the lowest address from `start` on with a gap of `length` bytes behind it, and leaves it in `found`. False
   * if there is none, or if `start` is in a gap that is too small in front of the last entry: then the kernel does not
   * look behind that (THEORY.md, the last gap).
   */
  findSpace(start: Address, length: Bytes): boolean {
    const { found } = this;
    const from = Math.max(start, this.end[HEADER]!);
    found[0] = from;
    if (from >= this.start[HEADER]! || length > this.start[HEADER]! - from) return false;
    if (this.root === HEADER) return true;
    const reached = this.split(from, length);
    let gapEnd =
      this.rightCount === 0 ? this.start[HEADER]! : this.start[this.rightSpine[this.rightCount - 1]!]!;
    if (reached !== HEADER) {
      found[0] = this.end[reached]!;
      if (this.right[reached] !== HEADER) gapEnd = found[0];
      this.join(reached);
    } else this.join(this.rightCount > 0 ? this.popRight() : this.popLeft());
    if (length <= gapEnd - found[0]!) return true;
    const upper = this.right[this.root]!;
    if (upper === HEADER || length > this.maxFree[upper]!) return false;
    this.descendToGap(length);
    found[0] = this.end[this.root]!;
    return true;
  }

  /** Compares every link and every largest gap with its definition; answers what is wrong, or '' if nothing is. */
  contradiction(): string {
    const order: EntryIndex[] = [];
    const problem = this.contradictionBelow(this.root, order);
    if (problem !== '') return problem;
    if (order.length !== this.size) return `${order.length} entries in the tree, ${this.size} counted`;
    order.push(HEADER);
    for (let index = 0, before = HEADER; index < order.length; index++) {
      const entry = order[index]!;
      if (this.next[before] !== entry || this.previous[entry] !== before)
        return `wrong list at entry ${entry}`;
      if (this.end[before]! > this.start[entry]!) return `entries ${before} and ${entry} overlap`;
      if (entry !== HEADER && this.start[entry]! >= this.end[entry]!) return `entry ${entry} is empty`;
      before = entry;
    }
    return this.spectrum?.contradiction() ?? '';
  }

  /** The entry in front of the lowest gap of `length` bytes in the right subtree becomes the root, the one behind its child. */
  private descendToGap(length: Bytes): void {
    const { left, right } = this;
    let node = this.root;
    let goesLeft = false;
    do {
      this.steps++;
      if (goesLeft) {
        const lower = left[node]!;
        node = this.stepLeft(node, lower !== HEADER && length <= this.freeOnLeft(lower));
      } else {
        const upper = right[node]!;
        node = this.stepRight(node, upper !== HEADER && length > this.freeOnLeft(upper));
      }
      goesLeft = node !== HEADER && length <= this.freeOnLeft(node);
    } while (node !== HEADER);
    const before = this.popLeft();
    if (this.rightCount > 0) {
      const behind = this.popRight();
      this.right[behind] = this.assembleRight(this.right[behind]!);
      this.refresh(behind);
      right[before] = behind;
    }
    this.join(before);
  }

  /**
   * Takes the tree apart on the way to the entry that holds `address` and returns it, or the root of the subtree at which
   * gaps of `length` bytes are ruled out, or HEADER.
   */
  private split(address: Address, length: Bytes): EntryIndex {
    const { start, end, left, right, maxFree } = this;
    let node = this.root;
    while (node !== HEADER && maxFree[node]! >= length) {
      this.steps++;
      if (address < start[node]!) {
        const lower = left[node]!;
        const goesOn = lower !== HEADER && maxFree[lower]! >= length && address < start[lower]!;
        node = this.stepLeft(node, goesOn);
      } else if (address >= end[node]!) {
        const upper = right[node]!;
        const goesOn = upper !== HEADER && maxFree[upper]! >= length && address >= end[upper]!;
        node = this.stepRight(node, goesOn);
      } else break;
    }
    return node;
  }

  /** Puts `node` on the right spine, below its left child if `rotates`; returns what is left of it. */
  private stepLeft(node: EntryIndex, rotates: boolean): EntryIndex {
    const { left, right } = this;
    let top = node;
    if (rotates) {
      top = left[node]!;
      left[node] = right[top]!;
      this.refresh(node);
      right[top] = node;
    }
    const rest = left[top]!;
    left[top] = HEADER;
    if (this.rightCount === this.rightSpine.length) this.rightSpine = doubled(this.rightSpine, Int32Array);
    this.rightSpine[this.rightCount++] = top;
    return rest;
  }

  /** The mirror image of `stepLeft`. */
  private stepRight(node: EntryIndex, rotates: boolean): EntryIndex {
    const { left, right } = this;
    let top = node;
    if (rotates) {
      top = right[node]!;
      right[node] = left[top]!;
      this.refresh(node);
      left[top] = node;
    }
    const rest = right[top]!;
    right[top] = HEADER;
    if (this.leftCount === this.leftSpine.length) this.leftSpine = doubled(this.leftSpine, Int32Array);
    this.leftSpine[this.leftCount++] = top;
    return rest;
  }

  /** Moves the left subtree of an entry to the left spine, its last entry on top. */
  private gatherPrevious(entry: EntryIndex): void {
    let node = this.left[entry]!;
    this.left[entry] = HEADER;
    while (node !== HEADER) {
      this.steps++;
      node = this.stepRight(node, this.right[node] !== HEADER);
    }
  }

  /** Moves the right subtree of an entry to the right spine, its first entry on top. */
  private gatherNext(entry: EntryIndex): void {
    let node = this.right[entry]!;
    this.right[entry] = HEADER;
    while (node !== HEADER) {
      this.steps++;
      node = this.stepLeft(node, this.left[node] !== HEADER);
    }
  }

  /** `top` becomes the root, between what it carries and the spines. */
  private join(top: EntryIndex): void {
    this.left[top] = this.assembleLeft(this.left[top]!);
    this.right[top] = this.assembleRight(this.right[top]!);
    this.refresh(top);
    this.root = top;
  }

  /** One tree of the left spine and, rightmost, `innermost`. */
  private assembleLeft(innermost: EntryIndex): EntryIndex {
    let tree = innermost;
    while (this.leftCount > 0) {
      const node = this.popLeft();
      this.right[node] = tree;
      this.refresh(node);
      tree = node;
    }
    return tree;
  }

  private assembleRight(innermost: EntryIndex): EntryIndex {
    let tree = innermost;
    while (this.rightCount > 0) {
      const node = this.popRight();
      this.left[node] = tree;
      this.refresh(node);
      tree = node;
    }
    return tree;
  }

  private popLeft(): EntryIndex {
    return this.leftSpine[--this.leftCount]!;
  }

  private popRight(): EntryIndex {
    return this.rightSpine[--this.rightCount]!;
  }

  private freeOnLeft(node: EntryIndex): Bytes {
    const lower = this.left[node]!;
    return lower !== HEADER ? this.maxFree[lower]! : this.start[node]! - this.end[this.previous[node]!]!;
  }

  private refresh(node: EntryIndex): void {
    const upper = this.right[node]!;
    const before = this.freeOnLeft(node);
    const behind = upper !== HEADER ? this.maxFree[upper]! : this.start[this.next[node]!]! - this.end[node]!;
    this.maxFree[node] = Math.max(before, behind);
  }

  /** Takes the tree apart around an entry, its neighbours on top of the spines. */
  private isolate(entry: EntryIndex): void {
    this.split(this.start[entry]!, 0);
    this.gatherPrevious(entry);
    this.gatherNext(entry);
  }

  /** Forgets an isolated entry; the one in front of it, or else the one behind it, becomes the root. */
  private unlink(entry: EntryIndex): void {
    const before = this.previous[entry]!;
    const after = this.next[entry]!;
    this.next[before] = after;
    this.previous[after] = before;
    this.size--;
    this.next[entry] = this.unused;
    this.unused = entry;
    if (this.leftCount > 0) this.join(this.popLeft());
    else if (this.rightCount > 0) this.join(this.popRight());
    else this.root = HEADER;
  }

  private create(before: EntryIndex, start: Address, end: Address): EntryIndex {
    let entry = this.unused;
    if (entry !== HEADER) this.unused = this.next[entry]!;
    else {
      if (this.rows === this.start.length) this.grow();
      entry = this.rows++;
    }
    const after = this.next[before]!;
    this.start[entry] = start;
    this.end[entry] = end;
    this.left[entry] = HEADER;
    this.right[entry] = HEADER;
    this.next[entry] = after;
    this.previous[entry] = before;
    this.next[before] = entry;
    this.previous[after] = entry;
    this.size++;
    return entry;
  }

  private countGap(bytes: Bytes, change: 1 | -1): void {
    if (this.spectrum === null || bytes === 0) return;
    if (change > 0) this.spectrum.add(bytes);
    else this.spectrum.remove(bytes);
  }

  private grow(): void {
    this.start = doubled(this.start, Float64Array);
    this.end = doubled(this.end, Float64Array);
    this.maxFree = doubled(this.maxFree, Float64Array);
    this.left = doubled(this.left, Int32Array);
    this.right = doubled(this.right, Int32Array);
    this.next = doubled(this.next, Int32Array);
    this.previous = doubled(this.previous, Int32Array);
  }

  /** Appends the subtree to `order`; answers what is wrong with it. The tree may be deep, so there is no recursion. */
  private contradictionBelow(top: EntryIndex, order: EntryIndex[]): string {
    const path: EntryIndex[] = [];
    for (let node = top; node !== HEADER || path.length > 0; ) {
      if (node !== HEADER) {
        path.push(node);
        node = this.left[node]!;
        continue;
      }
      const entry = path.pop()!;
      if (order.push(entry) > this.size) return 'the tree has more entries than were counted';
      const kept = this.maxFree[entry]!;
      this.refresh(entry);
      if (this.maxFree[entry] !== kept) return `entry ${entry} has a wrong largest gap`;
      node = this.right[entry]!;
    }
    return '';
  }
}

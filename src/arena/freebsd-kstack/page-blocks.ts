import { NO_FRAME } from './page-frames.js';

/** Largest block: 2^12 pages, 16 MiB (VM_NFREEORDER - 1). */
export const MAX_ORDER = 12;

const NOT_FREE = -1;

/**
 * Free physical memory as blocks of a power of two of pages, each on the first-in-first-out list of its order.
 * Mirrors vm_phys_alloc_pages, vm_phys_alloc_npages, vm_phys_free_pages and vm_phys_enqueue_contig of one domain with
 * one free list and pool, vm_phys.c [freebsd@f13fa9df05].
 */
export class PageBlocks {
  /** Order of the free block that begins at a frame, or -1. */
  private readonly order: Int8Array;
  private readonly next: Int32Array;
  private readonly previous: Int32Array;
  private readonly head = new Int32Array(MAX_ORDER + 1).fill(NO_FRAME);
  private readonly tail = new Int32Array(MAX_ORDER + 1).fill(NO_FRAME);

  /** All of `frames` page frames are free. */
  constructor(frames: number) {
    this.order = new Int8Array(frames).fill(NOT_FREE);
    this.next = new Int32Array(frames);
    this.previous = new Int32Array(frames);
    this.addRange(0, frames);
  }

  /** Takes a block of 2^order pages from the lowest order that has one; its upper halves stay. NO_FRAME if none has. */
  allocate(order: number): number {
    let from = order;
    while (from <= MAX_ORDER && this.head[from] === NO_FRAME) from++;
    if (from > MAX_ORDER) return NO_FRAME;
    const frame = this.takeHead(from);
    while (from > order) {
      from--;
      this.append(frame + (1 << from), from);
    }
    return frame;
  }

  /** Takes up to `count` single pages, whole blocks of the lowest orders first, into `into`; returns how many. */
  allocateBatch(into: Int32Array, at: number, count: number): number {
    let taken = 0;
    for (let order = 0; order <= MAX_ORDER; order++) {
      while (this.head[order] !== NO_FRAME) {
        const frame = this.takeHead(order);
        const size = 1 << order;
        const needed = Math.min(count - taken, size);
        for (let index = 0; index < needed; index++) into[at + taken + index] = frame + index;
        taken += needed;
        if (needed < size) this.addRange(frame + needed, size - needed);
        if (taken === count) return count;
      }
    }
    return taken;
  }

  /** Frees a block, which joins its buddies as far as they are free. */
  free(frame: number, order: number): void {
    let first = frame;
    let size = order;
    while (size < MAX_ORDER) {
      const buddy = first ^ (1 << size);
      if (this.order[buddy] !== size) break;
      this.unlink(buddy);
      if (buddy < first) first = buddy;
      size++;
    }
    this.append(first, size);
  }

  /** Frees pages that have no free buddy outside of the range: aligned blocks, as large as fit, ascending. */
  addRange(first: number, count: number): void {
    const end = first + count;
    for (let frame = first; frame < end; ) {
      const aligned = frame === 0 ? MAX_ORDER : Math.min(31 - Math.clz32(frame & -frame), MAX_ORDER);
      const order = Math.min(aligned, 31 - Math.clz32(end - frame));
      this.append(frame, order);
      frame += 1 << order;
    }
  }

  /** Calls `visit` for each free block, orders ascending, the next one to be taken first. */
  walk(visit: (order: number, frame: number) => void): void {
    for (let order = 0; order <= MAX_ORDER; order++) {
      for (let frame = this.head[order]!; frame !== NO_FRAME; frame = this.next[frame]!) visit(order, frame);
    }
  }

  private append(frame: number, order: number): void {
    const last = this.tail[order]!;
    this.order[frame] = order;
    this.next[frame] = NO_FRAME;
    this.previous[frame] = last;
    if (last === NO_FRAME) this.head[order] = frame;
    else this.next[last] = frame;
    this.tail[order] = frame;
  }

  private takeHead(order: number): number {
    const frame = this.head[order]!;
    this.unlink(frame);
    return frame;
  }

  private unlink(frame: number): void {
    const order = this.order[frame]!;
    const after = this.next[frame]!;
    const before = this.previous[frame]!;
    if (before === NO_FRAME) this.head[order] = after;
    else this.next[before] = after;
    if (after === NO_FRAME) this.tail[order] = before;
    else this.previous[after] = before;
    this.order[frame] = NOT_FREE;
  }
}

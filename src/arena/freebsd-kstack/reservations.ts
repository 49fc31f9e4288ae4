import { RESERVATION_PAGES } from './abi.js';
import type { PageBlocks } from './page-blocks.js';
import { NO_FRAME, NO_OBJECT, type PageFrames } from './page-frames.js';

const ORDER = Math.log2(RESERVATION_PAGES);
const OFFSET_MASK = RESERVATION_PAGES - 1;
const WORD_BITS = 32;
const WORDS = RESERVATION_PAGES / WORD_BITS;
const NO_RESERVATION = -1;

/**
 * Reservations: 512 aligned page frames, held for one aligned window of 512 indices of an object as soon as one of its
 * pages is wanted. Pages that are not populated count as free, though only this window gets them, until memory is so
 * short that the reservation is broken. Reservation r is the r-th 2 MiB block of memory.
 * Mirrors vm_reserv_alloc_page, vm_reserv_free_page, vm_reserv_populate, vm_reserv_depopulate, vm_reserv_break and
 * vm_reserv_reclaim_inactive, vm_reserv.c [freebsd@f13fa9df05].
 */
export class Reservations {
  /** Clock of the kernel: a reservation moves in the queue of partly populated ones once per tick at most. */
  tick = 0;
  /** Reservations broken so far. */
  broken = 0;
  /** Object of an active reservation, else NO_OBJECT. */
  readonly object: Int32Array;
  /** Lowest index of its window. */
  readonly window: Int32Array;
  /** Populated pages. */
  readonly population: Int32Array;
  private readonly populated: Int32Array;
  private readonly lastTick: Float64Array;
  private readonly isQueued: Uint8Array;
  private readonly next: Int32Array;
  private readonly previous: Int32Array;
  private oldest = NO_RESERVATION;
  private newest = NO_RESERVATION;
  private readonly frames: PageFrames;
  private readonly blocks: PageBlocks;

  constructor(frames: PageFrames, blocks: PageBlocks) {
    const count = Math.ceil(frames.count / RESERVATION_PAGES);
    this.object = new Int32Array(count).fill(NO_OBJECT);
    this.window = new Int32Array(count);
    this.population = new Int32Array(count);
    this.populated = new Int32Array(count * WORDS);
    this.lastTick = new Float64Array(count);
    this.isQueued = new Uint8Array(count);
    this.next = new Int32Array(count);
    this.previous = new Int32Array(count);
    this.frames = frames;
    this.blocks = blocks;
  }

  /**
   * A frame for index `pindex` of an object of `size` pages, whose resident neighbours are `before` and `after`: from the
   * active reservation of its window, or from a new one if nothing resident reaches into the window. Else NO_FRAME.
   */
  allocate(object: number, pindex: number, size: number, before: number, after: number): number {
    const first = pindex & ~OFFSET_MASK;
    const active = this.activeFor(object, first, before, after);
    if (active !== NO_RESERVATION) return this.takeSlot(active, pindex & OFFSET_MASK);
    if (before !== NO_FRAME && this.endOf(object, before) > first) return NO_FRAME;
    if (after !== NO_FRAME && this.startOf(object, after) < first + RESERVATION_PAGES) return NO_FRAME;
    if (first + RESERVATION_PAGES > size) return NO_FRAME;
    const block = this.blocks.allocate(ORDER);
    if (block === NO_FRAME) return NO_FRAME;
    const created = block / RESERVATION_PAGES;
    this.object[created] = object;
    this.window[created] = first;
    return this.takeSlot(created, pindex & OFFSET_MASK);
  }

  /** Takes back a page that belongs to an active reservation; false if it belongs to none. */
  release(frame: number): boolean {
    const reservation = frame >> ORDER;
    if (this.object[reservation] === NO_OBJECT) return false;
    const offset = frame & OFFSET_MASK;
    this.populated[reservation * WORDS + (offset >> 5)]! &= ~(1 << (offset & 31));
    const left = --this.population[reservation]!;
    if (left === 0 || this.tick !== this.lastTick[reservation]) this.requeue(reservation, left > 0);
    if (left === 0) {
      this.object[reservation] = NO_OBJECT;
      this.blocks.free(frame - offset, ORDER);
    }
    return true;
  }

  /** Breaks the reservation that has been queued longest: its unpopulated pages become free memory. False if none is. */
  breakOldest(): boolean {
    const reservation = this.oldest;
    if (reservation === NO_RESERVATION) return false;
    this.unqueue(reservation);
    this.object[reservation] = NO_OBJECT;
    const base = reservation * RESERVATION_PAGES;
    for (let offset = 0; offset < RESERVATION_PAGES; ) {
      const from = offset;
      while (offset < RESERVATION_PAGES && !this.isPopulated(reservation, offset)) offset++;
      if (offset > from) this.blocks.addRange(base + from, offset - from);
      else offset++;
    }
    this.populated.fill(0, reservation * WORDS, (reservation + 1) * WORDS);
    this.population[reservation] = 0;
    this.broken++;
    return true;
  }

  isPopulated(reservation: number, offset: number): boolean {
    return (this.populated[reservation * WORDS + (offset >> 5)]! & (1 << (offset & 31))) !== 0;
  }

  /** The object's reservation of the window, if a resident neighbour lies in it. */
  private activeFor(object: number, first: number, before: number, after: number): number {
    const below = before >> ORDER;
    if (before !== NO_FRAME && this.object[below] === object && this.window[below] === first) return below;
    const above = after >> ORDER;
    if (after !== NO_FRAME && this.object[above] === object && this.window[above] === first) return above;
    return NO_RESERVATION;
  }

  /** First index that a new reservation above the resident page `before` may have. */
  private endOf(object: number, before: number): number {
    const reservation = before >> ORDER;
    if (this.object[reservation] !== object) return this.frames.pindex[before]! + 1;
    return this.window[reservation]! + RESERVATION_PAGES;
  }

  /** First index that a new reservation below the resident page `after` may not have. */
  private startOf(object: number, after: number): number {
    const reservation = after >> ORDER;
    return this.object[reservation] === object ? this.window[reservation]! : this.frames.pindex[after]!;
  }

  private takeSlot(reservation: number, offset: number): number {
    if (this.isPopulated(reservation, offset)) return NO_FRAME;
    this.populated[reservation * WORDS + (offset >> 5)]! |= 1 << (offset & 31);
    const population = ++this.population[reservation]!;
    const isFull = population === RESERVATION_PAGES;
    if (isFull || this.isQueued[reservation] === 0 || this.tick !== this.lastTick[reservation]) {
      this.requeue(reservation, !isFull);
    }
    return reservation * RESERVATION_PAGES + offset;
  }

  /** Moves a reservation to the end of the queue, or off it. */
  private requeue(reservation: number, isPartial: boolean): void {
    this.lastTick[reservation] = this.tick;
    if (this.isQueued[reservation] === 1) this.unqueue(reservation);
    if (!isPartial) return;
    const last = this.newest;
    this.isQueued[reservation] = 1;
    this.next[reservation] = NO_RESERVATION;
    this.previous[reservation] = last;
    if (last === NO_RESERVATION) this.oldest = reservation;
    else this.next[last] = reservation;
    this.newest = reservation;
  }

  private unqueue(reservation: number): void {
    const after = this.next[reservation]!;
    const before = this.previous[reservation]!;
    if (before === NO_RESERVATION) this.oldest = after;
    else this.next[before] = after;
    if (after === NO_RESERVATION) this.newest = before;
    else this.previous[after] = before;
    this.isQueued[reservation] = 0;
  }
}

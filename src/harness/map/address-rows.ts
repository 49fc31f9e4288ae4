import type { Address } from '../../core/address.js';
import type { Bytes } from '../../core/units.js';

/** Rows of a map at most, all windows together. */
export const MOST_ROWS = 512;
/** One object spans at most so many rows: a window with larger ones is made coarser. */
const MOST_SPANNED = MOST_ROWS / 4;
/** Parts of the address space with a scale of their own, at most. */
export const MOST_WINDOWS = 16;
/** Windows begin and end at multiples of this; those that meet become one. */
const WINDOW_UNIT: Bytes = 2 ** 32;
const FINEST: Bytes = 64;

const HASH_BITS = 11;
const TWO_32 = 2 ** 32;

/** A part of the address space with rows of one height. */
interface Window {
  start: Address;
  /** Exclusive. */
  end: Address;
  /** Height of a row: a power of two. */
  granule: Bytes;
  /** 1 / granule, which is exact: a multiplication is several times faster than a division. */
  inverse: number;
  rows: number;
}

/** Told that rows have become others: row r is now `rows[r]`; several may have become one. */
export type RowsChanged = (rows: Int32Array) => void;

/**
 * The address axis of a map: rows of addresses where something ever was, and no others. Rows are pieces of windows,
 * each window with its own power of two as height. When there are too many rows, the window that has most doubles the
 * height of its own, so that a range of many gigabytes does not take the detail from one of some megabytes. All of this
 * follows from the order of the calls alone.
 *
 * Rows are found through a hash table; finding one that exists allocates nothing.
 */
export class AddressRows {
  /** Rows so far; they are numbered from 0 in no particular order. */
  count = 0;
  /** First address of each row. */
  readonly start = new Float64Array(MOST_ROWS);
  private readonly windowOf = new Uint8Array(MOST_ROWS);
  private readonly table = new Int32Array(1 << HASH_BITS).fill(-1);
  private windows: Window[] = [];
  /** The window of the last lookup: most lookups stay in it. */
  private current = 0;
  private readonly renumbered = new Int32Array(MOST_ROWS);

  constructor(private readonly onChange: RowsChanged) {}

  /** Windows in ascending order. */
  get windowList(): readonly Readonly<Window>[] {
    return this.windows;
  }

  /** Window of a row, as an index of `windowList`. */
  windowOfRow(row: number): number {
    return this.windowOf[row]!;
  }

  /** Height of the rows that hold an address that was covered before. */
  granuleOf(row: number): Bytes {
    return this.windows[this.windowOf[row]!]!.granule;
  }

  /**
   * Sees to it that there are rows for a range of addresses: afterwards, and until the next call, `rowAt` finds one for
   * each of them. May change the numbers of all rows.
   */
  cover(start: Address, end: Address): void {
    this.enterWindow(start, end);
    while (!this.fill(start, end)) this.coarsenLargest();
  }

  /** Row of an address, or -1 where nothing was covered. */
  rowAt(address: Address): number {
    const { windows } = this;
    let window = windows[this.current];
    if (window === undefined || address < window.start || address >= window.end) {
      this.current = this.findWindow(address);
      if (this.current < 0) {
        this.current = 0;
        return -1;
      }
      window = windows[this.current]!;
    }
    return this.lookUp(Math.floor(address * window.inverse), window.granule);
  }

  private findWindow(address: Address): number {
    const { windows } = this;
    for (let index = 0; index < windows.length; index++) {
      if (address >= windows[index]!.start && address < windows[index]!.end) return index;
    }
    return -1;
  }

  private lookUp(piece: number, granule: Bytes): number {
    const start = piece * granule;
    for (let slot = hashOf(piece); ; slot = (slot + 1) & (this.table.length - 1)) {
      const row = this.table[slot]!;
      if (row < 0 || this.start[row] === start) return row;
    }
  }

  /** Adds the rows of a range that are missing; false when there is no room for them all. */
  private fill(start: Address, end: Address): boolean {
    const index = this.findWindow(start);
    const window = this.windows[index]!;
    const last = Math.floor((end - 1) * window.inverse);
    for (let piece = Math.floor(start * window.inverse); piece <= last; piece++) {
      if (this.lookUp(piece, window.granule) >= 0) continue;
      if (this.count === MOST_ROWS) return false;
      this.start[this.count] = piece * window.granule;
      this.windowOf[this.count] = index;
      window.rows++;
      this.enterHash(this.count++);
    }
    return true;
  }

  private enterHash(row: number): void {
    const piece = Math.floor(this.start[row]! * this.windows[this.windowOf[row]!]!.inverse);
    let slot = hashOf(piece);
    while (this.table[slot]! >= 0) slot = (slot + 1) & (this.table.length - 1);
    this.table[slot] = row;
  }

  /** Makes a window of a range, or widens and joins those that it meets. */
  private enterWindow(start: Address, end: Address): void {
    const index = this.findWindow(start);
    const holder = this.windows[index];
    const room = MOST_SPANNED - 1;
    if (holder !== undefined && end <= holder.end && (end - start) * holder.inverse <= room) return;
    const window: Window = {
      start: Math.floor(start / WINDOW_UNIT) * WINDOW_UNIT,
      end: Math.ceil(end / WINDOW_UNIT) * WINDOW_UNIT,
      granule: FINEST,
      inverse: 1 / FINEST,
      rows: 0,
    };
    while ((end - start) * window.inverse > room) setGranule(window, window.granule * 2);
    this.rearrange([...this.windows, window]);
  }

  private coarsenLargest(): void {
    const most = Math.max(...this.windows.map(({ rows }) => rows));
    const window = this.windows.find(({ rows }) => rows === most)!;
    setGranule(window, window.granule * 2);
    this.rearrange(this.windows);
  }

  /** Takes other windows: those that meet become one with the greater height, and all rows are entered again. */
  private rearrange(windows: readonly Window[]): void {
    let joined = joinTouching(windows);
    while (joined.length > MOST_WINDOWS) joined = joinTouching(joinNearest(joined));
    this.windows = joined;
    this.current = 0;
    this.renumber();
    this.onChange(this.renumbered);
  }

  private renumber(): void {
    const { count, windows } = this;
    const old = this.start.slice(0, count);
    this.count = 0;
    this.table.fill(-1);
    for (const window of windows) window.rows = 0;
    for (let row = 0; row < count; row++) {
      const index = this.findWindow(old[row]!);
      const window = windows[index]!;
      const piece = Math.floor(old[row]! * window.inverse);
      const known = this.lookUp(piece, window.granule);
      this.renumbered[row] = known >= 0 ? known : this.count;
      if (known >= 0) continue;
      this.start[this.count] = piece * window.granule;
      this.windowOf[this.count] = index;
      window.rows++;
      this.enterHash(this.count++);
    }
  }
}

/** Spreads the number of a piece over the hash table. */
function hashOf(piece: number): number {
  const mixed = Math.imul(piece | 0, 0x9e3779b1) ^ Math.imul((piece / TWO_32) | 0, 0x85ebca6b);
  return (mixed ^ (mixed >>> 15)) >>> (32 - HASH_BITS);
}

/** Rows never reach out of their window. */
function setGranule(window: Window, granule: Bytes): void {
  window.granule = granule;
  window.inverse = 1 / granule;
  window.start = Math.floor(window.start / granule) * granule;
  window.end = Math.ceil(window.end / granule) * granule;
}

/** Joins windows until no two overlap or touch; ascending. */
function joinTouching(windows: readonly Window[]): Window[] {
  const joined: Window[] = [];
  for (const window of [...windows].sort((a, b) => a.start - b.start)) {
    let next = window;
    while (joined.length > 0 && joined.at(-1)!.end >= next.start) next = joinTwo(joined.pop()!, next);
    joined.push(next);
  }
  return joined;
}

function joinNearest(windows: readonly Window[]): Window[] {
  const gap = (index: number): number => windows[index + 1]!.start - windows[index]!.end;
  let nearest = 0;
  for (let index = 1; index + 1 < windows.length; index++) if (gap(index) < gap(nearest)) nearest = index;
  const both = joinTwo(windows[nearest]!, windows[nearest + 1]!);
  return [...windows.slice(0, nearest), both, ...windows.slice(nearest + 2)];
}

function joinTwo(a: Window, b: Window): Window {
  const window = { ...a, start: Math.min(a.start, b.start), end: Math.max(a.end, b.end) };
  setGranule(window, Math.max(a.granule, b.granule));
  return window;
}

import type { Address } from '../../core/address.js';

/** No page: row 0. */
export const NO_PAGE = 0;

/** The three lists that pages of a pool are on; their heads are rows of the table. */
export const PageList = { empty: 1, partial: 2, full: 3 } as const;

const FIRST_PAGE = 4;
const FIRST_CAPACITY = 16;

/**
 * The pages of one pool, a row each: struct of arrays, rows used again. Lists are doubly linked, with insertion at the
 * head; `byAddress` finds the page of an item.
 */
export class PageTable {
  /** Pages in existence. */
  count = 0;
  base = new Float64Array(FIRST_CAPACITY);
  /** Offset of the first item: the page's colour. */
  colour = new Float64Array(FIRST_CAPACITY);
  /** Items with clients. */
  taken = new Int32Array(FIRST_CAPACITY);
  /** Uptime in seconds when the page became empty. */
  idleSince = new Float64Array(FIRST_CAPACITY);
  next = new Int32Array(FIRST_CAPACITY);
  previous = new Int32Array(FIRST_CAPACITY);
  /** A bit per item, set while the item is free; `words` words per page. */
  free: Int32Array;
  private readonly words: number;
  protected readonly items: number;
  private rows = FIRST_PAGE;
  private unused = NO_PAGE;
  private byAddress = new Int32Array(FIRST_CAPACITY);

  constructor(itemsPerPage: number) {
    this.items = itemsPerPage;
    this.words = Math.ceil(itemsPerPage / 32);
    this.free = new Int32Array(FIRST_CAPACITY * this.words);
  }

  /** A page with all items free, on no list. */
  create(base: Address, colour: number, now: number): number {
    const page = this.takeRow();
    this.base[page] = base;
    this.colour[page] = colour;
    this.taken[page] = 0;
    this.idleSince[page] = now;
    const first = page * this.words;
    for (let word = 0; word < this.words; word++) {
      const rest = this.items - word * 32;
      this.free[first + word] = rest >= 32 ? -1 : (1 << rest) - 1;
    }
    const place = this.placeOf(base);
    this.byAddress.copyWithin(place + 1, place, this.count);
    this.byAddress[place] = page;
    this.count++;
    return page;
  }

  /** `page` must be on no list. */
  destroy(page: number): void {
    const place = this.placeOf(this.base[page]!) - 1;
    this.byAddress.copyWithin(place, place + 1, this.count);
    this.count--;
    this.next[page] = this.unused;
    this.unused = page;
  }

  /** The page with the highest base at or below `address`, or NO_PAGE. */
  find(address: Address): number {
    const place = this.placeOf(address);
    return place === 0 ? NO_PAGE : this.byAddress[place - 1]!;
  }

  first(list: number): number {
    return this.next[list]!;
  }

  insert(page: number, list: number): void {
    const after = this.next[list]!;
    this.next[page] = after;
    this.previous[page] = list;
    this.next[list] = page;
    if (after !== NO_PAGE) this.previous[after] = page;
  }

  remove(page: number): void {
    const before = this.previous[page]!;
    const after = this.next[page]!;
    this.next[before] = after;
    if (after !== NO_PAGE) this.previous[after] = before;
  }

  /** Takes the lowest free item of a page that has one, and returns its number. */
  takeItem(page: number): number {
    let word = page * this.words;
    while (this.free[word] === 0) word++;
    const bits = this.free[word]!;
    const item = (word - page * this.words) * 32 + 31 - Math.clz32(bits & -bits);
    this.unmark(page, item);
    return item;
  }

  isFree(page: number, item: number): boolean {
    return (this.free[page * this.words + (item >> 5)]! & (1 << (item & 31))) !== 0;
  }

  putBack(page: number, item: number): void {
    const word = page * this.words + (item >> 5);
    this.free[word] = this.free[word]! | (1 << (item & 31));
    this.taken[page] = this.taken[page]! - 1;
  }

  /** Marks an item as taken. */
  unmark(page: number, item: number): void {
    const word = page * this.words + (item >> 5);
    this.free[word] = this.free[word]! & ~(1 << (item & 31));
    this.taken[page] = this.taken[page]! + 1;
  }

  /** Number of pages whose base is at most `address`. */
  private placeOf(address: Address): number {
    let low = 0;
    let high = this.count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.base[this.byAddress[middle]!]! <= address) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  private takeRow(): number {
    const page = this.unused;
    if (page !== NO_PAGE) {
      this.unused = this.next[page]!;
      return page;
    }
    if (this.rows === this.base.length) this.grow();
    return this.rows++;
  }

  private grow(): void {
    const capacity = this.rows * 2;
    this.base = copyInto(new Float64Array(capacity), this.base);
    this.colour = copyInto(new Float64Array(capacity), this.colour);
    this.idleSince = copyInto(new Float64Array(capacity), this.idleSince);
    this.taken = copyInto(new Int32Array(capacity), this.taken);
    this.next = copyInto(new Int32Array(capacity), this.next);
    this.previous = copyInto(new Int32Array(capacity), this.previous);
    this.byAddress = copyInto(new Int32Array(capacity), this.byAddress);
    this.free = copyInto(new Int32Array(capacity * this.words), this.free);
  }
}

function copyInto<T extends Float64Array | Int32Array>(larger: T, column: T): T {
  larger.set(column);
  return larger;
}

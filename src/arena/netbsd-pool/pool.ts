import { type Address, NO_ADDRESS } from '../../core/address.js';
import { MisuseError } from '../../core/errors.js';
import type { LockTable, SimulatedLock } from '../../core/locks.js';
import { ChainedPageTable } from './chained-page-table.js';
import type { PoolGeometry } from './geometry.js';
import { NO_PAGE, PageList, PageTable } from './page-table.js';
import type { ItemSupply, PageSource } from './supplies.js';

/** No item: the pool is exhausted. */
export const NO_ITEM = -1;

/** Seconds that a page must have been empty before it is reclaimed (pool_inactive_time). */
export const INACTIVE_SECONDS = 10;

/** What a pool needs of its surroundings. */
export interface PoolHost {
  /** Seconds since the start. */
  readonly uptime: number;
  readonly locks: LockTable;
}

/**
 * A pool(9): pages are empty, partial or full, each list with its newest first, and an item of the current page is taken:
 * the lowest free one where items must not be touched and bitmaps mark the free ones, else the one that came back last.
 * The current page is the first partial one, or else the first empty one; a page that was full becomes it when an item
 * comes back.
 * Mirrors pool_get, pool_grow, pool_prime_page, pool_put and pool_reclaim, subr_pool.c [netbsd@b7a6451], [netbsd@301a139].
 */
export class Pool {
  readonly name: string;
  readonly geometry: PoolGeometry;
  readonly pages: PageTable;
  readonly lock: SimulatedLock;
  /** Items with clients, or in groups of a cache. */
  itemsOut = 0;
  /** Items taken so far. */
  gets = 0;
  pageAllocs = 0;
  pageFrees = 0;
  fails = 0;
  private readonly source: PageSource;
  private readonly headers: ItemSupply | null;
  private readonly host: PoolHost;
  private current = NO_PAGE;
  private nextColour = 0;

  /** `headers` supplies page headers where they are not in the page. */
  constructor(
    name: string,
    geometry: PoolGeometry,
    source: PageSource,
    headers: ItemSupply | null,
    host: PoolHost,
  ) {
    this.name = name;
    this.geometry = geometry;
    const Table = geometry.headerItems > 0 ? PageTable : ChainedPageTable;
    this.pages = new Table(geometry.itemsPerPage);
    this.source = source;
    this.headers = geometry.headerInPage ? null : headers;
    this.host = host;
    this.lock = host.locks.create('pool');
  }

  /** Takes an item and returns its number, for `addressOf`; NO_ITEM when there is no page to be had. */
  take(): number {
    this.lock.acquire();
    const { pages } = this;
    while (this.current === NO_PAGE) {
      if (!this.grow() && this.current === NO_PAGE) {
        this.fails++;
        return NO_ITEM;
      }
    }
    const page = this.current;
    const { itemsPerPage } = this.geometry;
    if (pages.taken[page] === 0) this.move(page, PageList.partial);
    const item = pages.takeItem(page);
    if (pages.taken[page] === itemsPerPage) {
      this.move(page, PageList.full);
      this.chooseCurrent();
    }
    this.itemsOut++;
    this.gets++;
    return page * itemsPerPage + item;
  }

  addressOf(item: number): Address {
    const { itemsPerPage, itemBytes } = this.geometry;
    const page = Math.floor(item / itemsPerPage);
    return this.pages.base[page]! + this.pages.colour[page]! + (item - page * itemsPerPage) * itemBytes;
  }

  /** @throws MisuseError unless `address` is that of an item that is out. */
  put(address: Address): void {
    this.lock.acquire();
    const { pages } = this;
    const page = pages.find(address);
    const item =
      page === NO_PAGE ? -1 : (address - pages.base[page]! - pages.colour[page]!) / this.geometry.itemBytes;
    const { itemsPerPage } = this.geometry;
    if (!(item >= 0 && item < itemsPerPage && Number.isInteger(item)) || pages.isFree(page, item)) {
      throw new MisuseError('put of what is no item of the pool, or free', { pool: this.name, address });
    }
    const wasFull = pages.taken[page] === itemsPerPage;
    pages.putBack(page, item);
    this.itemsOut--;
    if (pages.taken[page] === 0) {
      this.move(page, PageList.empty);
      pages.idleSince[page] = this.host.uptime;
      this.chooseCurrent();
    } else if (wasFull) {
      this.move(page, PageList.partial);
      this.current = page;
    }
  }

  /**
   * pool_reclaim without the cache's part: gives pages back that have been empty for INACTIVE_SECONDS, or all that are
   * empty if the source is starved, the last found first. Returns their number.
   */
  reclaim(): number {
    this.lock.acquire();
    const { pages } = this;
    const patience = this.source.isStarved === true ? 0 : INACTIVE_SECONDS;
    const idle: number[] = [];
    for (let page = pages.first(PageList.empty); page !== NO_PAGE; page = pages.next[page]!) {
      if (this.host.uptime - pages.idleSince[page]! >= patience) idle.push(page);
    }
    const bases = idle.map((page) => pages.base[page]!);
    for (const page of idle) {
      pages.remove(page);
      pages.destroy(page);
    }
    this.chooseCurrent();
    for (const base of bases.reverse()) {
      this.source.freePage(base);
      this.headers?.give();
      this.pageFrees++;
    }
    return idle.length;
  }

  private grow(): boolean {
    const base = this.source.allocPage();
    // The kernel takes a page at address 0 for a failure and forgets it.
    if (base === NO_ADDRESS || base === 0) return false;
    if (this.headers !== null && !this.headers.take()) {
      this.source.freePage(base);
      return false;
    }
    const { align, maxColour } = this.geometry;
    const page = this.pages.create(base, this.nextColour, this.host.uptime);
    this.nextColour += align;
    if (this.nextColour > maxColour) this.nextColour = 0;
    this.pages.insert(page, PageList.empty);
    if (this.current === NO_PAGE) this.current = page;
    this.pageAllocs++;
    return true;
  }

  private move(page: number, list: number): void {
    this.pages.remove(page);
    this.pages.insert(page, list);
  }

  private chooseCurrent(): void {
    const partial = this.pages.first(PageList.partial);
    this.current = partial === NO_PAGE ? this.pages.first(PageList.empty) : partial;
  }
}

import { type Address, NO_ADDRESS } from '../../core/address.js';
import { InvariantError } from '../../core/errors.js';
import type { PoolGeometry } from './geometry.js';
import type { ItemSupply, PageSource } from './supplies.js';

/**
 * A pool whose items nobody sees, such as that of boundary tags: only the number of its items and pages matters. That is
 * exact while no page is given back, for any page with a free item serves as well as another.
 * Mirrors pool_get, pool_grow and pool_put, subr_pool.c [netbsd@b7a6451], without pool_reclaim.
 */
export class CountedPool implements ItemSupply {
  readonly name: string;
  readonly geometry: PoolGeometry;
  /** Items with clients. */
  items = 0;
  /** Items taken so far. */
  gets = 0;
  pages = 0;
  fails = 0;
  private readonly source: PageSource;
  /** Supplies the headers that are not in the page. */
  private readonly headers: ItemSupply | null;
  private room = 0;

  constructor(name: string, geometry: PoolGeometry, source: PageSource, headers: ItemSupply | null) {
    this.name = name;
    this.geometry = geometry;
    this.source = source;
    this.headers = geometry.headerInPage ? null : headers;
  }

  take(): boolean {
    while (this.items === this.room) {
      // A page may have come meanwhile although this one's structures could not be had.
      if (!this.grow() && this.items === this.room) {
        this.fails++;
        return false;
      }
    }
    this.items++;
    this.gets++;
    return true;
  }

  give(): void {
    if (this.items === 0) throw new InvariantError(`pool ${this.name}: an item more given than taken`);
    this.items--;
  }

  private grow(): boolean {
    const base: Address = this.source.allocPage();
    if (base === NO_ADDRESS) return false;
    if (this.headers !== null && !this.headers.take()) {
      this.source.freePage(base);
      return false;
    }
    this.pages++;
    this.room += this.geometry.itemsPerPage;
    return true;
  }
}

import type { Address } from '../../core/address.js';
import { doubled } from '../avl-tree.js';
import { PageTable } from './page-table.js';

/**
 * Pages whose free items are chained through the items themselves: the item that came back last is taken first, and a
 * new page hands out its items from the highest down.
 * Mirrors pool_prime_page, pool_get and pool_put, subr_pool.c [netbsd@301a139], without PR_NOTOUCH.
 */
export class ChainedPageTable extends PageTable {
  private firstFree: Int32Array = new Int32Array(16);
  /** The free item behind each free item, row of the page by row. */
  private nextFree: Int32Array;

  constructor(itemsPerPage: number) {
    super(itemsPerPage);
    this.nextFree = new Int32Array(16 * itemsPerPage);
  }

  override create(base: Address, colour: number, now: number): number {
    const page = super.create(base, colour, now);
    while (page >= this.firstFree.length) {
      this.firstFree = doubled(this.firstFree, Int32Array);
      this.nextFree = doubled(this.nextFree, Int32Array);
    }
    const first = page * this.items;
    for (let item = 0; item < this.items; item++) this.nextFree[first + item] = item - 1;
    this.firstFree[page] = this.items - 1;
    return page;
  }

  override takeItem(page: number): number {
    const item = this.firstFree[page]!;
    this.firstFree[page] = this.nextFree[page * this.items + item]!;
    this.unmark(page, item);
    return item;
  }

  override putBack(page: number, item: number): void {
    super.putBack(page, item);
    this.nextFree[page * this.items + item] = this.firstFree[page]!;
    this.firstFree[page] = item;
  }
}

import type { Address } from '../../core/address.js';
import * as abi from './abi.js';
import type { AreaIndex } from './area-record.js';
import * as record from './area-record.js';
import type { RangeTable } from './range-table.js';

const { NIL } = record;
const { PAGE_BYTES } = abi;

/** Areas that are sorted together at first. */
const INITIAL_KEYS = 64;

/**
 * The areas that a decay takes from the pools of one node, which the kernel sorts and joins in a tree of their own before
 * they go back (`decay_va_pool_node`, mm/vmalloc.c [linux-6.12.117]); spec §6.
 */
export class DecayedAreas {
  /** Address and pages less one of each area as one number, for the pages are fewer than the bytes of one. */
  private keys = new Float64Array(INITIAL_KEYS);
  private count = 0;

  add(start: Address, pages: number): void {
    if (this.count === this.keys.length) {
      const { keys } = this;
      this.keys = new Float64Array(2 * keys.length);
      this.keys.set(keys);
    }
    this.keys[this.count++] = start + (pages - 1);
  }

  /** Moves all that is here into records of `ranges`, neighbours joined, which are chained from the lowest; NIL for none. */
  drain(ranges: RangeTable): AreaIndex {
    const keys = this.keys.subarray(0, this.count).sort();
    this.count = 0;
    let chained = NIL;
    let lowest: Address = Number.NaN;
    for (let at = keys.length - 1; at >= 0; at--) {
      const key = keys[at]!;
      const start = Math.floor(key / PAGE_BYTES) * PAGE_BYTES;
      const end = start + (key - start + 1) * PAGE_BYTES;
      if (end === lowest) ranges.setRange(chained, start, ranges.endOf(chained));
      else {
        const range = ranges.take();
        ranges.setRange(range, start, end);
        ranges.chain(range, chained);
        chained = range;
      }
      lowest = start;
    }
    return chained;
  }
}

import { RowStack } from '../arena/row-stack.js';
import type { Address } from '../core/address.js';
import { type Bytes, highBit } from '../core/units.js';

/** The handles of one size class take as many bytes of address space. */
const CLASS_BYTES = 2 ** 47;
const LOWEST_CLASS = 12;

/** Live bytes up to which there is a handle for each region, if none is shorter than 4 KiB. */
export const MOST_HANDLED_BYTES = 2 ** 46;

/**
 * Addresses for regions that have none because they may lie in several places. A region of at most 2^c bytes gets 2^c
 * bytes, aligned so, from the 2^47 of its class: regions above half of that number at most 2^(47−c), so there is always
 * one left. The last handle that was given back is the first to be given out.
 */
export class RegionHandles {
  private readonly spare: RowStack[] = [];
  private readonly regions: number[][] = [];

  constructor() {
    for (let exponent = 0; exponent <= 46; exponent++) {
      this.spare.push(new RowStack());
      this.regions.push([]);
    }
  }

  /** The handle that the next region of this size will get. */
  peek(size: Bytes): Address {
    const exponent = exponentOf(size);
    const spare = this.spare[exponent]!;
    const regions = this.regions[exponent]!;
    const slot = spare.count > 0 ? spare.top() : regions.length;
    return (exponent - LOWEST_CLASS) * CLASS_BYTES + slot * 2 ** exponent;
  }

  /** Gives a region its handle. */
  enter(region: number, size: Bytes): Address {
    const address = this.peek(size);
    const exponent = exponentOf(size);
    const spare = this.spare[exponent]!;
    const regions = this.regions[exponent]!;
    if (spare.count > 0) regions[spare.pop()] = region;
    else regions.push(region);
    return address;
  }

  /** The region of a handle, which is given back; -1 where it is no live one. */
  leave(address: Address, size: Bytes): number {
    const exponent = exponentOf(size);
    const slot = (address - (exponent - LOWEST_CLASS) * CLASS_BYTES) / 2 ** exponent;
    const regions = this.regions[exponent]!;
    const region = regions[slot] ?? -1;
    if (region < 0) return -1;
    regions[slot] = -1;
    this.spare[exponent]!.push(slot);
    return region;
  }
}

/** The least c from 12 up with 2^c ≥ size. */
function exponentOf(size: Bytes): number {
  return Math.max(LOWEST_CLASS, highBit(size - 1));
}

import { type Address, NO_ADDRESS } from '../../core/address.js';
import { type Bytes, roundDown, roundUp } from '../../core/units.js';
import { type AreaIndex, NIL } from './area-record.js';
import type { FreeSpace } from './free-space.js';
import type { RangeTable } from './range-table.js';

/** Areas at fixed distances from one base that is a multiple of `align`: a chunk of the per-CPU allocator. */
export interface CongruentAreas {
  readonly offsets: readonly Bytes[];
  readonly sizes: readonly Bytes[];
  readonly align: Bytes;
}

/** What is looked for, and how far the search has come down. */
interface Descent {
  readonly free: FreeSpace;
  readonly ranges: RangeTable;
  readonly align: Bytes;
  readonly highest: Address;
  /** Free range that the present area is held against. */
  range: AreaIndex;
}

/**
 * Base of the highest place where all areas fit, NO_ADDRESS if there is none. It starts with the highest area at the
 * highest aligned end; whenever an area does not fit, the base moves down and the round starts again with that one
 * (`pcpu_get_vm_areas` [linux-6.12.117]; spec §7).
 */
export function congruentBase(
  free: FreeSpace,
  { offsets, sizes, align }: CongruentAreas,
  start: Address,
  last: Address,
): Address {
  const count = offsets.length;
  const lowest = roundUp(start, align);
  const descent: Descent = { free, ranges: free.ranges, align, highest: roundDown(last, align), range: NIL };
  let area = offsets.indexOf(Math.max(...offsets));
  let firstOfRound = area;
  let end = offsets[area]! + sizes[area]!;
  descent.range = free.rangeAround(descent.highest);
  let base = highestEnd(descent) - end;
  for (;;) {
    if (base < lowest || descent.range === NIL) return NO_ADDRESS;
    const isAbove = base + end > descent.ranges.endOf(descent.range);
    if (isAbove || base + offsets[area]! < descent.ranges.startOf(descent.range)) {
      if (!isAbove) descent.range = free.tree.before(descent.range);
      base = highestEnd(descent) - end;
      firstOfRound = area;
      continue;
    }
    area = (area + count - 1) % count;
    if (area === firstOfRound) return base;
    end = offsets[area]! + sizes[area]!;
    descent.range = free.rangeAround(base + end);
  }
}

/** The highest aligned address that ends something in the present range or one below, which becomes the present one. */
function highestEnd(descent: Descent): Address {
  const { ranges, align, highest, free } = descent;
  for (; descent.range !== NIL; descent.range = free.tree.before(descent.range)) {
    free.visits++;
    const end = Math.min(roundDown(ranges.endOf(descent.range), align), highest);
    if (ranges.startOf(descent.range) < end) return end;
  }
  return 0;
}

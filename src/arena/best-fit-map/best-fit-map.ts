import { NO_ADDRESS } from '../../core/address.js';
import type { ConstraintTable } from '../../core/request.js';
import type { Bytes } from '../../core/units.js';
import { EntryMap, type EntryMapOptions } from '../entry-map/entry-map.js';
import { type EntryIndex, NIL } from '../entry-map/entry-tree.js';
import { SizedEntryTree } from './sized-entry-tree.js';

/**
 * An entry map that places best fit: each request gets the start of the smallest gap that is long enough, of equal
 * gaps that of the lowest. See THEORY.md.
 */
export class BestFitMap extends EntryMap {
  /** @throws MisuseError if the range is empty, not of whole quanta, or does not end at 2^53 or below. */
  constructor(options: EntryMapOptions) {
    super(options, new SizedEntryTree(options.base, options.base + options.size));
  }

  /** The smallest gap in which the constraint can be met; it is met at the lowest address there. */
  protected override findConstrained(size: Bytes, constraints: ConstraintTable, row: number): EntryIndex {
    const { tree } = this;
    let before = tree.findGap(size);
    while (before !== NIL && this.fitBehind(before, size, constraints, row) === NO_ADDRESS) {
      before = tree.nextGap(before, size);
    }
    return before;
  }
}

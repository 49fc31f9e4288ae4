import type { Bytes } from '../../core/units.js';
import type { EntryTree } from '../entry-map/entry-tree.js';
import { RangeFigures } from '../range-arena.js';
import type { RowStack } from '../row-stack.js';
import type { MapEntryFigures } from '../view.js';
import type { EntrySupply } from './entry-supply.js';

/**
 * The figures of a map; see ArenaFigures for what they share with other arenas. `allocTags` are the entries linked in
 * the map. Counters only rise.
 */
export class UvmMapFigures extends RangeFigures implements MapEntryFigures {
  readonly freeTags = 0;
  readonly hashBuckets = 0;
  lookups = 0;
  searches = 0;
  /** Requests that extended the entry before, extended the one after, or joined the two. */
  backMerges = 0;
  forwardMerges = 0;
  bothMerges = 0;
  /** Entries that frees had to make because they cut one in two ("allocate to free"). */
  entriesForSplits = 0;
  /** Entries that frees allocated beforehand and gave back unused. */
  entriesReserved = 0;
  /** Splits on free at which the kernel would have stopped (THEORY.md, D1 and D6). */
  hangs = 0;
  /** Searches that failed at first and made the map's clients give back what they could. */
  drains = 0;

  constructor(
    totalBytes: Bytes,
    private readonly tree: EntryTree,
    private readonly supply: EntrySupply,
    private readonly kept: RowStack,
  ) {
    super(totalBytes);
  }

  get mergedMappings(): number {
    return this.backMerges + this.forwardMerges + this.bothMerges;
  }

  get allocTags(): number {
    return this.tree.size;
  }

  get linkedEntries(): number {
    return this.tree.size;
  }

  /** Entries kept aside by merging: allocated, but not linked. */
  get keptEntries(): number {
    return this.kept.count;
  }

  /** Entries that are free without further memory; for plain maps those of the cache that all of them share. */
  get freeEntries(): number {
    return this.supply.freeEntries;
  }
}

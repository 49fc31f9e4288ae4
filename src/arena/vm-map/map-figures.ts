import type { Bytes } from '../../core/units.js';
import { RangeFigures } from '../range-arena.js';
import type { MapEntryFigures } from '../view.js';
import type { SplayTree } from './splay-tree.js';

/**
 * The figures of a map; see ArenaFigures for what they share with other arenas. `allocTags` are the entries in the map,
 * of which there are fewer than allocations. Counters only rise.
 */
export class VmMapFigures extends RangeFigures implements MapEntryFigures {
  readonly freeTags = 0;
  readonly hashBuckets = 0;
  /** Entries come from a zone of their own, which is not modelled (D1). */
  readonly keptEntries = 0;
  readonly freeEntries = 0;
  readonly entriesReserved = 0;
  readonly hangs = 0;
  /** Nodes that splaying went through, for searches and for everything else. */
  searches = 0;
  entriesForSplits = 0;
  /** Requests that extended an entry, and pairs of entries that became one. */
  extensions = 0;
  joins = 0;

  constructor(
    totalBytes: Bytes,
    private readonly tree: SplayTree,
  ) {
    super(totalBytes);
  }

  get lookups(): number {
    return this.tree.steps - this.searches;
  }

  get allocTags(): number {
    return this.tree.size;
  }

  get mergedMappings(): number {
    return this.extensions;
  }

  get linkedEntries(): number {
    return this.tree.size;
  }
}

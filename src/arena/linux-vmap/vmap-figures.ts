import type { Bytes } from '../../core/units.js';
import { RangeFigures } from '../range-arena.js';
import { PAGE_BYTES } from './abi.js';
import type { AreaIndex } from './area-record.js';
import type { Vmap } from './vmap.js';

/**
 * The figures of the main range; see ArenaFigures. In use is what has left the free tree: areas with clients, waiting
 * for a purge, and in pools. `searches` counts the free ranges that searches look at, `lookups` the areas that all
 * other descents look at: to a place in a tree or to a freed area.
 */
export class VmapFigures extends RangeFigures {
  readonly hashBuckets = 0;
  /** Areas out of the free tree. */
  allocTags = 0;
  /** Sets of waiting areas that passes have taken. */
  nodePurges = 0;

  constructor(
    totalBytes: Bytes,
    private readonly vmap: Vmap,
  ) {
    super(totalBytes);
  }

  get freeTags(): number {
    return 0;
  }

  get searches(): number {
    return this.vmap.free.visits;
  }

  get lookups(): number {
    return this.vmap.free.ranges.steps + this.vmap.nodes.steps;
  }

  /** An area has left the free tree. */
  take(row: AreaIndex): void {
    const { areas } = this.vmap;
    const bytes = areas.pagesOf(row) * PAGE_BYTES;
    const start = areas.startOf(row);
    this.allocTags++;
    this.inUseBytes += bytes;
    this.reach(start, start + bytes);
  }

  /** An area goes back to the free tree. */
  giveBack(row: AreaIndex): void {
    this.allocTags--;
    this.inUseBytes -= this.vmap.areas.pagesOf(row) * PAGE_BYTES;
  }
}

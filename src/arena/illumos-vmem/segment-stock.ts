import type { Address } from '../../core/address.js';
import type { VmemArena } from './arena.js';

/** Spare structures that an arena must have before it begins an operation: 12 in reserve, and 4 that it may need. */
export const MIN_SPARE_SEGMENTS = 16;

/** Segment structures that a new span takes, that cutting the left end off its segment takes, and the worst case. */
const PER_SPAN = 2;
const PER_LEFT_CUT = 1;
const PER_OPERATION_AT_MOST = 4;

/** Where arenas get their structures from, when those are taken from modelled memory themselves. */
export interface ArenaMetadata {
  /** vmem_populate: brings the stock to MIN_SPARE_SEGMENTS. Returns whether the operation may go on. */
  populate(stock: SegmentStock, flags: number): boolean;
  /** Memory for a hash table; NO_ADDRESS when there is none. */
  allocSegmentTable(buckets: number): Address;
  freeSegmentTable(table: Address, buckets: number): void;
}

/**
 * The spare segment structures of one arena (vm_segfree). Only their number matters: each tag of the arena uses up
 * one, and structures of destroyed tags stay with the arena.
 */
export class SegmentStock {
  private readonly arena: VmemArena;
  private readonly metadata: ArenaMetadata;
  private supplied = 0;
  private reserved = 0;

  constructor(arena: VmemArena, metadata: ArenaMetadata) {
    this.arena = arena;
    this.metadata = metadata;
  }

  /** Structures at hand (vm_nsegfree). */
  get spare(): number {
    const { spanTags, freeTags, allocTags } = this.arena;
    return this.supplied - this.reserved - spanTags - freeTags - allocTags;
  }

  add(count: number): void {
    this.supplied += count;
  }

  /** Sees to it that an operation will not run out; false if it must fail. `flags` go to the supply. */
  ensure(flags: number): boolean {
    return this.spare >= MIN_SPARE_SEGMENTS || this.metadata.populate(this, flags);
  }

  /**
   * Sets aside the spares that the arena will need to take a span in and cut the request from it: none for the cut
   * if the span is `exact`. The count must be precise, because an import on behalf of populate lives on the reserve.
   * Returns it, for `release`.
   */
  reserveForImport(exact: boolean, fromItsStart: boolean): number {
    const count = exact ? PER_SPAN : fromItsStart ? PER_SPAN + PER_LEFT_CUT : PER_OPERATION_AT_MOST;
    this.reserved += count;
    return count;
  }

  release(count: number): void {
    this.reserved -= count;
  }
}

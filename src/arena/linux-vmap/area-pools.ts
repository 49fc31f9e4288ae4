import * as abi from './abi.js';
import type { AreaIndex } from './area-record.js';
import * as record from './area-record.js';
import type { AreaTable } from './area-table.js';

const { NEXT, NIL } = record;
const { PAGE_BYTES } = abi;

/** Pools of a node: one for each number of pages from 1 up. */
export const POOLS_PER_NODE = 256;

/** Areas that are no larger may be pooled. */
export const LARGEST_POOLED = POOLS_PER_NODE * PAGE_BYTES;

/** Places in a pool's record: its first and last area, and how many there are. */
const FIRST = 0;
const LAST = 1;
const LENGTH = 2;
const HEAD = 4;

/** A quarter of a pool, rounded down, goes at each decay. */
const DECAY_SHIFT = 2;

/**
 * The pools of all nodes: lists of areas of one size that have been purged but not given back (`struct vmap_pool`,
 * mm/vmalloc.c [linux-6.12.117]); spec §4 and §6. Pool p of node n is number n × 256 + p.
 */
export class AreaPools {
  /** Areas in pools, and their bytes. */
  areasPooled = 0;
  bytesPooled = 0;
  /** Pool locks taken: two for each decay that leaves a rest, one for any other visit. */
  acquisitions = 0;
  /** Pools of all nodes. */
  readonly count: number;
  /** A record for each pool. */
  private readonly heads: Int32Array;

  constructor(
    private readonly areas: AreaTable,
    nodes: number,
  ) {
    this.count = nodes * POOLS_PER_NODE;
    this.heads = new Int32Array(this.count * HEAD);
  }

  /** Takes the first area of a pool if it is aligned; else puts it last and answers NIL. One is tried per request. */
  take(pool: number, align: number): AreaIndex {
    const row = this.heads[pool * HEAD + FIRST]!;
    if (row === NIL) return NIL;
    this.acquisitions++;
    if (this.areas.isAligned(row, align)) {
      this.unlink(pool, row);
      this.uncount(pool, row);
      return row;
    }
    if (row !== this.heads[pool * HEAD + LAST]) {
      this.unlink(pool, row);
      this.append(pool, row);
    }
    return NIL;
  }

  /** Puts an area in front of a pool. */
  put(pool: number, row: AreaIndex): void {
    const { areas, heads } = this;
    const head = pool * HEAD;
    this.acquisitions++;
    const front = heads[head + FIRST]!;
    areas.chain(row, front);
    heads[head + FIRST] = row;
    if (front === NIL) heads[head + LAST] = row;
    heads[head + LENGTH]! += 1;
    this.areasPooled++;
    this.bytesPooled += areas.pagesOf(row) * PAGE_BYTES;
  }

  /**
   * Areas that a decay takes from the front of a pool: all if it is full, else a quarter. Of fewer than four the quarter
   * is none, and the kernel's count-down from there passes zero: then all go as well.
   */
  decaying(pool: number, isFull: boolean): number {
    const length = this.heads[pool * HEAD + LENGTH]!;
    const quarter = length >> DECAY_SHIFT;
    return isFull || quarter === 0 ? length : quarter;
  }

  /** Notes that a decay detached a pool, and attached it again if `leavesRest`. */
  detached(leavesRest: boolean): void {
    this.acquisitions += leavesRest ? 2 : 1;
  }

  /** Takes the first area of a pool that has one. */
  shift(pool: number): AreaIndex {
    const row = this.heads[pool * HEAD + FIRST]!;
    this.unlink(pool, row);
    this.uncount(pool, row);
    return row;
  }

  /** Takes an area out of the middle of a pool, as the kernel never does. */
  withdraw(pool: number, row: AreaIndex): void {
    const { lists } = this.areas;
    let before = NIL;
    for (let at = this.heads[pool * HEAD + FIRST]!; at !== row; at = lists[at + NEXT]!) before = at;
    if (before === NIL) this.unlink(pool, row);
    else {
      lists[before + NEXT] = lists[row + NEXT]!;
      if (this.heads[pool * HEAD + LAST] === row) this.heads[pool * HEAD + LAST] = before;
    }
    this.uncount(pool, row);
  }

  /** The area that a pool gives out next; NIL if it is empty. */
  firstOf(pool: number): AreaIndex {
    return this.heads[pool * HEAD + FIRST]!;
  }

  /** Number of areas in a pool. */
  lengthOf(pool: number): number {
    return this.heads[pool * HEAD + LENGTH]!;
  }

  private uncount(pool: number, row: AreaIndex): void {
    this.heads[pool * HEAD + LENGTH]! -= 1;
    this.areasPooled--;
    this.bytesPooled -= this.areas.pagesOf(row) * PAGE_BYTES;
  }

  /** Takes the first area off its pool's list. */
  private unlink(pool: number, row: AreaIndex): void {
    const after = this.areas.nextOf(row);
    this.heads[pool * HEAD + FIRST] = after;
    if (after === NIL) this.heads[pool * HEAD + LAST] = NIL;
  }

  private append(pool: number, row: AreaIndex): void {
    const { lists } = this.areas;
    const before = this.heads[pool * HEAD + LAST]!;
    lists[row + NEXT] = NIL;
    if (before === NIL) this.heads[pool * HEAD + FIRST] = row;
    else lists[before + NEXT] = row;
    this.heads[pool * HEAD + LAST] = row;
  }
}

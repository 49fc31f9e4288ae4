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

/** Places in a pool's record: its first area comes first; then its last, unless it is empty, and how many there are. */
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

  /** Areas in pools. */
  get areasPooled(): number {
    let sum = 0;
    for (let pool = 0; pool < this.count; pool++) sum += this.lengthOf(pool);
    return sum;
  }

  /** Takes the first area of a pool if it is aligned; else puts it last and answers NIL. One is tried per request. */
  take(pool: number, align: number): AreaIndex {
    const { heads, areas } = this;
    const head = (pool * HEAD) | 0;
    const row = heads[head]!;
    if (row === NIL) return NIL;
    this.acquisitions++;
    if (align > PAGE_BYTES && !areas.isAligned(row, align)) {
      this.moveBack(head, row);
      return NIL;
    }
    const { lists } = areas;
    heads[head] = lists[(row + NEXT) | 0]!;
    heads[(head + LENGTH) | 0]! -= 1;
    return row;
  }

  /** Puts an area in front of a pool. */
  put(pool: number, row: AreaIndex): void {
    const { heads } = this;
    const { lists } = this.areas;
    const head = (pool * HEAD) | 0;
    this.acquisitions++;
    const front = heads[head]!;
    lists[(row + NEXT) | 0] = front;
    heads[head] = row;
    if (front === NIL) heads[(head + LAST) | 0] = row;
    heads[(head + LENGTH) | 0]! += 1;
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
    const row = this.heads[pool * HEAD]!;
    this.heads[pool * HEAD] = this.areas.nextOf(row);
    this.heads[pool * HEAD + LENGTH]! -= 1;
    return row;
  }

  /** Takes an area out of the middle of a pool, as the kernel never does. */
  withdraw(pool: number, row: AreaIndex): void {
    const { lists } = this.areas;
    let before = NIL;
    for (let at = this.firstOf(pool); at !== row; at = lists[at + NEXT]!) before = at;
    if (before === NIL) this.heads[pool * HEAD] = lists[row + NEXT]!;
    else {
      lists[before + NEXT] = lists[row + NEXT]!;
      if (this.heads[pool * HEAD + LAST] === row) this.heads[pool * HEAD + LAST] = before;
    }
    this.heads[pool * HEAD + LENGTH]! -= 1;
  }

  /** The area that a pool gives out next; NIL if it is empty. */
  firstOf(pool: number): AreaIndex {
    return this.heads[pool * HEAD]!;
  }

  /** Number of areas in a pool. */
  lengthOf(pool: number): number {
    return this.heads[pool * HEAD + LENGTH]!;
  }

  /** Moves the first area of a pool to its end. */
  private moveBack(head: number, row: AreaIndex): void {
    const { heads } = this;
    const { lists } = this.areas;
    const last = heads[head + LAST]!;
    if (row === last) return;
    heads[head] = lists[row + NEXT]!;
    lists[last + NEXT] = row;
    lists[row + NEXT] = NIL;
    heads[head + LAST] = row;
  }
}

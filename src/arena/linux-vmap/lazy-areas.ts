import type { Address } from '../../core/address.js';
import type { AreaIndex } from './area-record.js';
import * as record from './area-record.js';
import type { AreaTable } from './area-table.js';
import { AreaTree } from './area-tree.js';

const { CHILD, EARLIEST, NIL, UPPER } = record;

/** Areas that fit into a new log, and that are on a path down a tree. */
const INITIAL_AREAS = 64;
const LONGEST_PATH = 64;

/** Numbers of an area in the log. */
const ENTRY = 2;

/**
 * The freed areas of a node that wait for a purge, in a tree as the kernel keeps them. Nobody needs the tree before a
 * pass, or before somebody looks: until then, areas stand in a log in the order in which they came.
 */
export class LazyAreas {
  private readonly tree: AreaTree;
  /** Area and page of each entry. */
  private log = new Int32Array(INITIAL_AREAS * ENTRY);
  /** Numbers in the log. */
  private logged = 0;
  private readonly path = new Int32Array(LONGEST_PATH);

  constructor(private readonly areas: AreaTable) {
    this.tree = new AreaTree(areas);
  }

  get size(): number {
    return this.tree.size + this.logged / ENTRY;
  }

  /** The tree, with all areas in it. */
  get settled(): AreaTree {
    this.settle();
    return this.tree;
  }

  /** Has all areas in the tree. */
  settle(): void {
    const { tree, log, logged } = this;
    this.logged = 0;
    for (let at = 0; at < logged; at += ENTRY) {
      const row = log[at]!;
      const page = log[at + 1]!;
      if (page === EARLIEST) tree.insert(row);
      else tree.link(row, tree.locatePage(page, tree.root));
    }
  }

  /** Adds an area that starts at a page; EARLIEST if it has none. */
  add(row: AreaIndex, page: number): void {
    const { logged } = this;
    if (logged === this.log.length) this.grow();
    this.log[logged] = row;
    this.log[logged + 1] = page;
    this.logged = logged + ENTRY;
  }

  /** Takes the area at an address out again, and returns it; NIL if none waits there. */
  take(address: Address): AreaIndex {
    const { settled } = this;
    const row = settled.find(address);
    if (row !== NIL) settled.remove(row);
    return row;
  }

  /** Takes all areas out. The first `size` numbers of what is returned are those areas, in address order, until the next `add`. */
  drain(): Int32Array {
    const { tree, path } = this;
    const { words } = this.areas;
    let at = this.settled.root | 0;
    while (this.log.length < tree.size) this.grow();
    const { log } = this;
    let depth = 0;
    let count = 0;
    for (;;) {
      while (at !== NIL) {
        path[depth] = at;
        depth = (depth + 1) | 0;
        at = words[(at + CHILD) | 0]!;
      }
      if (depth === 0) break;
      depth = (depth - 1) | 0;
      at = path[depth]!;
      log[count] = at;
      count = (count + 1) | 0;
      at = words[(at + CHILD + UPPER) | 0]!;
    }
    tree.clear();
    return log;
  }

  private grow(): void {
    const { log } = this;
    this.log = new Int32Array(2 * log.length);
    this.log.set(log);
  }
}

import { type Address, NO_ADDRESS } from '../../core/address.js';
import { MisuseError } from '../../core/errors.js';
import type { LockTable, SimulatedLock } from '../../core/locks.js';
import { type Bytes, highBit, isPowerOfTwo, MIB } from '../../core/units.js';
import * as abi from './abi.js';
import * as pooling from './area-pools.js';
import type { AreaIndex } from './area-record.js';
import * as record from './area-record.js';
import { AreaTable } from './area-table.js';
import { DecayedAreas } from './decayed-areas.js';
import { FreeSpace } from './free-space.js';
import * as zones from './nodes.js';
import { type CongruentAreas, congruentBase } from './per-cpu-areas.js';
import { PooledSizes } from './pooled-sizes.js';
import { VmapFigures } from './vmap-figures.js';

const { EARLIEST, LATEST, NIL, NO_TAG, TAG } = record;
const { PAGE_BYTES } = abi;
const { LARGEST_POOLED, POOLS_PER_NODE } = pooling;
const { LOWEST_KERNEL_ADDRESS } = zones;

/** Row of the window that is the main range: VMALLOC_START to VMALLOC_END. */
export const MAIN_WINDOW = 0;
/** The same; what a module exports is loaded and checked each time, like what it imports (area-record.ts). */
const MAIN = MAIN_WINDOW;

/** The one free range that the kernel starts with. */
const FIRST_FREE = 1;
const END_OF_FREE = 2 ** 53 - 1;

/** Pages that may wait for a purge, per step of the logarithm of the number of CPUs. */
const LAZY_BYTES = 32 * MIB;

/** Pages that may wait for a purge with so many CPUs (`lazy_max_pages`). */
export function lazyMaxFor(cpus: number): number {
  return (highBit(cpus) * LAZY_BYTES) / PAGE_BYTES;
}

/** What a kernel is started with. */
export interface VmapOptions {
  readonly name: string;
  /** First address of the main range, and its last byte: the kernel writes VMALLOC_END so. */
  readonly start: Address;
  readonly last: Address;
  readonly cpus: number;
  /** Nodes, if not as many as the CPUs. With one there are no pools. */
  readonly nodes?: number;
  readonly locks: LockTable;
}

/**
 * The vmap address-space allocator of Linux 6.12: `alloc_vmap_area`, `free_vmap_area_noflush`,
 * `__purge_vmap_area_lazy` and what they call, mm/vmalloc.c [linux-6.12.117]; spec §1 to §7, THEORY.md.
 *
 * Freed areas wait in a node's lazy set until a purge pass puts them into a pool or back into the tree. When a pass is
 * due is the owner's affair: `lazyPages` above `lazyMax` asks for one.
 */
export class Vmap {
  readonly name: string;
  readonly areas: AreaTable;
  readonly free: FreeSpace;
  readonly nodes: zones.AreaNodes;
  readonly pools: pooling.AreaPools;
  readonly sizes: PooledSizes;
  readonly figures: VmapFigures;
  readonly start: Address;
  readonly last: Address;
  /** Pages of freed areas that wait for a purge, and how many may. */
  lazyPages = 0;
  readonly lazyMax: number;
  /** Passes so far, and areas that they have purged. */
  passes = 0;
  areasPurged = 0;
  /** Objects that CPUs hold ready for a cut in the middle of a range. */
  spares = 0;
  private readonly spareOf: Uint8Array;
  private readonly decayed = new DecayedAreas();
  private readonly nodeCount: number;
  private readonly freeLock: SimulatedLock;
  private readonly purgeLock: SimulatedLock;

  /** @throws MisuseError if the main range is not in the kernel half, or not of whole pages. */
  constructor({ name, start, last, cpus, nodes, locks }: VmapOptions) {
    const end = last + 1;
    if (
      !(start >= LOWEST_KERNEL_ADDRESS && end > start && start % PAGE_BYTES === 0 && end % PAGE_BYTES === 0)
    )
      throw new MisuseError('bad main range', { name, start, last });
    this.name = name;
    this.start = start;
    this.last = last;
    this.areas = new AreaTable(start);
    this.figures = new VmapFigures(end - start, this);
    this.free = new FreeSpace(start, start, end, this.figures);
    this.nodes = new zones.AreaNodes(this.areas, nodes ?? zones.nodesFor(cpus));
    this.nodeCount = this.nodes.count;
    this.pools = new pooling.AreaPools(this.areas, this.nodes.count);
    this.sizes = new PooledSizes(name);
    this.lazyMax = lazyMaxFor(cpus);
    this.spareOf = new Uint8Array(cpus);
    this.freeLock = locks.create('free_vmap_area_lock');
    // Each is taken once by what is counted anyway.
    const { figures } = this;
    locks.add('vmap_node busy.lock', {
      get acquisitions() {
        return figures.allocs + figures.frees;
      },
    });
    locks.add('vmap_node lazy.lock', {
      get acquisitions() {
        return figures.frees + figures.nodePurges;
      },
    });
    locks.add('vmap_node pool_lock', this.pools);
    this.purgeLock = locks.create('vmap_purge_lock');
    this.addWindow(start, last);
    const { ranges } = this.free;
    const all = ranges.take();
    ranges.setRange(all, FIRST_FREE, END_OF_FREE);
    this.free.tree.insert(all);
  }

  /** A window [from, to) for requests. @throws MisuseError if it lies below the kernel half, or begins inside a page. */
  addWindow(from: Address, to: Address): number {
    if (!(from >= LOWEST_KERNEL_ADDRESS && from % PAGE_BYTES === 0))
      throw new MisuseError('bad window', { name: this.name, from, to });
    return this.free.addWindow(from, to);
  }

  /**
   * Allocates `size` bytes at a multiple of `align` in a window, for CPU `cpu`, and returns the area; NIL if there is no
   * room even after everything has been reclaimed (EBUSY; the callers of vmalloc see NULL).
   * @throws MisuseError if the size is not of whole pages, or align is no power of two (EINVAL).
   */
  alloc(size: Bytes, align: Bytes, window: number, cpu: number): AreaIndex {
    const pages = (size / PAGE_BYTES) | 0;
    const lowAlign = align | 0;
    // What fits in 32 bits, as nearly all does, is seen to be right at once.
    const isShort = pages > 0 && pages * PAGE_BYTES === size;
    if (!isShort || lowAlign <= 0 || lowAlign !== align || (lowAlign & (lowAlign - 1)) !== 0)
      this.requireRequest(size, align);
    const node = window === MAIN && this.nodeCount > 1 ? cpu % this.nodeCount : -1;
    const pool = node >= 0 && isShort && pages <= POOLS_PER_NODE ? (pages - 1) | 0 : -1;
    let row = pool >= 0 ? this.pools.take((node * POOLS_PER_NODE + pool) | 0, align) : NIL;
    if (row === NIL) {
      row = this.fromTree(size, align, window, cpu, pool);
      if (row === NIL) return NIL;
      this.areas.lists[(row + TAG) | 0] = node + 1;
    } else this.sizes.hits[pool]! += 1;
    this.makeBusy(row);
    return row;
  }

  /** The same, for callers that want the address; NO_ADDRESS if there is no room. */
  allocAddress(size: Bytes, align: Bytes, window: number, cpu: number): Address {
    const row = this.alloc(size, align, window, cpu);
    return row === NIL ? NO_ADDRESS : this.areas.startOf(row);
  }

  /** Address that `alloc` would find without reclaiming anything, NO_ADDRESS for none; nothing is changed. */
  predict(size: Bytes, align: Bytes, window: number, cpu: number): Address {
    const { areas, pools, nodes } = this;
    if (window === MAIN && nodes.count > 1 && size <= LARGEST_POOLED) {
      const first = pools.firstOf((cpu % nodes.count) * POOLS_PER_NODE + size / PAGE_BYTES - 1);
      if (first !== NIL && areas.startOf(first) % align === 0) return areas.startOf(first);
    }
    return this.free.search(size, align, window) === NIL ? NO_ADDRESS : this.free.place;
  }

  /** Frees the area at an address: it waits for a purge. @throws MisuseError if none in use starts there. */
  freeAt(address: Address): void {
    const { areas, nodes } = this;
    const page = areas.wholePageOf(address);
    const home = page === EARLIEST ? this.homeOfFar(address) : nodes.ofPage(page);
    const busy = nodes.busy[home]!;
    const row = page === EARLIEST ? busy.findFar(address) : busy.findPage(page);
    if (row === NIL) throw new MisuseError('no area in use starts here', { name: this.name, address });
    busy.remove(row);
    const pages = areas.pagesOf(row);
    const tag = areas.tagOf(row);
    this.lazyPages += pages;
    nodes.addLazy(tag === NO_TAG ? home : tag - 1, row, page);
    this.figures.frees++;
    if (tag === NO_TAG || pages > POOLS_PER_NODE) {
      this.sizes.otherFrees++;
      this.sizes.otherPages += pages;
      return;
    }
    this.sizes.frees[pages - 1]! += 1;
  }

  /**
   * A purge pass: decays the pools, then puts the waiting areas into pools, those that may be, and the others into the
   * tree. A full pass empties the pools and fills none. Returns how many areas were waiting.
   */
  purge(isFull: boolean): number {
    this.purgeLock.acquire();
    this.passes++;
    this.decay(isFull);
    return this.purgeWaiting(isFull);
  }

  /** The part of a pass that comes after its decay. */
  purgeWaiting(isFull: boolean): number {
    const { nodes } = this;
    const before = this.areasPurged;
    for (let node = 0; node < nodes.count; node++) {
      if (nodes.lazy[node]!.size > 0) this.purgeNode(node, isFull);
    }
    this.lazyPages = 0;
    this.sizes.otherPages = 0;
    return this.areasPurged - before;
  }

  /** Takes a quarter of each pool, or everything, back into the tree; the shrinker takes everything. */
  decay(isFull: boolean): void {
    for (let node = 0; node < this.nodeCount; node++) this.decayNode(node, isFull);
  }

  /**
   * Allocates areas at fixed distances, from the top of the main range downwards, and returns them in order; none if
   * there is no room even after everything has been reclaimed (`pcpu_get_vm_areas`).
   */
  allocCongruent(wanted: CongruentAreas, cpu: number): readonly AreaIndex[] {
    let base = this.findCongruent(wanted);
    if (base === NO_ADDRESS) {
      this.purge(true);
      base = this.findCongruent(wanted);
      if (base === NO_ADDRESS) {
        this.figures.fails++;
        return [];
      }
    }
    const rows = wanted.offsets.map((offset, index) =>
      this.cutAt(this.free.rangeAround(base + offset), base + offset, wanted.sizes[index]!, cpu),
    );
    for (const row of rows) this.makeBusy(row);
    return rows;
  }

  /**
   * Makes an area busy that has been so since before the model began. `tag` is its node plus 1, 0 for none.
   * @throws MisuseError if its range is not free, or not of whole pages.
   */
  seed(address: Address, size: Bytes, tag: number, cpu: number): void {
    const { areas } = this;
    const isWhole = address % PAGE_BYTES === 0 && size % PAGE_BYTES === 0;
    const range = address >= LOWEST_KERNEL_ADDRESS && isWhole ? this.free.rangeAround(address) : NIL;
    if (range === NIL || this.free.ranges.endOf(range) < address + size || tag > this.nodes.count)
      throw new MisuseError('no such free range', { name: this.name, address, size, tag });
    const row = this.cutAt(range, address, size, cpu);
    areas.lists[row + TAG] = tag;
    const pages = size / PAGE_BYTES;
    if (tag !== NO_TAG && pages <= POOLS_PER_NODE) this.sizes.areas[pages - 1]! += 1;
    this.makeBusy(row);
  }

  /** Makes the range of an area free that is in no place, at once and without a lock: no kernel does so. */
  makeFree(row: AreaIndex): void {
    this.free.giveBack(this.toRange(row));
  }

  /** Node of an address that has no page of its own. */
  private homeOfFar(address: Address): number {
    return address >= LOWEST_KERNEL_ADDRESS ? this.nodes.ofAddress(address) : 0;
  }

  /** @throws MisuseError if the size is not of whole pages, or align is no power of two. */
  private requireRequest(size: Bytes, align: Bytes): void {
    if (!(size > 0 && size % PAGE_BYTES === 0 && isPowerOfTwo(align)))
      throw new MisuseError('bad request', { name: this.name, size, align });
  }

  /** An area from the tree, after a full pass if need be, for a request that pool `pool` of any node could have served. */
  private fromTree(size: Bytes, align: Bytes, window: number, cpu: number, pool: number): AreaIndex {
    if (pool >= 0) this.sizes.misses[pool]! += 1;
    let row = this.searched(size, align, window, cpu);
    if (row === NIL) {
      this.purge(true);
      row = this.searched(size, align, window, cpu);
      if (row === NIL) {
        this.figures.fails++;
        return NIL;
      }
    }
    if (pool >= 0) this.sizes.areas[pool]! += 1;
    return row;
  }

  /** An area where the search comes to; NIL if to nothing. */
  private searched(size: Bytes, align: Bytes, window: number, cpu: number): AreaIndex {
    if (this.spareOf[cpu] === 0) {
      this.spareOf[cpu] = 1;
      this.spares++;
    }
    this.freeLock.acquire();
    const range = this.free.search(size, align, window);
    return range === NIL ? NIL : this.cutOut(range, size, cpu);
  }

  /** A new area of `size` bytes from `free.place` on, which are cut out of a free range. */
  private cutOut(range: AreaIndex, size: Bytes, cpu: number): AreaIndex {
    const { areas, free } = this;
    const row = areas.take();
    areas.setRange(row, free.place, free.place + size);
    areas.lists[row + TAG] = NO_TAG;
    const rangesBefore = free.tree.size;
    free.cut(range, size);
    if (free.tree.size > rangesBefore && this.spareOf[cpu] === 1) {
      this.spareOf[cpu] = 0;
      this.spares--;
    }
    this.figures.take(row);
    return row;
  }

  /** The same from `address` on. */
  private cutAt(range: AreaIndex, address: Address, size: Bytes, cpu: number): AreaIndex {
    this.free.place = address;
    return this.cutOut(range, size, cpu);
  }

  private makeBusy(row: AreaIndex): void {
    const { nodes, areas } = this;
    this.figures.allocs++;
    const page = areas.words[row]!;
    if (page === EARLIEST || page === LATEST) nodes.busy[nodes.ofAddress(areas.startOf(row))]!.insert(row);
    else {
      const busy = nodes.busy[nodes.ofPage(page)]!;
      busy.link(row, busy.locatePage(page, busy.root));
    }
  }

  private findCongruent(wanted: CongruentAreas): Address {
    this.freeLock.acquire();
    return congruentBase(this.free, wanted, this.start, this.last);
  }

  private decayNode(node: number, isFull: boolean): void {
    const { pools, decayed, free } = this;
    const firstPool = node * POOLS_PER_NODE;
    for (let pool = firstPool; pool < firstPool + POOLS_PER_NODE; pool++) {
      if (pools.firstOf(pool) === NIL) continue;
      let left = pools.decaying(pool, isFull);
      const size = pool - firstPool;
      this.sizes.areas[size]! -= left;
      this.sizes.withdrawn[size]! += left;
      for (; left > 0; left--) {
        const row = pools.shift(pool);
        decayed.add(this.areas.startOf(row), size + 1);
        this.giveUp(row);
      }
      pools.detached(pools.firstOf(pool) !== NIL);
    }
    this.giveBackList(decayed.drain(free.ranges));
  }

  private purgeNode(node: number, isFull: boolean): void {
    const { areas, pools, free } = this;
    const { ranges } = free;
    const lazy = this.nodes.lazy[node]!;
    const count = lazy.size;
    const waiting = lazy.drain();
    this.figures.nodePurges++;
    this.areasPurged += count;
    let returning = NIL;
    for (let at = 0; at < count; at++) {
      const row = waiting[at]!;
      const pages = areas.pagesOf(row);
      const mayPool = areas.tagOf(row) !== NO_TAG && pages <= POOLS_PER_NODE;
      if (mayPool && !isFull) pools.put(node * POOLS_PER_NODE + pages - 1, row);
      else {
        if (mayPool) {
          this.sizes.areas[pages - 1]! -= 1;
          this.sizes.withdrawn[pages - 1]! += 1;
        }
        const range = this.toRange(row);
        ranges.chain(range, returning);
        returning = range;
      }
    }
    this.giveBackList(returning);
  }

  /** Gives an area up that is in no place; returns a free range in its stead, which is in no place either. */
  private toRange(row: AreaIndex): AreaIndex {
    const { areas, free } = this;
    const range = free.ranges.take();
    free.ranges.setRange(range, areas.startOf(row), areas.endOf(row));
    this.giveUp(row);
    return range;
  }

  private giveUp(row: AreaIndex): void {
    this.figures.giveBack(row);
    this.areas.give(row);
  }

  /** Gives chained ranges back to the tree, under one lock. */
  private giveBackList(first: AreaIndex): void {
    if (first === NIL) return;
    this.freeLock.acquire();
    let row = first;
    while (row !== NIL) {
      const following = this.free.ranges.nextOf(row);
      this.free.giveBack(row);
      row = following;
    }
  }
}

import { type Address, NO_ADDRESS } from '../../core/address.js';
import { MisuseError } from '../../core/errors.js';
import { SimulatedLock } from '../../core/locks.js';
import type { Bytes } from '../../core/units.js';
import { doubled } from '../avl-tree.js';
import { type EntryIndex, EntryTree, HEAD, NIL } from '../entry-map/entry-tree.js';
import { headerBytes } from '../netbsd-pool/geometry.js';
import { RowStack } from '../row-stack.js';
import {
  type ArenaView,
  type CacheFigures,
  type MapEntryFigures,
  TagType,
  type TagVisitor,
} from '../view.js';
import { PAGE_BYTES, type UvmAbi } from './abi.js';
import { checkMap } from './check.js';
import { EntryPages } from './entry-pages.js';
import { type EntrySupply, type MapEntry, NO_ENTRY } from './entry-supply.js';
import { Attribute, MapFlag, MERGE_BITS } from './flags.js';
import { CHUNK_HEADER, type KvaCache } from './kva-cache.js';
import { UvmMapFigures } from './map-figures.js';
import { ReclaimRing } from './reclaim-ring.js';
import { ANYWHERE, SpaceSearch } from './space-search.js';

/** What a map is made of. */
export interface UvmMapOptions {
  readonly name: string;
  /** First address, and the one behind the last; multiples of the page. */
  readonly base: Address;
  readonly limit: Address;
  readonly abi: UvmAbi;
  /** Where a plain map takes its entries; a kernel map cuts them from its own pages. */
  readonly supply?: EntrySupply;
  /** Whether ranges that touch share an entry; true in the kernel. */
  readonly merge?: boolean;
}

/**
 * A kernel map of NetBSD 5.2: `uvm_map`, `uvm_unmap1` and what they call [netbsd@301a139], spec §2. Mapped ranges are
 * entries in address order; a new range extends its neighbours where it can, and a free that cuts an entry needs
 * another. See THEORY.md.
 *
 * A row of `tree` is a place in the map. The entry linked there, whose memory and flags outlive it, is `entryAt`.
 */
export class UvmMap implements ArenaView {
  readonly name: string;
  /** The range of a submap is its own from the start. */
  readonly source = null;
  readonly quantum = PAGE_BYTES;
  readonly base: Address;
  readonly limit: Address;
  readonly tree: EntryTree;
  readonly supply: EntrySupply;
  readonly figures: UvmMapFigures;
  readonly abi: UvmAbi;
  /** Attribute word and entry of each row of the tree. */
  attributes: Int32Array;
  entryAt: Int32Array;
  /** Row behind which the first hole is, or one before it. */
  firstFree: EntryIndex = HEAD;
  /** A search has failed since the last unmap. */
  wantsSpace = false;
  /** Pools whose pages come from the map. */
  readonly caches: CacheFigures[] = [];
  readonly reclaimers = new ReclaimRing();
  /** Taken by every mapping and unmapping, those of pages of entries included. */
  readonly lock = new SimulatedLock();
  /** Single pages in chunks, if the map has them. */
  kvaCache: KvaCache | null = null;
  /** Entries of quantum ranges kept aside by merging: allocated, but not linked. */
  readonly kept = new RowStack();
  private readonly search: SpaceSearch;
  private readonly merges: boolean;
  /** Whether a range that is not quantum has got an entry with the bit of one that was (THEORY.md, D6). */
  private hasStrayBits = false;
  /** Entries unlinked by frees that are under way. */
  private readonly dead = new RowStack();

  /** @throws MisuseError if the range is empty or not of whole pages. */
  constructor({ name, base, limit, abi, supply, merge = true }: UvmMapOptions) {
    if (!(limit > base) || base % PAGE_BYTES !== 0 || limit % PAGE_BYTES !== 0 || limit > 2 ** 53) {
      throw new MisuseError('bad range of a map', { name, base, limit });
    }
    this.name = name;
    this.base = base;
    this.limit = limit;
    this.abi = abi;
    this.merges = merge;
    this.tree = new EntryTree(base, limit);
    this.supply = supply ?? new EntryPages(this, abi.entriesPerPage);
    this.figures = new UvmMapFigures(limit - base, this.tree, this.supply, this.kept);
    this.search = new SpaceSearch(this.tree, base, limit);
    this.attributes = new Int32Array(this.tree.start.length);
    this.entryAt = new Int32Array(this.tree.start.length);
  }

  /**
   * Maps `size` bytes at a multiple of `align` (0: any page) and returns their address; NO_ADDRESS if there is no room
   * or no entry for them. Without hint (ANYWHERE) it is the lowest fit. A hint is tried first, then the lowest fit
   * above it; with MapFlag.fixed the hint alone counts.
   * @throws MisuseError if the size is not of whole pages, or align is no power of two.
   */
  map(size: Bytes, align: Bytes, hint: Address, flags: number, attributes: number): Address {
    this.requirePages(size, align);
    const { supply, figures } = this;
    let entry = NO_ENTRY;
    if (supply.isInKernel || (flags & MapFlag.quantum) !== 0) {
      entry = supply.take();
      if (entry === NO_ENTRY) return this.fail();
      supply.flags[entry]! |= flags & MapFlag.quantum;
      if ((supply.flags[entry]! & ~flags & MapFlag.quantum) !== 0) this.hasStrayBits = true;
    }
    this.lock.acquire();
    const before = this.findSpaceDraining(size, align, hint, flags);
    if (before === NIL) {
      if (entry !== NO_ENTRY) supply.give(entry);
      return this.fail();
    }
    const address = this.search.found[0]!;
    if (!this.enter(before, size, flags, attributes, entry)) return this.fail();
    figures.allocs++;
    return address;
  }

  /**
   * Unmaps [start, start + size), of which parts may be free already. With `isQuantum` it must be what a `quantum`
   * request got; without, two entries are allocated beforehand, as the kernel does, and given back unused.
   * @throws MisuseError if the range is not of whole pages in the map, or a quantum range is not mapped so.
   */
  unmap(start: Address, size: Bytes, isQuantum: boolean): void {
    this.requirePages(size, 0);
    if (start % PAGE_BYTES !== 0 || start < this.base || start + size > this.limit) {
      throw new MisuseError('unmap of a range outside the map', { map: this.name, start, size });
    }
    this.figures.frees++;
    this.lock.acquire();
    if (isQuantum || !this.supply.isInKernel) {
      this.removeRange(start, start + size, isQuantum);
      return;
    }
    const first = this.supply.take();
    const second = first === NO_ENTRY ? NO_ENTRY : this.supply.take();
    const bottom = this.dead.count;
    this.unlinkRange(start, start + size, false);
    if (second !== NO_ENTRY) this.giveReserved(second);
    if (first !== NO_ENTRY) this.giveReserved(first);
    this.buryAbove(bottom);
  }

  /** Places the static entry of the kernel image at the base of the map. */
  enterFirst(entry: MapEntry, size: Bytes): void {
    this.link(HEAD, this.base, this.base + size, entry, Attribute.allAccess);
    this.figures.inUseBytes += size;
    this.figures.reach(this.base, this.base + size);
    if (this.firstFree === HEAD) this.firstFree = this.tree.next[HEAD]!;
  }

  /** Marks the range at `address`, mapped as one entry, as a submap. Costs the kernel two reserved entries. */
  markSubmap(address: Address): void {
    const { supply } = this;
    this.lock.acquire();
    const first = supply.take();
    const second = supply.take();
    const row = this.lookUp(address);
    this.attributes[row]! |= Attribute.submap;
    if (second !== NO_ENTRY) this.giveReserved(second);
    if (first !== NO_ENTRY) this.giveReserved(first);
  }

  /** Address of the page of entries that was mapped last. */
  get pageBase(): Address {
    return this.search.found[0]!;
  }

  mapEntryPage(entry: MapEntry): boolean {
    this.lock.acquire();
    const before = this.findSpaceDraining(PAGE_BYTES, 0, ANYWHERE, MapFlag.noMerge);
    if (before === NIL) return false;
    return this.enter(before, PAGE_BYTES, MapFlag.noMerge, Attribute.allAccess, entry);
  }

  unmapEntryPage(base: Address): void {
    this.lock.acquire();
    this.unlinkRange(base, base + PAGE_BYTES, false);
    // The entry of the page was on the page: there is nothing to give back.
    this.dead.pop();
  }

  /** Row looked up or found last, HEAD for none. */
  get hint(): EntryIndex {
    return this.search.hint;
  }

  get mapEntries(): MapEntryFigures {
    return this.figures;
  }

  /** O(1). */
  largestFree(): Bytes {
    return this.tree.largestGap;
  }

  freeBytes(): Bytes {
    return this.figures.totalBytes - this.figures.inUseBytes;
  }

  /** The map and its entries, linked or kept aside, and the headers of the chunks of its KVA cache. */
  metadataBytes(): Bytes {
    const { abi, kvaCache } = this;
    const headers = (kvaCache?.slabs ?? 0) * headerBytes(CHUNK_HEADER.headerItems, abi);
    return abi.map + (this.tree.size + this.kept.count) * abi.entry + headers;
  }

  /** One span for the whole map, then entries and holes in address order. */
  walk(visit: TagVisitor): void {
    const { start, end, gap, next } = this.tree;
    visit(TagType.span, this.base, this.limit - this.base);
    for (let row = HEAD; row !== NIL; row = next[row]!) {
      if (row !== HEAD) visit(TagType.alloc, start[row]!, end[row]! - start[row]!);
      if (gap[row]! > 0) visit(TagType.free, end[row]!, gap[row]!);
    }
  }

  check(): void {
    checkMap(this);
  }

  /** Whether caches of this map should give back all that they can: `vm_map_starved_p`. */
  get isStarved(): boolean {
    const { totalBytes, inUseBytes } = this.figures;
    return this.wantsSpace || inUseBytes > totalBytes - Math.trunc(totalBytes / 16);
  }

  private lookUp(address: Address): EntryIndex {
    const { tree, figures } = this;
    const stepsBefore = tree.steps;
    const row = this.search.lookUp(address);
    figures.lookups += tree.steps - stepsBefore;
    return row;
  }

  /** Searches; if that fails, asks the clients for what they can spare and searches again for as long as that helps. */
  private findSpaceDraining(size: Bytes, align: Bytes, hint: Address, flags: number): EntryIndex {
    for (;;) {
      const stepsBefore = this.tree.steps;
      const before = this.search.find(size, align, hint, flags);
      this.figures.searches += this.tree.steps - stepsBefore;
      if (before !== NIL) return before;
      this.wantsSpace = true;
      this.figures.drains++;
      this.reclaimers.run(this);
      if (this.wantsSpace) return NIL;
    }
  }

  /**
   * Records [found, found + size) behind the row `before`, in one of its neighbours if they agree with it, else in
   * `entry`, or in a new one if that is NO_ENTRY. Answers whether there was an entry.
   */
  private enter(
    before: EntryIndex,
    size: Bytes,
    flags: number,
    attributes: number,
    entry: MapEntry,
  ): boolean {
    const { tree, figures } = this;
    const start = this.search.found[0]!;
    const end = start + size;
    const after = tree.next[before]!;
    const isGapLeft = size < tree.gap[before]!;
    const mayMerge = this.merges && (flags & MapFlag.noMerge) === 0;
    const isBack = mayMerge && start === tree.end[before]! && this.agrees(before, flags, attributes);
    const isForward = mayMerge && end === tree.start[after]! && this.agrees(after, flags, attributes);
    if (!isBack && !isForward) {
      const own = entry === NO_ENTRY ? this.supply.take() : entry;
      if (own === NO_ENTRY) return false;
      this.supply.flags[own]! |= flags & MERGE_BITS;
      const row = this.link(before, start, end, own, attributes);
      if (this.firstFree === before && start === tree.end[before]!) this.firstFree = row;
    } else if (isBack) {
      this.extendBack(before, after, end, isForward, entry);
    } else {
      tree.moveStart(after, start);
      figures.forwardMerges++;
      this.giveUnused(entry);
    }
    if (isGapLeft) figures.splits++;
    figures.inUseBytes += size;
    figures.reach(start, end);
    return true;
  }

  /** Extends the entry at `before` to `end`, and over the one at `after` if the range touches it too. */
  private extendBack(
    before: EntryIndex,
    after: EntryIndex,
    end: Address,
    joinsAfter: boolean,
    entry: MapEntry,
  ): void {
    const { tree, figures } = this;
    if (!joinsAfter) {
      tree.moveEnd(before, end);
      figures.backMerges++;
      this.giveUnused(entry);
      return;
    }
    const swallowed = this.entryAt[after]!;
    const newEnd = tree.end[after]!;
    tree.remove(after);
    tree.moveEnd(before, newEnd);
    figures.bothMerges++;
    this.giveUnused(entry);
    this.giveUnused(swallowed);
  }

  /** Whether a request may share the entry of a row. */
  private agrees(row: EntryIndex, flags: number, attributes: number): boolean {
    if (row === HEAD || row === NIL || this.attributes[row] !== attributes) return false;
    return ((this.supply.flags[this.entryAt[row]!]! ^ flags) & MERGE_BITS) === 0;
  }

  /** What becomes of an entry that merging made superfluous: quantum ranges own it still. */
  private giveUnused(entry: MapEntry): void {
    if (entry === NO_ENTRY) return;
    if ((this.supply.flags[entry]! & MapFlag.quantum) === 0) {
      this.supply.give(entry);
      return;
    }
    this.kept.push(entry);
  }

  private link(
    before: EntryIndex,
    start: Address,
    end: Address,
    entry: MapEntry,
    attributes: number,
  ): EntryIndex {
    const row = this.tree.insertAfter(before, start, end);
    if (row >= this.entryAt.length) {
      this.entryAt = doubled(this.entryAt, Int32Array);
      this.attributes = doubled(this.attributes, Int32Array);
    }
    this.entryAt[row] = entry;
    this.attributes[row] = attributes;
    return row;
  }

  private giveReserved(entry: MapEntry): void {
    this.figures.entriesReserved++;
    this.supply.give(entry);
  }

  private removeRange(start: Address, end: Address, isQuantum: boolean): void {
    const bottom = this.dead.count;
    this.unlinkRange(start, end, isQuantum);
    this.buryAbove(bottom);
  }

  /** Gives back dead entries, those removed last first. */
  private buryAbove(bottom: number): void {
    while (this.dead.count > bottom) this.supply.give(this.dead.pop());
  }

  /** Takes [start, end) out of the map; entries of which nothing is left go to `dead`. */
  private unlinkRange(start: Address, end: Address, isQuantum: boolean): void {
    const { tree } = this;
    let row = this.lookUp(start);
    const holdsStart = start < tree.end[row]!;
    if (isQuantum && !(holdsStart && end <= tree.end[row]!)) throw this.badQuantum(start, end, row);
    const keepsFront = holdsStart && start > tree.start[row]!;
    const before = holdsStart && !keepsFront ? tree.previous[row]! : row;
    this.search.hint = before;
    if (this.firstFree !== HEAD && tree.start[this.firstFree]! >= start) this.firstFree = before;
    if (keepsFront) row = this.cutBehind(row, start, end);
    else if (!holdsStart) row = tree.next[row]!;
    while (row !== NIL && tree.start[row]! < end) row = this.cutFrom(row, end);
    const hole = tree.end[before]!;
    if (hole < start) this.figures.merges++;
    if (hole + tree.gap[before]! > end) this.figures.merges++;
    this.wantsSpace = false;
  }

  /** Cuts [from, to) out of a row that starts before it. The old entry describes the part that goes. */
  private cutBehind(row: EntryIndex, from: Address, to: Address): EntryIndex {
    const { tree } = this;
    const old = this.entryAt[row]!;
    const oldEnd = tree.end[row]!;
    const front = this.takeForSplit(old, row);
    const back = to < oldEnd ? this.takeForSplit(old, row) : NO_ENTRY;
    tree.moveEnd(row, from);
    this.entryAt[row] = front;
    this.figures.inUseBytes -= Math.min(to, oldEnd) - from;
    this.dead.push(old);
    return back === NO_ENTRY ? tree.next[row]! : this.link(row, to, oldEnd, back, this.attributes[row]!);
  }

  /** Removes a row that starts in the range, or what of it lies before `to`. Returns the row after it. */
  private cutFrom(row: EntryIndex, to: Address): EntryIndex {
    const { tree, figures } = this;
    const old = this.entryAt[row]!;
    const oldEnd = tree.end[row]!;
    const after = tree.next[row]!;
    if (to < oldEnd) {
      const back = this.takeForSplit(old, row);
      this.entryAt[row] = back;
      figures.inUseBytes -= to - tree.start[row]!;
      tree.moveStart(row, to);
    } else {
      figures.inUseBytes -= oldEnd - tree.start[row]!;
      tree.remove(row);
    }
    this.dead.push(old);
    return after;
  }

  /** The entry for one part of one that is split: a kept one if a quantum range is, else a fresh one. */
  private takeForSplit(old: MapEntry, row: EntryIndex): MapEntry {
    const { supply, figures } = this;
    figures.entriesForSplits++;
    if ((supply.flags[old]! & MapFlag.quantum) !== 0) {
      if (this.kept.count > 0) return this.kept.pop();
      if (!this.hasStrayBits) throw this.noEntryForSplit('a quantum entry is split but none is kept', row);
      figures.hangs++;
    } else if (supply.isInKernel && supply.freeEntries === 0) figures.hangs++;
    const entry = supply.take();
    if (entry !== NO_ENTRY) {
      if ((supply.flags[entry]! & MapFlag.quantum) !== 0) this.hasStrayBits = true;
      return entry;
    }
    throw this.noEntryForSplit('no memory for the entry of a split', row);
  }

  private noEntryForSplit(problem: string, row: EntryIndex): MisuseError {
    const { start, end } = this.tree;
    return new MisuseError(problem, { map: this.name, start: start[row]!, end: end[row]! });
  }

  private badQuantum(start: Address, end: Address, row: EntryIndex): MisuseError {
    return new MisuseError('unmap of a quantum range that is not mapped', {
      map: this.name,
      start,
      end,
      entryStart: this.tree.start[row]!,
      entryEnd: this.tree.end[row]!,
    });
  }

  private requirePages(size: Bytes, align: Bytes): void {
    const isPowerOfTwo = align === 0 || (align >= PAGE_BYTES && Number.isInteger(Math.log2(align)));
    if (size > 0 && size % PAGE_BYTES === 0 && isPowerOfTwo) return;
    throw new MisuseError('bad size or alignment of a mapping', { map: this.name, size, align });
  }

  private fail(): Address {
    this.figures.fails++;
    return NO_ADDRESS;
  }
}

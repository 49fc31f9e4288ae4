import { type Address, NO_ADDRESS } from '../../core/address.js';
import { InvariantError, MisuseError } from '../../core/errors.js';
import type { LockTable, SimulatedLock } from '../../core/locks.js';
import { type Bytes, isPowerOfTwo, roundUp } from '../../core/units.js';
import { doubled } from '../avl-tree.js';
import { FreeSpectrum } from '../free-spectrum.js';
import {
  type ArenaView,
  type CacheFigures,
  type MapEntryFigures,
  TagType,
  type TagVisitor,
} from '../view.js';
import { type MapAbi, PAGE_BYTES, SUPERPAGE_BYTES } from './abi.js';
import { entryLines } from './inspect.js';
import { VmMapFigures } from './map-figures.js';
import { type EntryIndex, HEADER, SplayTree } from './splay-tree.js';

/** What a map is made of. */
export interface VmMapOptions {
  readonly name: string;
  /** First address, and the one behind the last; multiples of the page. */
  readonly base: Address;
  readonly limit: Address;
  readonly abi: MapAbi;
  readonly locks: LockTable;
}

/**
 * A kernel map of FreeBSD 13.0 whose entries have no object: kernel_map as it serves address space. Ranges are entries
 * in address order; neighbours of equal attributes become one, so a free may cut an entry and make another.
 * THEORY.md explains it; sizes are bytes, attributes any integer that stands for protection and the like.
 * Mirrors vm_map_find, vm_map_alignspace, vm_map_insert, vm_map_try_merge_entries and vm_map_delete, vm_map.c
 * [freebsd@5cb586b].
 */
export class VmMap implements ArenaView {
  readonly name: string;
  readonly source = null;
  readonly quantum = PAGE_BYTES;
  readonly caches: readonly CacheFigures[] = [];
  readonly base: Address;
  readonly limit: Address;
  readonly tree: SplayTree;
  readonly figures: VmMapFigures;
  /** By entry. */
  attributes = new Int32Array(64);
  private readonly abi: MapAbi;
  private readonly lock: SimulatedLock;

  /** @throws MisuseError if the range is empty or not of whole pages. */
  constructor({ name, base, limit, abi, locks }: VmMapOptions) {
    if (!(limit > base) || base % PAGE_BYTES !== 0 || limit % PAGE_BYTES !== 0 || limit > 2 ** 53) {
      throw new MisuseError('bad range of a map', { name, base, limit });
    }
    this.name = name;
    this.base = base;
    this.limit = limit;
    this.abi = abi;
    this.lock = locks.create('vm_map');
    this.tree = new SplayTree(base, limit);
    this.figures = new VmMapFigures(limit - base, this.tree);
  }

  /**
   * vm_map_find: the lowest fit from `hint` on. With an alignment, a fit is rounded up and searched from again until
   * that changes nothing. 0 stands for none.
   * @throws MisuseError if the size is not of whole pages, or align is no power of two of at least a page.
   */
  find(size: Bytes, align: Bytes, hint: Address, attributes: number): Address {
    if (
      !(size > 0) ||
      size % PAGE_BYTES !== 0 ||
      (align !== 0 && !(isPowerOfTwo(align) && align >= PAGE_BYTES))
    ) {
      throw new MisuseError('bad size or alignment of a mapping', { map: this.name, size, align, hint });
    }
    this.lock.acquire();
    if (!this.search(size, align, hint)) {
      this.figures.fails++;
      return NO_ADDRESS;
    }
    const start = this.tree.found[0]!;
    this.enter(this.tree.lookUp(start), start, size, attributes);
    return start;
  }

  /** vm_map_find with VMFS_SUPER_SPACE: aligned to superpages if it has the length of one. */
  findSuper(size: Bytes, hint: Address, attributes: number): Address {
    return this.find(size, size < SUPERPAGE_BYTES ? 0 : SUPERPAGE_BYTES, hint, attributes);
  }

  /**
   * vm_map_insert: exactly [start, start + size); false if any of it is mapped or outside the map.
   * @throws MisuseError if the range is not of whole pages.
   */
  insert(start: Address, size: Bytes, attributes: number): boolean {
    this.requirePages(start, size);
    this.lock.acquire();
    const { tree } = this;
    if (start >= this.base && start + size <= this.limit) {
      const before = tree.lookUp(start);
      const isFree = before === HEADER || tree.end[before]! <= start;
      if (isFree && tree.start[tree.next[before]!]! >= start + size) {
        this.enter(before, start, size, attributes);
        return true;
      }
    }
    this.figures.fails++;
    return false;
  }

  /**
   * vm_map_delete: unmaps [start, start + size), of which parts may be free already. An entry that only partly lies in it
   * is cut first.
   * @throws MisuseError if the range is not of whole pages of the map.
   */
  remove(start: Address, size: Bytes): void {
    this.requirePages(start, size);
    const end = start + size;
    if (start < this.base || end > this.limit)
      throw new MisuseError('range outside the map', { map: this.name, start, size });
    this.lock.acquire();
    const { tree, figures } = this;
    let entry = tree.lookUp(start);
    if (entry === HEADER || tree.end[entry]! <= start) entry = tree.next[entry]!;
    else if (tree.start[entry]! < start) this.noteCut(tree.cutFront(entry, start), entry);
    while (entry !== HEADER && tree.start[entry]! < end) {
      if (tree.end[entry]! > end) this.noteCut(tree.cutBack(entry, end), entry);
      const after = tree.next[entry]!;
      figures.inUseBytes -= tree.end[entry]! - tree.start[entry]!;
      if (tree.end[tree.previous[entry]!]! < tree.start[entry]!) figures.merges++;
      if (tree.start[after]! > tree.end[entry]!) figures.merges++;
      tree.remove(entry);
      entry = after;
    }
    figures.frees++;
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

  /** The map and its entries. */
  metadataBytes(): Bytes {
    return this.abi.map + this.tree.size * this.abi.entry;
  }

  /** One span for the whole map, then gaps and entries in address order. */
  walk(visit: TagVisitor): void {
    const { tree } = this;
    visit(TagType.span, this.base, this.limit - this.base);
    let entry = HEADER;
    do {
      const gap = tree.gapBehind(entry);
      if (gap > 0) visit(TagType.free, tree.end[entry]!, gap);
      entry = tree.next[entry]!;
      if (entry !== HEADER) visit(TagType.alloc, tree.start[entry]!, tree.end[entry]! - tree.start[entry]!);
    } while (entry !== HEADER);
  }

  walkFree(visit: (size: Bytes) => void): void {
    const { tree } = this;
    let entry = HEADER;
    do {
      const gap = tree.gapBehind(entry);
      if (gap > 0) visit(gap);
      entry = tree.next[entry]!;
    } while (entry !== HEADER);
  }

  freeSpectrum(): FreeSpectrum {
    this.tree.spectrum ??= new FreeSpectrum(this.quantum, this.walkFree.bind(this));
    return this.tree.spectrum;
  }

  /** O(1). */
  extentBytes(): Bytes {
    const { tree } = this;
    return tree.size === 0 ? 0 : tree.end[tree.previous[HEADER]!]! - tree.start[tree.next[HEADER]!]!;
  }

  check(): void {
    const { tree, figures } = this;
    let inUse = 0;
    let problem = tree.contradiction();
    for (let entry = tree.next[HEADER]!; entry !== HEADER && problem === ''; entry = tree.next[entry]!) {
      inUse += tree.end[entry]! - tree.start[entry]!;
      if (this.areAlike(tree.previous[entry]!, entry)) problem = `entry ${entry} is not merged`;
    }
    if (problem === '' && inUse !== figures.inUseBytes)
      problem = `${figures.inUseBytes} bytes in use, counted ${inUse}`;
    if (problem !== '') throw new InvariantError(`map ${this.name}: ${problem}`, entryLines(this));
  }

  /** Searches, and again from each aligned address, until one is free. */
  private search(size: Bytes, align: Bytes, hint: Address): boolean {
    const { tree } = this;
    const stepsBefore = tree.steps;
    let isFound = tree.findSpace(hint, size);
    while (align !== 0 && isFound) {
      const aligned = roundUp(tree.found[0]!, align);
      if (aligned === tree.found[0]) break;
      isFound = tree.findSpace(aligned, size);
      if (aligned === tree.found[0]) break;
    }
    this.figures.searches += tree.steps - stepsBefore;
    return isFound;
  }

  /** Records a range in the gap behind `before`: in that entry if it touches and is alike, else in one of its own. */
  private enter(before: EntryIndex, start: Address, size: Bytes, attributes: number): void {
    const { tree, figures } = this;
    const end = start + size;
    if (end < tree.start[tree.next[before]!]!) figures.splits++;
    let entry = before;
    if (before !== HEADER && tree.end[before] === start && this.attributes[before] === attributes) {
      tree.extend(before, end);
      figures.extensions++;
    } else {
      entry = tree.insert(before, start, end);
      this.setAttributes(entry, attributes);
    }
    const after = tree.next[entry]!;
    if (this.areAlike(entry, after)) {
      tree.mergeIntoNext(entry);
      figures.joins++;
    }
    figures.allocs++;
    figures.inUseBytes += size;
    figures.reach(start, end);
  }

  /** Whether two neighbours may be one entry. The map's header is like none. */
  private areAlike(entry: EntryIndex, after: EntryIndex): boolean {
    if (entry === HEADER || after === HEADER) return false;
    return (
      this.tree.end[entry] === this.tree.start[after] && this.attributes[entry] === this.attributes[after]
    );
  }

  /** A cut made an entry like the one that it is a part of. */
  private noteCut(part: EntryIndex, entry: EntryIndex): void {
    this.setAttributes(part, this.attributes[entry]!);
    this.figures.entriesForSplits++;
  }

  private setAttributes(entry: EntryIndex, attributes: number): void {
    if (entry >= this.attributes.length) this.attributes = doubled(this.attributes, Int32Array);
    this.attributes[entry] = attributes;
  }

  private requirePages(start: Address, size: Bytes): void {
    if (size > 0 && size % PAGE_BYTES === 0 && start % PAGE_BYTES === 0) return;
    throw new MisuseError('range of a map that is not whole pages', { map: this.name, start, size });
  }
}

import type { Address } from '../../core/address.js';
import { highBit } from '../../core/units.js';
import type { FreeSpectrum } from '../free-spectrum.js';
import { FIRST_HEAD, FREE_LISTS, NO_TAG, SENTINEL, Tag, type TagTable } from './tags.js';

/**
 * The free lists of an arena: list n holds free segments of 2^n ≤ size < 2^(n+1), and all lists form one chain,
 * head 0, its members, head 1, its members, … sentinel. Insertion is directly behind the head; nothing is sorted.
 * The free map has bit n set while list n has members; 64 bits in two words.
 * Mirrors illumos vmem_freelist_insert and vmem_freelist_delete, vmem.c [illumos@94ab2e1].
 */
export class FreeLists {
  /** Bits 0–31 and 32–63 of the free map. */
  mapLow = 0;
  mapHigh = 0;
  /** Members of all lists. */
  count = 0;
  /** Told of every change, once somebody samples. */
  spectrum: FreeSpectrum | null = null;
  private readonly tags: TagTable;

  constructor(tags: TagTable) {
    this.tags = tags;
  }

  /** Makes `tag` free and the first of its list. */
  insert(tag: number): void {
    const { tags } = this;
    const { kinNext, kinPrevious } = tags;
    const list = highBit(tags.end[tag]! - tags.start[tag]!) - 1;
    const head = FIRST_HEAD + list;
    const next = kinNext[head]!;
    tags.type[tag] = Tag.free;
    kinPrevious[tag] = head;
    kinNext[tag] = next;
    kinPrevious[next] = tag;
    kinNext[head] = tag;
    if (list < 32) this.mapLow |= 1 << list;
    else this.mapHigh |= 1 << (list - 32);
    this.count++;
    if (this.spectrum !== null) this.spectrum.add(this.sizeOf(tag));
  }

  /** Takes a member out; its start and end are still those that it was a member with. */
  remove(tag: number): void {
    if (this.spectrum !== null) this.spectrum.remove(this.sizeOf(tag));
    const { kinNext, kinPrevious, type } = this.tags;
    const next = kinNext[tag]!;
    const previous = kinPrevious[tag]!;
    kinNext[previous] = next;
    kinPrevious[next] = previous;
    this.count--;
    if (type[previous] === Tag.head && type[next] === Tag.head) this.clearBit(previous - FIRST_HEAD);
  }

  /** Lets a member start later; its list stays the same. */
  shorten(tag: number, start: Address): void {
    if (this.spectrum !== null) this.spectrum.remove(this.sizeOf(tag));
    this.tags.start[tag] = start;
    if (this.spectrum !== null) this.spectrum.add(this.sizeOf(tag));
  }

  /** First member of the lowest non-empty list at or above `list`, or NO_TAG. */
  firstFrom(list: number): number {
    let found = list;
    if (list < 32) {
      const low = this.mapLow & (-1 << list);
      if (low !== 0) return this.tags.kinNext[FIRST_HEAD + lowBit(low)]!;
      found = 32;
    } else if (list >= FREE_LISTS) return NO_TAG;
    const high = this.mapHigh & (-1 << (found - 32));
    return high === 0 ? NO_TAG : this.tags.kinNext[FIRST_HEAD + 32 + lowBit(high)]!;
  }

  /** Size of the largest free segment. Walks the highest list: O(its length). */
  largest(): number {
    const list = this.mapHigh !== 0 ? highBit(this.mapHigh >>> 0) + 31 : highBit(this.mapLow >>> 0) - 1;
    if (list < 0) return 0;
    const { kinNext, type, start, end } = this.tags;
    let largest = 0;
    for (let tag = kinNext[FIRST_HEAD + list]!; type[tag] !== Tag.head; tag = kinNext[tag]!) {
      largest = Math.max(largest, end[tag]! - start[tag]!);
    }
    return largest;
  }

  /** Calls `visit` for each member of each list, lists ascending, each from its head. */
  walk(visit: (list: number, tag: number) => void): void {
    const { kinNext, type } = this.tags;
    let list = -1;
    for (let tag = FIRST_HEAD; tag !== SENTINEL; tag = kinNext[tag]!) {
      if (type[tag] === Tag.head) list++;
      else visit(list, tag);
    }
  }

  private sizeOf(tag: number): number {
    return this.tags.end[tag]! - this.tags.start[tag]!;
  }

  private clearBit(list: number): void {
    if (list < 32) this.mapLow &= ~(1 << list);
    else this.mapHigh &= ~(1 << (list - 32));
  }
}

/** Index of the lowest set bit of a word that is not 0. */
function lowBit(word: number): number {
  return 31 - Math.clz32(word & -word);
}

import { type Bytes, highBit } from '../../core/units.js';
import { FIRST_HEAD, FREE_LISTS, NO_TAG, Tag, type TagTable } from './tags.js';

/**
 * The free lists of an arena: list n holds free segments of 2^n to 2^(n+1) - 1 quanta, the last inserted first. The
 * kernel looks at every list; the free map, bit n for list n, only spares us the empty ones.
 * Mirrors bt_insfree, bt_remfree, bt_freehead_tofree and bt_freehead_toalloc, subr_vmem.c [netbsd@b7a6451].
 */
export class FreeLists {
  /** Bits 0–31 and 32–63 of the free map. */
  mapLow = 0;
  mapHigh = 0;
  /** Members of all lists. */
  count = 0;
  private readonly tags: TagTable;
  private readonly perQuantum: number;

  constructor(tags: TagTable, quantum: Bytes) {
    this.tags = tags;
    this.perQuantum = 1 / quantum;
  }

  /** The list for a segment of `size` bytes. */
  listOf(size: Bytes): number {
    return highBit(size * this.perQuantum) - 1;
  }

  /** The lowest list all of whose members have at least `size` bytes, a multiple of the quantum. */
  instantListOf(size: Bytes): number {
    return highBit(size * this.perQuantum - 1);
  }

  /** Makes `tag` free and the first of its list. */
  insert(tag: number): void {
    const { tags } = this;
    const { kinNext } = tags;
    const list = this.listOf(tags.size[tag]!);
    const head = FIRST_HEAD + list;
    const after = kinNext[head]!;
    tags.type[tag] = Tag.free;
    kinNext[tag] = after;
    tags.kinPrevious[tag] = head;
    kinNext[head] = tag;
    if (after !== NO_TAG) tags.kinPrevious[after] = tag;
    else if (list < 32) this.mapLow |= 1 << list;
    else this.mapHigh |= 1 << (list - 32);
    this.count++;
  }

  remove(tag: number): void {
    const { kinNext, kinPrevious } = this.tags;
    const after = kinNext[tag]!;
    const before = kinPrevious[tag]!;
    kinNext[before] = after;
    this.count--;
    if (after !== NO_TAG) kinPrevious[after] = before;
    else if (before < FIRST_HEAD + FREE_LISTS) this.clearBit(before - FIRST_HEAD);
  }

  /** The lowest list at or above `list` that has members, or FREE_LISTS. */
  listFrom(list: number): number {
    if (list < 32) {
      const low = this.mapLow & (-1 << list);
      if (low !== 0) return lowBit(low);
    }
    if (list >= FREE_LISTS) return FREE_LISTS;
    const high = list < 32 ? this.mapHigh : this.mapHigh & (-1 << (list - 32));
    return high === 0 ? FREE_LISTS : 32 + lowBit(high);
  }

  first(list: number): number {
    return this.tags.kinNext[FIRST_HEAD + list]!;
  }

  /** Size of the largest free segment. Walks the highest list: O(its length). */
  largest(): Bytes {
    const list = this.mapHigh !== 0 ? highBit(this.mapHigh >>> 0) + 31 : highBit(this.mapLow >>> 0) - 1;
    if (list < 0) return 0;
    let largest = 0;
    const { kinNext, size } = this.tags;
    for (let tag = this.first(list); tag !== NO_TAG; tag = kinNext[tag]!) {
      largest = Math.max(largest, size[tag]!);
    }
    return largest;
  }

  /** Calls `visit` for each member of each list, lists ascending, each from its head. */
  walk(visit: (list: number, tag: number) => void): void {
    for (let list = this.listFrom(0); list < FREE_LISTS; list = this.listFrom(list + 1)) {
      for (let tag = this.first(list); tag !== NO_TAG; tag = this.tags.kinNext[tag]!) visit(list, tag);
    }
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

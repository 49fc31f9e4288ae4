import { type Bytes, highBit } from '../../core/units.js';
import type { FreeSpectrum } from '../free-spectrum.js';
import { FIRST_HEAD, FREE_LISTS, NO_TAG, Tag, type TagTable } from './tags.js';

/** Up to this many quanta there is a list for each number of quanta. */
const EXACT_QUANTA = 32;

/** List of 2^n to 2^(n+1) - 1 quanta, less n + 1, from 33 quanta on: the list of 33 quanta is that of 32. */
const POWER_OFFSET = 25;

/**
 * The free lists of an arena, the last inserted first. A segment that next fit's cursor enlarges stays on the list of
 * its old size (upstream defect 3, THEORY.md), so a member may be larger than its list says, never smaller. The kernel
 * looks at every list; the free map, bit n for list n, only spares us the empty ones.
 * Mirrors bt_insfree, bt_remfree, bt_freehead_tofree and bt_freehead_toalloc, subr_vmem.c [freebsd@5cb586b].
 */
export class FreeLists {
  /** The free map: 32 lists a word. */
  readonly map = new Int32Array(FREE_LISTS / 32);
  /** Members of all lists. */
  count = 0;
  spectrum: FreeSpectrum | null = null;
  private readonly tags: TagTable;
  private readonly perQuantum: number;

  constructor(tags: TagTable, quantum: Bytes) {
    this.tags = tags;
    this.perQuantum = 1 / quantum;
  }

  /** The list for a segment of `size` bytes. */
  listOf(size: Bytes): number {
    const quanta = size * this.perQuantum;
    return quanta <= EXACT_QUANTA ? quanta - 1 : highBit(quanta) + POWER_OFFSET;
  }

  /** The lowest list all of whose members have at least `size` bytes. */
  sureListOf(size: Bytes): number {
    const quanta = size * this.perQuantum;
    return quanta <= EXACT_QUANTA ? quanta - 1 : highBit(quanta - 1) + POWER_OFFSET + 1;
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
    else this.map[list >> 5]! |= 1 << list;
    this.count++;
    if (this.spectrum !== null) this.spectrum.add(tags.size[tag]!);
  }

  /** Takes a tag off its list; its size must be what it was on insertion, or since `enlarge`. */
  remove(tag: number): void {
    const { kinNext, kinPrevious } = this.tags;
    const after = kinNext[tag]!;
    const before = kinPrevious[tag]!;
    kinNext[before] = after;
    this.count--;
    if (this.spectrum !== null) this.spectrum.remove(this.tags.size[tag]!);
    if (after !== NO_TAG) kinPrevious[after] = before;
    else if (before < FIRST_HEAD + FREE_LISTS) {
      const list = before - FIRST_HEAD;
      this.map[list >> 5]! &= ~(1 << list);
    }
  }

  /** A member grows by the bytes of the free segment behind it without changing its list (upstream defect 3). */
  enlarge(tag: number, absorbed: number): void {
    const { size } = this.tags;
    this.spectrum?.remove(size[tag]!);
    size[tag] = size[tag]! + size[absorbed]!;
    this.spectrum?.add(size[tag]!);
  }

  /** The lowest list at or above `list` that has members, or FREE_LISTS. */
  listFrom(list: number): number {
    let word = list >> 5;
    if (list >= FREE_LISTS) return FREE_LISTS;
    let bits = this.map[word]! & (-1 << list);
    while (bits === 0) {
      if (++word === this.map.length) return FREE_LISTS;
      bits = this.map[word]!;
    }
    return word * 32 + 31 - Math.clz32(bits & -bits);
  }

  first(list: number): number {
    return this.tags.kinNext[FIRST_HEAD + list]!;
  }

  /** Size of the largest free segment. Walks all members: a list's number does not bound them. */
  largest(): Bytes {
    let largest = 0;
    this.walk((_list, tag) => {
      largest = Math.max(largest, this.tags.size[tag]!);
    });
    return largest;
  }

  /** Calls `visit` for each member of each list, lists ascending, each from its head. */
  walk(visit: (list: number, tag: number) => void): void {
    for (let list = this.listFrom(0); list < FREE_LISTS; list = this.listFrom(list + 1)) {
      for (let tag = this.first(list); tag !== NO_TAG; tag = this.tags.kinNext[tag]!) visit(list, tag);
    }
  }
}

import type { Address, AddressSpace } from '../../core/address.js';
import type { WorkCounter } from './arena.js';
import { NO_TAG, type TagTable } from './tags.js';

const TWO_MINUS_32 = 2 ** -32;

const SEED = 5381;
const FACTOR = 257;

/** FACTOR^n modulo 2^32. */
const F1 = FACTOR;
const F2 = Math.imul(F1, FACTOR);
const F3 = Math.imul(F2, FACTOR);
const F4 = Math.imul(F3, FACTOR);
const F5 = Math.imul(F4, FACTOR);
const F6 = Math.imul(F5, FACTOR);
const F7 = Math.imul(F6, FACTOR);
const F8 = Math.imul(F7, FACTOR);
const SEED_PART = Math.imul(SEED, Math.imul(F8, FACTOR));

/**
 * The hash table of an arena's busy tags by start address, newest first in each chain. It begins with one chain and
 * changes only when the 10-second worker runs, so frees take long where that never does: `lookups` counts the steps.
 * Mirrors bt_hashhead, bt_lookupbusy, bt_insbusy, bt_rembusy and vmem_rehash, subr_vmem.c [netbsd@b7a6451].
 */
export class BusyHash {
  /** Members. */
  count = 0;
  /** Elements passed on removal, other than the one sought. */
  lookups = 0;
  private table = new Int32Array(1);
  private readonly tags: TagTable;
  private readonly upperBits: Uint16Array;
  private readonly work: WorkCounter;

  /** `maxChains`: the most that the table may have; the least is one. */
  constructor(
    tags: TagTable,
    space: AddressSpace,
    work: WorkCounter,
    private readonly maxChains: number,
  ) {
    this.tags = tags;
    this.upperBits = space.upperBits;
    this.work = work;
  }

  get chains(): number {
    return this.table.length;
  }

  insert(tag: number): void {
    const chain = this.chainOf(this.tags.start[tag]!);
    this.tags.kinNext[tag] = this.table[chain]!;
    this.table[chain] = tag;
    this.count++;
  }

  /** Takes the tag that starts at `address` out of its chain and returns it, or NO_TAG if there is none. */
  remove(address: Address): number {
    const { kinNext, start } = this.tags;
    const chain = this.chainOf(address);
    let passed = 0;
    let before = NO_TAG;
    let tag = this.table[chain]!;
    while (tag !== NO_TAG && start[tag] !== address) {
      before = tag;
      tag = kinNext[tag]!;
      passed++;
    }
    this.lookups += passed;
    this.work.steps += passed;
    if (tag === NO_TAG) return NO_TAG;
    if (before === NO_TAG) this.table[chain] = kinNext[tag]!;
    else kinNext[before] = kinNext[tag]!;
    this.count--;
    return tag;
  }

  /** The busy tag that starts at `address`, or NO_TAG; counts nothing. */
  find(address: Address): number {
    const { kinNext, start } = this.tags;
    let tag = this.table[this.chainOf(address)]!;
    while (tag !== NO_TAG && start[tag] !== address) tag = kinNext[tag]!;
    return tag;
  }

  /** One look of the worker. */
  rehash(): void {
    const wanted = this.wantedChains;
    if (wanted !== this.table.length) this.resize(wanted);
  }

  /** As many chains as busy tags, if the present number is off by more than a factor of two; else the present number. */
  get wantedChains(): number {
    const wanted = Math.min(Math.max(this.count, 1), this.maxChains);
    const present = this.table.length;
    return wanted > present * 2 || wanted * 2 < present ? wanted : present;
  }

  /** Moves every tag, chain by chain from its head, so that chains come out reversed. */
  private resize(chains: number): void {
    const old = this.table;
    const { kinNext } = this.tags;
    this.table = new Int32Array(chains);
    this.count = 0;
    for (let chain = 0; chain < old.length; chain++) {
      let after: number;
      for (let tag = old[chain]!; tag !== NO_TAG; tag = after) {
        after = kinNext[tag]!;
        this.insert(tag);
      }
    }
  }

  /**
   * hash32_buf of the 64-bit address, modulo the number of chains. Each of eight bytes, the lowest first, is added to
   * 257 times the hash before, and the sum multiplied once more: that is the sum of byte n times 257^(8 - n).
   */
  private chainOf(address: Address): number {
    const chains = this.table.length;
    if (chains === 1) return 0;
    const low = address | 0;
    const slots = (address * TWO_MINUS_32) | 0;
    const high = (this.upperBits[slots >>> 16]! << 16) | (slots & 0xffff);
    const fromLow =
      Math.imul(low & 0xff, F8) +
      Math.imul((low >>> 8) & 0xff, F7) +
      Math.imul((low >>> 16) & 0xff, F6) +
      Math.imul(low >>> 24, F5);
    const fromHigh =
      Math.imul(high & 0xff, F4) +
      Math.imul((high >>> 8) & 0xff, F3) +
      Math.imul((high >>> 16) & 0xff, F2) +
      Math.imul(high >>> 24, F1);
    return ((SEED_PART + fromLow + fromHigh) >>> 0) % chains;
  }
}

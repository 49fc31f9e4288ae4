import type { Address, AddressSpace } from '../../core/address.js';
import { highBit } from '../../core/units.js';
import { NO_TAG, type TagTable } from './tags.js';

/** Chains of a new table, and the least (VMEM_HASHSIZE_MIN); the most (VMEM_HASHSIZE_MAX). */
export const MIN_CHAINS = 16;
export const MAX_CHAINS = 131072;

/** Searches and lookups of all arenas together, kept as they happen: reading it costs the same for any number of arenas. */
export interface WorkCounter {
  steps: number;
}

const TWO_MINUS_32 = 2 ** -32;

const SEED = 5381;
const FACTOR = 33;

/** FACTOR^n modulo 2^32. */
const F1 = FACTOR;
const F2 = Math.imul(F1, FACTOR);
const F3 = Math.imul(F2, FACTOR);
const F4 = Math.imul(F3, FACTOR);
const F5 = Math.imul(F4, FACTOR);
const F6 = Math.imul(F5, FACTOR);
const F7 = Math.imul(F6, FACTOR);
const SEED_PART = Math.imul(SEED, Math.imul(F7, FACTOR));

/**
 * The hash table of an arena's busy tags by start address, newest first in each chain. It begins with 16 chains and
 * changes only when the 10-second task runs, so frees take long where that never does: `lookups` counts the steps.
 * Mirrors bt_hashhead, bt_lookupbusy, bt_insbusy, bt_rembusy and vmem_periodic, subr_vmem.c [freebsd@5cb586b].
 */
export class BusyHash {
  /** Members. */
  count = 0;
  /** Elements passed on removal, other than the one sought. */
  lookups = 0;
  private table = new Int32Array(MIN_CHAINS);
  private readonly tags: TagTable;
  private readonly upperBits: Uint16Array;
  private readonly work: WorkCounter;

  constructor(tags: TagTable, space: AddressSpace, work: WorkCounter) {
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

  /** One look of the task: a power of two above the busy tags, if that is twice the present number or a quarter of it. */
  rehash(): void {
    const wanted = Math.min(Math.max(2 ** highBit(this.count), MIN_CHAINS), MAX_CHAINS);
    const present = this.table.length;
    if (wanted >= present * 2 || wanted * 4 <= present) this.resize(wanted);
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
   * hash32_buf of the 64-bit address, modulo the number of chains: 33 times the hash before plus the next of eight
   * bytes, the lowest first, which is the sum of byte n times 33^(7 - n).
   */
  private chainOf(address: Address): number {
    const low = address | 0;
    const slots = (address * TWO_MINUS_32) | 0;
    const high = (this.upperBits[slots >>> 16]! << 16) | (slots & 0xffff);
    const fromLow =
      Math.imul(low & 0xff, F7) +
      Math.imul((low >>> 8) & 0xff, F6) +
      Math.imul((low >>> 16) & 0xff, F5) +
      Math.imul(low >>> 24, F4);
    const fromHigh =
      Math.imul(high & 0xff, F3) +
      Math.imul((high >>> 8) & 0xff, F2) +
      Math.imul((high >>> 16) & 0xff, F1) +
      (high >>> 24);
    return (SEED_PART + fromLow + fromHigh) & (this.table.length - 1);
  }
}

import { type Address, type AddressSpace, WINDOW_BYTES } from '../../core/address.js';
import { highBit } from '../../core/units.js';
import type { WorkCounter } from './arena.js';
import type { TagTable } from './tags.js';

/** Buckets that an arena has before the first rescale, inside its own structure. */
export const INITIAL_BUCKETS = 16;

const TWO_MINUS_32 = 2 ** -32;

/**
 * The hash table of an arena's allocated segments by start address. Chains run through `kinNext`; insertion is at
 * the chain's head. The table is resized only by `rescale`, so chains grow long between two ticks: that is the
 * kernel's behaviour, and `lookups` counts it.
 * Mirrors illumos vmem_hash_insert, vmem_hash_delete and vmem_hash_rescale, vmem.c [illumos@94ab2e1].
 */
export class SegmentHash {
  /** Elements passed on removal, other than the one sought (kstat lookup). */
  lookups = 0;
  private table = new Int32Array(INITIAL_BUCKETS);
  private shift = highBit(INITIAL_BUCKETS) - 1;
  private readonly tags: TagTable;
  private readonly quantumShift: number;
  private readonly upperBits: Uint16Array;

  constructor(
    tags: TagTable,
    space: AddressSpace,
    quantumShift: number,
    private readonly work: WorkCounter,
  ) {
    this.tags = tags;
    this.quantumShift = quantumShift;
    this.upperBits = space.upperBits;
  }

  get buckets(): number {
    return this.table.length;
  }

  insert(tag: number): void {
    const bucket = this.bucketOf(this.tags.start[tag]!);
    this.tags.kinNext[tag] = this.table[bucket]!;
    this.table[bucket] = tag;
  }

  /** Takes the tag that starts at `address` out of its chain and returns it, or 0 if there is none. */
  remove(address: Address): number {
    const { kinNext, start } = this.tags;
    const bucket = this.bucketOf(address);
    let passed = 0;
    let before = 0;
    let tag = this.table[bucket]!;
    while (tag !== 0 && start[tag] !== address) {
      before = tag;
      tag = kinNext[tag]!;
      passed++;
    }
    this.lookups += passed;
    this.work.steps += passed;
    if (tag === 0) return 0;
    if (before === 0) this.table[bucket] = kinNext[tag]!;
    else kinNext[before] = kinNext[tag]!;
    return tag;
  }

  /** Calls `visit` for each member of each chain, with whether its address belongs into that chain; counts nothing. */
  walk(visit: (tag: number, isAtHome: boolean) => void): void {
    const { kinNext, start } = this.tags;
    for (let bucket = 0; bucket < this.table.length; bucket++) {
      for (let tag = this.table[bucket]!; tag !== 0; tag = kinNext[tag]!) {
        visit(tag, this.bucketOf(start[tag]!) === bucket);
      }
    }
  }

  /** Bucket count that the kernel wants for `live` segments, or the present one if that is near enough. */
  wantedBuckets(live: number): number {
    const wanted = Math.max(INITIAL_BUCKETS, 2 ** (highBit(3 * live + 4) - 2));
    const present = this.table.length;
    return present / 8 <= wanted && wanted <= 2 * present ? present : wanted;
  }

  /** Moves every segment to a table of `buckets`; each chain comes out reversed, as in the kernel. */
  rescale(buckets: number): void {
    const old = this.table;
    const { kinNext } = this.tags;
    this.table = new Int32Array(buckets);
    this.shift = highBit(buckets) - 1;
    for (let bucket = 0; bucket < old.length; bucket++) {
      let next: number;
      for (let tag = old[bucket]!; tag !== 0; tag = next) {
        next = kinNext[tag]!;
        this.insert(tag);
      }
    }
  }

  /**
   * ((a + (a >> k) + (a >> 2k)) >> quantum shift) mod 2^k for a table of 2^k buckets. Only the low quantum shift + k
   * bits of the sum matter, so it is taken modulo 2^32 from two 32-bit halves of the 64-bit address.
   */
  private bucketOf(address: Address): number {
    const low = address | 0;
    const high = (address * TWO_MINUS_32) | 0;
    const k = this.shift;
    if (k + this.quantumShift > 32 || k > 31) return this.wideBucketOf(address);
    const top = (this.upperBits[high >>> 16]! << 16) | (high & 0xffff);
    const once = (low >>> k) | (top << (32 - k));
    const twice = k < 16 ? (low >>> (2 * k)) | (top << (32 - 2 * k)) : top >>> (2 * k - 32);
    return ((low + once + twice) >>> this.quantumShift) & (this.table.length - 1);
  }

  /** The same for quanta and tables so large that 32 bits of the sum do not suffice. */
  private wideBucketOf(address: Address): number {
    const quantum = 2 ** this.quantumShift;
    const modulus = this.table.length * quantum;
    const once = this.shifted(address, this.table.length, modulus);
    const twice = this.shifted(address, this.table.length ** 2, modulus);
    return Math.floor(((this.shifted(address, 1, modulus) + once + twice) % modulus) / quantum);
  }

  /** (64-bit address / divisor) mod modulus, both powers of two; exact for a modulus of at most 2^51. */
  private shifted(address: Address, divisor: number, modulus: number): number {
    const upper = this.upperBits[Math.floor(address / WINDOW_BYTES)]!;
    const fromUpper = Math.floor((upper * WINDOW_BYTES) / divisor) % modulus;
    return (fromUpper + (Math.floor((address % WINDOW_BYTES) / divisor) % modulus)) % modulus;
  }
}

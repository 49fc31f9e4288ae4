import type { Address } from '../core/address.js';
import type { Bytes } from '../core/units.js';
import { doubled, INITIAL_CAPACITY, NIL } from './avl-tree.js';

/** Number of a block: a row of the table's columns, from 1 up; NIL stands for none. */
export type BlockIndex = number;

export const BlockState = { unused: 0, free: 1, alloc: 2 } as const;

/**
 * Blocks of address space with their tags at the side, found by address through a hash table. A block is entered under
 * one address within it: what its owner will ask for. Nothing is allocated but when the columns double.
 */
export class BlockTable {
  start: Float64Array = new Float64Array(INITIAL_CAPACITY);
  size: Float64Array = new Float64Array(INITIAL_CAPACITY);
  /** Bytes asked for, of an allocated block. */
  asked: Float64Array = new Float64Array(INITIAL_CAPACITY);
  state: Int8Array = new Int8Array(INITIAL_CAPACITY);
  /** Blocks visited along hash chains since the table was made. */
  probes = 0;
  count = 0;
  private key: Float64Array = new Float64Array(INITIAL_CAPACITY);
  /** The next block of a hash chain, or of the chain of unused rows. */
  private chain: Int32Array = new Int32Array(INITIAL_CAPACITY);
  private buckets: Int32Array = new Int32Array(INITIAL_CAPACITY);
  private spare: BlockIndex = NIL;
  private rows = 1;

  constructor(private readonly quantum: Bytes) {}

  get hashBuckets(): number {
    return this.buckets.length;
  }

  /** Exclusive bound of the row numbers in use so far. */
  get limit(): BlockIndex {
    return this.rows;
  }

  /** The block that is entered under `address`; NIL if there is none. */
  find(address: Address): BlockIndex {
    const { key, chain } = this;
    let block = this.buckets[this.bucketOf(address)]!;
    let probes = 0;
    for (; block !== NIL; block = chain[block]!) {
      probes++;
      if (key[block] === address) break;
    }
    this.probes += probes;
    return block;
  }

  /** A new free block, entered under its start. */
  add(start: Address, size: Bytes): BlockIndex {
    const block = this.takeRow();
    this.start[block] = start;
    this.size[block] = size;
    this.state[block] = BlockState.free;
    this.count++;
    this.enter(block, start);
    return block;
  }

  /** Forgets a block that is withdrawn; its row is used again. */
  drop(block: BlockIndex): void {
    this.state[block] = BlockState.unused;
    this.chain[block] = this.spare;
    this.spare = block;
    this.count--;
  }

  /** Enters a withdrawn block under an address within it. */
  enter(block: BlockIndex, address: Address): void {
    const bucket = this.bucketOf(address);
    this.key[block] = address;
    this.chain[block] = this.buckets[bucket]!;
    this.buckets[bucket] = block;
  }

  /** Takes a block out of its hash chain. */
  withdraw(block: BlockIndex): void {
    const { chain, buckets } = this;
    const bucket = this.bucketOf(this.key[block]!);
    if (buckets[bucket] === block) {
      buckets[bucket] = chain[block]!;
      return;
    }
    let before = buckets[bucket]!;
    while (chain[before] !== block) before = chain[before]!;
    chain[before] = chain[block]!;
  }

  /** The blocks in address order. Allocates; not for the hot path. */
  inOrder(): BlockIndex[] {
    const blocks: BlockIndex[] = [];
    for (let block = 1; block < this.rows; block++)
      if (this.state[block] !== BlockState.unused) blocks.push(block);
    return blocks.sort((one, other) => this.start[one]! - this.start[other]!);
  }

  /** Whether the blocks tile [base, limit) and each is found under its address; answers what is wrong, or ''. */
  contradiction(base: Address, limit: Address): string {
    const { probes } = this;
    let end = base;
    const blocks = this.inOrder();
    for (const block of blocks) {
      if (this.start[block] !== end) return `block ${block} does not begin where the one before it ends`;
      end += this.size[block]!;
      if (this.find(this.key[block]!) !== block) return `block ${block} is not found under its address`;
    }
    this.probes = probes;
    if (end !== limit) return 'the last block does not end at the limit';
    return blocks.length === this.count ? '' : `${blocks.length} blocks, ${this.count} counted`;
  }

  /** Fibonacci hashing of the number of the quantum. */
  private bucketOf(address: Address): number {
    const number = address / this.quantum;
    const low = number | 0;
    const high = (number / 2 ** 32) | 0;
    return (Math.imul(low ^ Math.imul(high, 0x85ebca6b), 0x9e3779b1) >>> 8) & (this.buckets.length - 1);
  }

  private takeRow(): BlockIndex {
    const row = this.spare;
    if (row !== NIL) {
      this.spare = this.chain[row]!;
      return row;
    }
    if (this.rows === this.start.length) this.grow();
    return this.rows++;
  }

  private grow(): void {
    this.start = doubled(this.start, Float64Array);
    this.size = doubled(this.size, Float64Array);
    this.asked = doubled(this.asked, Float64Array);
    this.key = doubled(this.key, Float64Array);
    this.state = doubled(this.state, Int8Array);
    const entered = this.isEntered();
    this.chain = doubled(this.chain, Int32Array);
    this.buckets = new Int32Array(this.buckets.length * 2);
    for (let block = 1; block < this.rows; block++)
      if (entered[block] === 1) this.enter(block, this.key[block]!);
  }

  /** For each row 1 if the block is in a hash chain: a block may be withdrawn while the table grows. */
  private isEntered(): Int8Array {
    const entered = new Int8Array(this.rows);
    for (const first of this.buckets) {
      for (let block = first; block !== NIL; block = this.chain[block]!) entered[block] = 1;
    }
    return entered;
  }
}

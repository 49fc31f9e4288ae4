import type { Address } from '../../core/address.js';
import type { Bytes } from '../../core/units.js';
import { doubled } from '../avl-tree.js';
import type { CacheFigures } from '../view.js';

/** Free items that the queue has room for at first: a power of two. */
const FIRST_CAPACITY = 64;

/**
 * The items of one size of malloc(9): a queue of free ones, first in first out, so that an item is used again as late as
 * possible. Pages are never given back.
 * Mirrors struct kmembuckets, kern_malloc.c [netbsd@301a139].
 */
export class Bucket implements CacheFigures {
  readonly name: string;
  readonly kind = 'object';
  readonly buffersInMagazines = 0;
  readonly magazines = 0;
  readonly magazineHits = 0;
  slabs = 0;
  allocs = 0;
  frees = 0;
  fails = 0;
  /** A ring; its length is a power of two. */
  private queue: Float64Array = new Float64Array(FIRST_CAPACITY);
  private first = 0;
  private free = 0;

  /** `slabBytes`: the run of pages that is cut at once. `arena` supplies it. */
  constructor(
    readonly bufferBytes: Bytes,
    readonly slabBytes: Bytes,
    readonly arena: string,
  ) {
    this.name = `malloc-${bufferBytes}`;
  }

  get buffers(): number {
    return (this.slabs * this.slabBytes) / this.bufferBytes;
  }

  get buffersInUse(): number {
    return this.buffers - this.free;
  }

  get isEmpty(): boolean {
    return this.free === 0;
  }

  /** Cuts a run of pages into items; the highest is handed out first. */
  addSlab(base: Address): void {
    this.slabs++;
    for (let offset = this.slabBytes - this.bufferBytes; offset >= 0; offset -= this.bufferBytes) {
      this.append(base + offset);
    }
  }

  /** The item that has been free for longest; there must be one. */
  take(): Address {
    const address = this.queue[this.first]!;
    this.first = (this.first + 1) & (this.queue.length - 1);
    this.free--;
    this.allocs++;
    return address;
  }

  put(address: Address): void {
    this.append(address);
    this.frees++;
  }

  private append(address: Address): void {
    if (this.free === this.queue.length) this.grow();
    this.queue[(this.first + this.free) & (this.queue.length - 1)] = address;
    this.free++;
  }

  private grow(): void {
    const { length } = this.queue;
    const queue = doubled(this.queue, Float64Array);
    // What had wrapped around follows what had not.
    queue.copyWithin(length, 0, this.first);
    this.queue = queue;
  }
}

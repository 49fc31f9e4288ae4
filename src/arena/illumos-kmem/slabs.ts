import type { Address } from '../../core/address.js';
import { highBit } from '../../core/units.js';

const NO_SLAB = -1;
export const NO_BUFFER = -1;

/**
 * The slab layer of one cache: slabs of `chunks` buffers, the partial ones in the order in which they are used.
 *
 * A slab is a row: `base`, `key` (what ties are decided by), `used` buffers, `free` head of its stack of free
 * buffers. A buffer is a row too: `address`, `slab`, `next` in the stack or in the hash chain. Buffers in use are
 * found by address in a hash table of our own; the kernel's has another size, which decides nothing.
 * Mirrors kmem_slab_create, kmem_slab_alloc, kmem_slab_free and kmem_partial_slab_cmp, kmem.c [illumos@94ab2e1].
 */
export class SlabLayer {
  readonly chunks: number;
  /** Slabs in existence, and how many of those have every buffer in use. */
  count = 0;
  complete = 0;
  private readonly chunkBytes: number;
  private readonly bin: number;
  private base = new Float64Array(16);
  private key = new Float64Array(16);
  private used = new Int32Array(16);
  private freeHead = new Int32Array(16);
  /** Position of a partial slab in `heap`, or NO_SLAB. */
  private heapPosition = new Int32Array(16);
  /** Address of each slab's structure. */
  private structure: Float64Array | null;
  private unusedSlab = NO_SLAB;
  private slabRows = 0;
  private address = new Float64Array(64);
  private slabOf = new Int32Array(64);
  private nextBuffer = new Int32Array(64);
  /** Address of each buffer's bufctl, which stays with the buffer. */
  private bufctl: Float64Array | null;
  private unusedBuffer = NO_BUFFER;
  private bufferRows = 0;
  private buckets = new Int32Array(64).fill(NO_BUFFER);
  private hashed = 0;
  /** Partial slabs as a binary heap: the first is the one to take from. */
  private heap = new Int32Array(16);
  private heapLength = 0;

  /**
   * `maxChunks`: how many chunks would fit if a slab held nothing else; the bins of equal slabs are measured by it.
   * `withStructures`: whether the addresses of the slabs' structures and of the buffers' bufctls are kept.
   */
  constructor(chunkBytes: number, chunks: number, maxChunks: number, withStructures = false) {
    this.chunkBytes = chunkBytes;
    this.chunks = chunks;
    this.bin = highBit(Math.floor(maxChunks / 16)) + 1;
    this.structure = withStructures ? new Float64Array(this.base.length) : null;
    this.bufctl = withStructures ? new Float64Array(this.address.length) : null;
  }

  get partial(): number {
    return this.heapLength;
  }

  /** Buffers in use. */
  get buffersInUse(): number {
    return this.hashed;
  }

  /** Address of a buffer by its row. */
  addressOf(buffer: number): Address {
    return this.address[buffer]!;
  }

  /** Whether a slab with a free buffer is at hand. */
  get hasFree(): boolean {
    return this.heapLength > 0;
  }

  /**
   * Adds a slab at `base`, its first buffer at `firstBuffer`, and takes one buffer of it, whose row is returned.
   * Buffers are stacked from the low end up, so the highest comes out first. `bufctls` are those of the chunks.
   */
  addAndTake(
    base: Address,
    firstBuffer: Address,
    key: number,
    structure: Address,
    bufctls: Float64Array | null = null,
  ): number {
    const slab = this.newSlab();
    this.base[slab] = base;
    this.key[slab] = key;
    if (this.structure !== null) this.structure[slab] = structure;
    this.used[slab] = 0;
    this.freeHead[slab] = NO_BUFFER;
    this.heapPosition[slab] = NO_SLAB;
    for (let chunk = 0; chunk < this.chunks; chunk++) {
      const buffer = this.newBuffer();
      this.address[buffer] = firstBuffer + chunk * this.chunkBytes;
      this.slabOf[buffer] = slab;
      if (bufctls !== null) this.bufctl![buffer] = bufctls[chunk]!;
      this.nextBuffer[buffer] = this.freeHead[slab]!;
      this.freeHead[slab] = buffer;
    }
    this.count++;
    if (this.chunks > 1) this.heapInsert(slab);
    return this.takeFrom(slab);
  }

  /** Takes a buffer of the first partial slab; call only when `hasFree`. Returns its row. */
  take(): number {
    return this.takeFrom(this.heap[0]!);
  }

  /** Gives a buffer back. Returns whether it is one of ours; `emptied` then tells if its slab is now empty. */
  give(address: Address): boolean {
    const buffer = this.unhash(address);
    if (buffer === NO_BUFFER) return false;
    const slab = this.slabOf[buffer]!;
    const wasComplete = this.used[slab] === this.chunks;
    this.nextBuffer[buffer] = this.freeHead[slab]!;
    this.freeHead[slab] = buffer;
    this.used[slab]!--;
    if (wasComplete) this.complete--;
    this.emptied = this.used[slab] === 0 ? slab : NO_SLAB;
    if (this.emptied !== NO_SLAB) {
      if (!wasComplete) this.heapRemove(slab);
    } else if (wasComplete) this.heapInsert(slab);
    else this.siftDown(this.heapPosition[slab]!);
    return true;
  }

  /** Row of the slab that the last `give` emptied; -1 if it emptied none. */
  emptied = NO_SLAB;

  /** Address of the emptied slab's structure, 0 where that is not kept. */
  get emptiedStructure(): Address {
    return this.structure === null ? 0 : this.structure[this.emptied]!;
  }

  /** Forgets the emptied slab and returns its base. Fills `bufctls`, top of the stack of free buffers first. */
  removeEmptied(bufctls: Float64Array | null = null): Address {
    const slab = this.emptied;
    let buffer = this.freeHead[slab]!;
    let position = 0;
    while (buffer !== NO_BUFFER) {
      const next = this.nextBuffer[buffer]!;
      if (bufctls !== null) bufctls[position++] = this.bufctl![buffer]!;
      this.nextBuffer[buffer] = this.unusedBuffer;
      this.unusedBuffer = buffer;
      buffer = next;
    }
    this.freeHead[slab] = this.unusedSlab;
    this.unusedSlab = slab;
    this.count--;
    return this.base[slab]!;
  }

  private takeFrom(slab: number): number {
    const buffer = this.freeHead[slab]!;
    this.freeHead[slab] = this.nextBuffer[buffer]!;
    this.used[slab]!++;
    this.hash(buffer);
    if (this.used[slab] === this.chunks) {
      this.complete++;
      if (this.chunks > 1) this.heapRemove(slab);
    } else this.siftUp(this.heapPosition[slab]!);
    return buffer;
  }

  /** Smaller comes first: the fullest slabs, in coarse bins between nearly empty and nearly full. */
  private weight(slab: number): number {
    const used = this.used[slab]!;
    const { bin, chunks } = this;
    return used <= bin || chunks - used <= bin ? -used : -(bin + (used >> bin));
  }

  private comesBefore(a: number, b: number): boolean {
    const difference = this.weight(a) - this.weight(b);
    return difference === 0 ? this.key[a]! < this.key[b]! : difference < 0;
  }

  private heapInsert(slab: number): void {
    if (this.heapLength === this.heap.length)
      this.heap = larger(this.heap, new Int32Array(this.heapLength * 2));
    this.place(slab, this.heapLength++);
    this.siftUp(this.heapPosition[slab]!);
  }

  private heapRemove(slab: number): void {
    const position = this.heapPosition[slab]!;
    this.heapPosition[slab] = NO_SLAB;
    const last = this.heap[--this.heapLength]!;
    if (last === slab) return;
    this.place(last, position);
    this.siftUp(position);
    this.siftDown(this.heapPosition[last]!);
  }

  private siftUp(from: number): void {
    let position = from;
    const slab = this.heap[position]!;
    while (position > 0) {
      const parent = (position - 1) >> 1;
      const above = this.heap[parent]!;
      if (!this.comesBefore(slab, above)) break;
      this.place(above, position);
      position = parent;
    }
    this.place(slab, position);
  }

  private siftDown(from: number): void {
    let position = from;
    const slab = this.heap[position]!;
    for (let child = 2 * position + 1; child < this.heapLength; child = 2 * position + 1) {
      const right = child + 1;
      if (right < this.heapLength && this.comesBefore(this.heap[right]!, this.heap[child]!)) child = right;
      const below = this.heap[child]!;
      if (!this.comesBefore(below, slab)) break;
      this.place(below, position);
      position = child;
    }
    this.place(slab, position);
  }

  private place(slab: number, position: number): void {
    this.heap[position] = slab;
    this.heapPosition[slab] = position;
  }

  private bucketOf(address: Address): number {
    const unit = address / this.chunkBytes;
    return (unit ^ (unit / 2 ** 32)) & (this.buckets.length - 1);
  }

  private hash(buffer: number): void {
    if (++this.hashed > this.buckets.length) this.rehash();
    const bucket = this.bucketOf(this.address[buffer]!);
    this.nextBuffer[buffer] = this.buckets[bucket]!;
    this.buckets[bucket] = buffer;
  }

  private unhash(address: Address): number {
    const bucket = this.bucketOf(address);
    let before = NO_BUFFER;
    let buffer = this.buckets[bucket]!;
    while (buffer !== NO_BUFFER && this.address[buffer] !== address) {
      before = buffer;
      buffer = this.nextBuffer[buffer]!;
    }
    if (buffer === NO_BUFFER) return NO_BUFFER;
    if (before === NO_BUFFER) this.buckets[bucket] = this.nextBuffer[buffer]!;
    else this.nextBuffer[before] = this.nextBuffer[buffer]!;
    this.hashed--;
    return buffer;
  }

  private rehash(): void {
    const old = this.buckets;
    this.buckets = new Int32Array(old.length * 2).fill(NO_BUFFER);
    for (const first of old) {
      let next: number;
      for (let buffer = first; buffer !== NO_BUFFER; buffer = next) {
        next = this.nextBuffer[buffer]!;
        const bucket = this.bucketOf(this.address[buffer]!);
        this.nextBuffer[buffer] = this.buckets[bucket]!;
        this.buckets[bucket] = buffer;
      }
    }
  }

  private newSlab(): number {
    const slab = this.unusedSlab;
    if (slab !== NO_SLAB) {
      this.unusedSlab = this.freeHead[slab]!;
      return slab;
    }
    if (this.slabRows === this.base.length) this.growSlabs();
    return this.slabRows++;
  }

  private newBuffer(): number {
    const buffer = this.unusedBuffer;
    if (buffer !== NO_BUFFER) {
      this.unusedBuffer = this.nextBuffer[buffer]!;
      return buffer;
    }
    if (this.bufferRows === this.address.length) this.growBuffers();
    return this.bufferRows++;
  }

  private growSlabs(): void {
    const rows = this.base.length * 2;
    this.base = larger(this.base, new Float64Array(rows));
    this.key = larger(this.key, new Float64Array(rows));
    if (this.structure !== null) this.structure = larger(this.structure, new Float64Array(rows));
    this.used = larger(this.used, new Int32Array(rows));
    this.freeHead = larger(this.freeHead, new Int32Array(rows));
    this.heapPosition = larger(this.heapPosition, new Int32Array(rows));
  }

  private growBuffers(): void {
    const rows = this.address.length * 2;
    this.address = larger(this.address, new Float64Array(rows));
    this.slabOf = larger(this.slabOf, new Int32Array(rows));
    this.nextBuffer = larger(this.nextBuffer, new Int32Array(rows));
    if (this.bufctl !== null) this.bufctl = larger(this.bufctl, new Float64Array(rows));
  }
}

function larger<T extends Float64Array | Int32Array>(column: T, replacement: T): T {
  replacement.set(column);
  return replacement;
}

import { doubled } from '../avl-tree.js';
import { RowStack } from '../row-stack.js';

/** No item: the source is exhausted. */
export const NO_ITEM = -1;

/** Items that a bucket has room for, by class (bucket_zones); the item size bounds the class at first. */
const BUCKET_ENTRIES = [2, 4, 8, 16, 30, 62, 126, 254] as const;
const BUCKET_ITEM_BYTES = [4096, 3072, 2048, 1024, 512, 256, 128, 64] as const;
const MAX_ENTRIES = 254;

/** Stands for a bucket that is not there: empty and full at once. */
const NO_BUCKET = 0;

const FIRST_ROWS = 8;

/** Where items come from and go back to. Items are small integers. */
export interface ItemSource {
  /** Makes up to `count` items, into `into` from `at` on; returns how many. */
  importItems(into: Int32Array, at: number, count: number): number;
  releaseItem(item: number): void;
}

/** The CPU that the simulated code runs on; draining moves it from CPU to CPU. */
export interface CurrentCpu {
  cpu: number;
}

/** Form of a cache: bytes per item, CPUs, and the most items that it is to hold. */
export interface CacheForm {
  readonly itemBytes: number;
  readonly cpus: number;
  readonly maximum: number;
}

/**
 * A UMA zone cache with an explicit maximum, one memory domain, no contention: per CPU a bucket to allocate from and one
 * to free to, behind them a list of buckets, last in first out.
 * Mirrors cache_alloc, zone_alloc_bucket, uma_zfree_arg, zone_free_bucket, bucket_drain, cache_drain_safe and
 * uma_zone_set_maxcache, uma_core.c [freebsd@f13fa9df05].
 */
export class BucketCache {
  /** Items in the buckets of the list. */
  listedItems = 0;
  /** Items that a new bucket is filled with. */
  bucketSize: number;
  private readonly leastSize: number;
  private readonly greatestSize: number;
  private readonly listLimit: number;
  private readonly source: ItemSource;
  private readonly current: CurrentCpu;
  private readonly allocBucket: Int32Array;
  private readonly freeBucket: Int32Array;
  private readonly listed = new RowStack();
  private readonly unused = new RowStack();
  private rows = 1;
  private count: Int32Array = new Int32Array(FIRST_ROWS);
  private entries: Int32Array = new Int32Array(FIRST_ROWS);
  private items: Int32Array;
  /** A single item on its way. */
  private readonly single = new Int32Array(1);

  constructor(form: CacheForm, source: ItemSource, current: CurrentCpu) {
    const { itemBytes, cpus, maximum } = form;
    const buckets = 2 * cpus;
    const perBucket = Math.floor(maximum / buckets);
    const size = Math.min(MAX_ENTRIES, Math.max(Math.floor(perBucket / 2), Math.min(perBucket, 1)));
    this.bucketSize = size;
    this.greatestSize = size;
    this.leastSize = Math.min(sizeForItems(itemBytes), size);
    this.listLimit = maximum - buckets * size;
    this.source = source;
    this.current = current;
    this.allocBucket = new Int32Array(cpus);
    this.freeBucket = new Int32Array(cpus);
    this.items = new Int32Array(FIRST_ROWS * size);
  }

  /** The newest item of this CPU's buckets, else of the list, else of a fresh bucket or alone from the source; or NO_ITEM. */
  allocate(): number {
    const { cpu } = this.current;
    if (this.count[this.allocBucket[cpu]!] === 0 && !this.refill(cpu)) return this.importOne();
    const bucket = this.allocBucket[cpu]!;
    const left = this.count[bucket]! - 1;
    this.count[bucket] = left;
    return this.items[bucket * this.greatestSize + left]!;
  }

  free(item: number): void {
    if (this.bucketSize === 0) {
      this.source.releaseItem(item);
      return;
    }
    const { cpu } = this.current;
    while (!this.push(cpu, item)) {
      const full = this.freeBucket[cpu]!;
      this.freeBucket[cpu] = NO_BUCKET;
      this.handOver(full);
      this.freeBucket[cpu] = this.createBucket();
    }
  }

  /** Gives back the items of the listed buckets; those on CPUs stay (UMA_RECLAIM_DRAIN). */
  drain(): void {
    if (this.bucketSize > this.leastSize) this.bucketSize--;
    while (this.listed.count > 0) this.releaseBucket(this.takeListed());
  }

  /** Gives back every item, those of each CPU by code that runs on it (UMA_RECLAIM_DRAIN_CPU). */
  drainCpus(): void {
    const { current } = this;
    const here = current.cpu;
    this.bucketSize = (this.leastSize + this.bucketSize) >> 1;
    for (let cpu = 0; cpu < this.allocBucket.length; cpu++) {
      current.cpu = cpu;
      const alloc = this.allocBucket[cpu]!;
      const free = this.freeBucket[cpu]!;
      this.allocBucket[cpu] = NO_BUCKET;
      this.freeBucket[cpu] = NO_BUCKET;
      this.handOver(alloc);
      this.handOver(free);
    }
    current.cpu = here;
    this.drain();
  }

  /** Items in all buckets. */
  get cachedItems(): number {
    let sum = this.listedItems;
    for (let cpu = 0; cpu < this.allocBucket.length; cpu++) {
      sum += this.count[this.allocBucket[cpu]!]! + this.count[this.freeBucket[cpu]!]!;
    }
    return sum;
  }

  /** Puts the item into one of the CPU's two buckets; false when both are full. */
  private push(cpu: number, item: number): boolean {
    const { count, entries } = this;
    let bucket = this.allocBucket[cpu]!;
    if (count[bucket] === entries[bucket]) {
      const other = this.freeBucket[cpu]!;
      if (count[other] === entries[other]) return false;
      this.freeBucket[cpu] = bucket;
      this.allocBucket[cpu] = other;
      bucket = other;
    }
    this.items[bucket * this.greatestSize + count[bucket]!] = item;
    count[bucket]!++;
    return true;
  }

  /** Loads a bucket with items to allocate from; false when there is none to be had. */
  private refill(cpu: number): boolean {
    const empty = this.allocBucket[cpu]!;
    const free = this.freeBucket[cpu]!;
    if (this.count[free]! > 0) {
      this.allocBucket[cpu] = free;
      this.freeBucket[cpu] = empty;
      return true;
    }
    this.allocBucket[cpu] = NO_BUCKET;
    this.discard(empty);
    const bucket = this.listed.count > 0 ? this.takeListed() : this.importBucket();
    this.allocBucket[cpu] = bucket;
    return bucket !== NO_BUCKET;
  }

  private importBucket(): number {
    if (this.bucketSize === 0) return NO_BUCKET;
    const bucket = this.createBucket();
    const wanted = Math.min(this.bucketSize, this.entries[bucket]!);
    const got = this.source.importItems(this.items, bucket * this.greatestSize, wanted);
    this.count[bucket] = got;
    if (got > 0) return bucket;
    this.discard(bucket);
    return NO_BUCKET;
  }

  private importOne(): number {
    return this.source.importItems(this.single, 0, 1) === 0 ? NO_ITEM : this.single[0]!;
  }

  /** Hands a bucket to the list, or gives its items back where the list has enough of them. */
  private handOver(bucket: number): void {
    const items = this.count[bucket]!;
    if (items === 0) this.discard(bucket);
    else if (this.listedItems + items < this.listLimit) {
      this.listed.push(bucket);
      this.listedItems += items;
    } else this.releaseBucket(bucket);
  }

  private takeListed(): number {
    const bucket = this.listed.pop();
    this.listedItems -= this.count[bucket]!;
    return bucket;
  }

  /** Gives the items of a bucket back, in the order in which they are stored, and the bucket as well. */
  private releaseBucket(bucket: number): void {
    const first = bucket * this.greatestSize;
    const items = this.count[bucket]!;
    for (let index = 0; index < items; index++) this.source.releaseItem(this.items[first + index]!);
    this.count[bucket] = 0;
    this.discard(bucket);
  }

  private createBucket(): number {
    if (this.unused.count === 0) this.addRow();
    const bucket = this.unused.pop();
    this.entries[bucket] = Math.min(entriesFor(this.bucketSize), this.greatestSize);
    return bucket;
  }

  private addRow(): void {
    if (this.rows === this.count.length) {
      this.count = doubled(this.count, Int32Array);
      this.entries = doubled(this.entries, Int32Array);
      this.items = doubled(this.items, Int32Array);
    }
    this.unused.push(this.rows++);
  }

  private discard(bucket: number): void {
    if (bucket !== NO_BUCKET) this.unused.push(bucket);
  }
}

/** Room of the smallest class of buckets that holds `size` items. */
function entriesFor(size: number): number {
  let row = 0;
  while (BUCKET_ENTRIES[row]! < size) row++;
  return BUCKET_ENTRIES[row]!;
}

/** Items per bucket that a zone starts with. */
function sizeForItems(itemBytes: number): number {
  if (itemBytes > BUCKET_ITEM_BYTES[0])
    return Math.max(Math.floor((2 * BUCKET_ITEM_BYTES[0]) / itemBytes), 1);
  return BUCKET_ENTRIES[BUCKET_ITEM_BYTES.findLastIndex((bytes) => bytes >= itemBytes)]!;
}

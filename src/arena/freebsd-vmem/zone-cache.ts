import { type Address, NO_ADDRESS } from '../../core/address.js';
import type { LockTable, SimulatedLock } from '../../core/locks.js';
import type { Bytes } from '../../core/units.js';
import { RowStack } from '../row-stack.js';

/** Bucket classes: entries, and the largest item for which the class is the first choice (bucket_zones). */
const CLASS_ENTRIES = [2, 4, 8, 16, 30, 62, 126, 254] as const;
const CLASS_ITEM_BYTES = [4096, 3072, 2048, 1024, 512, 256, 128, 64] as const;

/** Most entries of a bucket. */
const MOST_ENTRIES = 254;

/** Items that are larger than any bucket class is for: this many bytes a bucket. */
const LARGE_ITEM_BYTES = 8192;

/** No bucket: without entries, so it counts as empty and as full. */
const NO_BUCKET = 0;

const FIRST_ROWS = 16;

/** The import and release functions of a zone, an item at a time. */
export interface ItemSource {
  /** Writes the address of a new item to `store[index]`; false if there is none. */
  importItem(store: Float64Array, index: number, flags: number): boolean;
  releaseItem(store: Float64Array, index: number): void;
}

/** The CPU that the running code is on, and how many there are. */
export interface CpuHost {
  cpu: number;
  readonly cpus: number;
  readonly locks: LockTable;
}

/** What distinguishes a zone cache. */
export interface ZoneCacheSpec {
  readonly name: string;
  readonly itemBytes: Bytes;
  /** Most items in all caches together (uma_zone_set_maxcache); undefined = no limit. */
  readonly maximum?: number;
  /** Memory domains, if freed items go to the bucket of their own one (UMA_ZONE_FIRSTTOUCH); default 1. */
  readonly domains?: number;
}

/**
 * A UMA zone that caches items of an import function in buckets: two per CPU, the others on a list of the zone. Items
 * leave a bucket newest first, buckets the list newest first. One CPU runs at a time, so the lock is never contended and
 * the bucket size never grows (D5).
 * Mirrors cache_alloc, cache_free, zone_alloc_bucket, zone_put_bucket, bucket_drain and cache_drain_safe, uma_core.c
 * [freebsd@5cb586b].
 */
export class ZoneCache {
  readonly name: string;
  readonly itemBytes: Bytes;
  /** Entries that a new bucket is filled with. */
  bucketSize: number;
  /** Items that came from the source and have not gone back. */
  imported = 0;
  /** Items in buckets. */
  cached = 0;
  /** Buckets in use, and their entries: what they take of memory. */
  buckets = 0;
  bucketEntries = 0;
  frees = 0;
  private gets = 0;
  private fails = 0;
  private misses = 0;
  private readonly leastBucketSize: number;
  private readonly mostEntries: number;
  /** The zone's list takes a bucket only below this many items. */
  private readonly itemLimit: number;
  private readonly stride: number;
  private readonly source: ItemSource;
  private readonly host: CpuHost;
  private readonly lock: SimulatedLock;
  /** By CPU. */
  private readonly allocBucket: Int32Array;
  private readonly freeBucket: Int32Array;
  /** The zone's list, its head at the top, and the items on it. */
  private readonly full = new RowStack();
  private itemsListed = 0;
  /** By bucket. */
  private count = new Int32Array(FIRST_ROWS);
  private capacity = new Int32Array(FIRST_ROWS);
  private items: Float64Array;
  private rows = NO_BUCKET + 1;
  private readonly unused = new RowStack();
  private readonly single = new Float64Array(1);

  constructor(spec: ZoneCacheSpec, source: ItemSource, host: CpuHost) {
    this.name = spec.name;
    this.itemBytes = spec.itemBytes;
    this.source = source;
    this.host = host;
    this.lock = host.locks.create('uma_zone');
    this.allocBucket = new Int32Array(host.cpus);
    this.freeBucket = new Int32Array(host.cpus);
    const { bucketSize, least, itemLimit } = cacheSizes(spec, host.cpus);
    this.bucketSize = bucketSize;
    this.leastBucketSize = least;
    this.mostEntries = spec.maximum === undefined ? MOST_ENTRIES : bucketSize;
    this.itemLimit = itemLimit;
    this.stride = entriesFor(bucketSize, this.mostEntries);
    this.items = new Float64Array(FIRST_ROWS * this.stride);
  }

  /** Allocations that were granted. */
  get allocs(): number {
    return this.gets - this.fails;
  }

  /** Allocations that found an item in a bucket. */
  get hits(): number {
    return this.gets - this.misses;
  }

  /** uma_zalloc. NO_ADDRESS when the source has nothing. */
  get(flags: number): Address {
    const { cpu } = this.host;
    this.gets++;
    let bucket = this.allocBucket[cpu]!;
    if (this.count[bucket] === 0) {
      if (this.count[this.freeBucket[cpu]!]! > 0) this.swap(cpu);
      else if (!this.refill(cpu, flags)) return this.importSingle(flags);
      bucket = this.allocBucket[cpu]!;
    }
    this.cached--;
    const left = this.count[bucket]! - 1;
    this.count[bucket] = left;
    return this.items[bucket * this.stride + left]!;
  }

  /** uma_zfree of what `get` returned. */
  put(address: Address): void {
    this.frees++;
    if (this.bucketSize === 0) {
      this.single[0] = address;
      this.release(this.single, 0);
      return;
    }
    const { cpu } = this.host;
    while (!this.putInBucket(cpu, address)) {
      const bucket = this.freeBucket[cpu]!;
      this.freeBucket[cpu] = NO_BUCKET;
      this.handToZone(bucket);
      this.freeBucket[cpu] = this.createBucket();
    }
  }

  /** uma_zone_reclaim with UMA_RECLAIM_DRAIN: empties the zone's list; the buckets of CPUs stay. */
  drain(): void {
    if (this.bucketSize > this.leastBucketSize) this.bucketSize--;
    this.lock.acquire();
    while (this.full.count > 0) {
      const bucket = this.full.pop();
      this.itemsListed -= this.count[bucket]!;
      this.releaseItems(bucket);
    }
  }

  /** uma_zone_reclaim with UMA_RECLAIM_DRAIN_CPU: visits each CPU for its buckets first. */
  drainCpus(): void {
    const { host } = this;
    this.bucketSize = (this.leastBucketSize + this.bucketSize) >> 1;
    const { cpu } = host;
    for (host.cpu = 0; host.cpu < host.cpus; host.cpu++) {
      const loaded = this.allocBucket[host.cpu]!;
      const freed = this.freeBucket[host.cpu]!;
      this.allocBucket[host.cpu] = NO_BUCKET;
      this.freeBucket[host.cpu] = NO_BUCKET;
      this.handToZone(loaded);
      this.handToZone(freed);
    }
    host.cpu = cpu;
    this.drain();
  }

  /** Whether the CPU had room for the item. */
  private putInBucket(cpu: number, address: Address): boolean {
    const { count, capacity } = this;
    const freed = this.freeBucket[cpu]!;
    if (this.isFull(this.allocBucket[cpu]!) && !this.isFull(freed)) this.swap(cpu);
    const bucket = this.allocBucket[cpu]!;
    if (count[bucket] === capacity[bucket]) return false;
    this.items[bucket * this.stride + count[bucket]!] = address;
    count[bucket]!++;
    this.cached++;
    return true;
  }

  private isFull(bucket: number): boolean {
    return this.count[bucket] === this.capacity[bucket];
  }

  private swap(cpu: number): void {
    const bucket = this.allocBucket[cpu]!;
    this.allocBucket[cpu] = this.freeBucket[cpu]!;
    this.freeBucket[cpu] = bucket;
  }

  /** Gives the CPU a bucket with items, from the zone's list or filled by the source. */
  private refill(cpu: number, flags: number): boolean {
    const empty = this.allocBucket[cpu]!;
    this.allocBucket[cpu] = NO_BUCKET;
    if (empty !== NO_BUCKET) this.destroyBucket(empty);
    this.lock.acquire();
    let bucket: number;
    if (this.full.count > 0) {
      bucket = this.full.pop();
      this.itemsListed -= this.count[bucket]!;
    } else {
      this.misses++;
      bucket = this.importBucket(flags);
    }
    this.allocBucket[cpu] = bucket;
    return bucket !== NO_BUCKET;
  }

  /** A new bucket with as many items as the source has, at most the bucket size; NO_BUCKET if it has none. */
  private importBucket(flags: number): number {
    if (this.bucketSize === 0) return NO_BUCKET;
    const bucket = this.createBucket();
    const wanted = Math.min(this.bucketSize, this.capacity[bucket]!);
    let filled = 0;
    while (filled < wanted && this.source.importItem(this.items, bucket * this.stride + filled, flags))
      filled++;
    this.imported += filled;
    this.cached += filled;
    this.count[bucket] = filled;
    if (filled > 0) return bucket;
    this.destroyBucket(bucket);
    return NO_BUCKET;
  }

  private importSingle(flags: number): Address {
    if (!this.source.importItem(this.single, 0, flags)) {
      this.fails++;
      return NO_ADDRESS;
    }
    this.imported++;
    return this.single[0]!;
  }

  /** To the head of the zone's list, or its items to the source if the list is long. */
  private handToZone(bucket: number): void {
    const count = this.count[bucket]!;
    if (bucket === NO_BUCKET) return;
    if (count === 0) this.destroyBucket(bucket);
    else if (this.itemsListed + count < this.itemLimit) {
      this.lock.acquire();
      this.full.push(bucket);
      this.itemsListed += count;
    } else this.releaseItems(bucket);
  }

  /** The items of a bucket that is on no list go back, the oldest first, and the bucket itself. */
  private releaseItems(bucket: number): void {
    const count = this.count[bucket]!;
    this.cached -= count;
    for (let index = 0; index < count; index++) this.release(this.items, bucket * this.stride + index);
    this.destroyBucket(bucket);
  }

  private release(store: Float64Array, index: number): void {
    this.imported--;
    this.source.releaseItem(store, index);
  }

  private createBucket(): number {
    const entries = entriesFor(this.bucketSize, this.mostEntries);
    const bucket = this.unused.count > 0 ? this.unused.pop() : this.rows++;
    if (bucket === this.count.length) this.grow();
    this.count[bucket] = 0;
    this.capacity[bucket] = entries;
    this.buckets++;
    this.bucketEntries += entries;
    return bucket;
  }

  private destroyBucket(bucket: number): void {
    this.buckets--;
    this.bucketEntries -= this.capacity[bucket]!;
    this.unused.push(bucket);
  }

  private grow(): void {
    const { count, capacity, items } = this;
    this.count = new Int32Array(count.length * 2);
    this.capacity = new Int32Array(count.length * 2);
    this.items = new Float64Array(items.length * 2);
    this.count.set(count);
    this.capacity.set(capacity);
    this.items.set(items);
  }
}

/** Entries of the smallest bucket class that has room for `size` (bucket_zone_lookup). */
function entriesFor(size: number, most: number): number {
  const entries = CLASS_ENTRIES.find((candidate) => candidate >= size) ?? MOST_ENTRIES;
  return Math.min(entries, most);
}

/** Initial and least bucket size and the limit of the zone's list (zone_ctor, uma_zone_set_maxcache). */
function cacheSizes(
  spec: ZoneCacheSpec,
  cpus: number,
): { bucketSize: number; least: number; itemLimit: number } {
  const natural = naturalBucketSize(spec.itemBytes);
  if (spec.maximum === undefined)
    return { bucketSize: natural, least: natural, itemLimit: Number.POSITIVE_INFINITY };
  const domains = spec.domains ?? 1;
  const bucketsHeld = domains > 1 ? 3 * cpus + domains : 2 * cpus;
  const share = Math.floor(spec.maximum / bucketsHeld);
  const half = Math.min(Math.floor(share / 2), MOST_ENTRIES);
  const bucketSize = half === 0 && share > 0 ? 1 : half;
  return {
    bucketSize,
    least: Math.min(natural, bucketSize),
    itemLimit: spec.maximum - bucketsHeld * bucketSize,
  };
}

function naturalBucketSize(itemBytes: Bytes): number {
  if (itemBytes > CLASS_ITEM_BYTES[0]) return Math.max(Math.floor(LARGE_ITEM_BYTES / itemBytes), 1);
  return CLASS_ENTRIES[CLASS_ITEM_BYTES.findLastIndex((bytes) => bytes >= itemBytes)]!;
}

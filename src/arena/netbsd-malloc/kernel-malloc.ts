import { type Address, NO_ADDRESS } from '../../core/address.js';
import { MisuseError } from '../../core/errors.js';
import { type Bytes, roundUp } from '../../core/units.js';
import type { ByteSource, RangeSource } from '../uvm-map/map-pages.js';
import { Bucket } from './bucket.js';

const PAGE_BYTES: Bytes = 4096;

/** Binary logarithm of the smallest and the largest item (MINBUCKET, MAXALLOCSAVE). */
const SMALLEST = 5;
const LARGEST = 13;

/** Requests above this are ranges of pages of their own. */
export const LARGEST_BUCKET: Bytes = 2 ** LARGEST;

/**
 * malloc(9) of NetBSD 5.2: items of powers of two from 32 to 8192 bytes, cut from pages that are never given back; what
 * is larger is a range of pages. See THEORY.md.
 * Mirrors malloc and free, kern_malloc.c [netbsd@301a139]; spec §2.7.
 */
export class KernelMalloc implements ByteSource {
  /** By size, the smallest first. */
  readonly buckets: readonly Bucket[];

  /** `pages` serves runs of pages; `arena` is what they come from in the end. */
  constructor(
    private readonly pages: RangeSource,
    arena: string,
  ) {
    this.buckets = Array.from({ length: LARGEST - SMALLEST + 1 }, (_, index) => {
      const bytes = 2 ** (SMALLEST + index);
      return new Bucket(bytes, Math.max(bytes, PAGE_BYTES), arena);
    });
  }

  /** NO_ADDRESS when exhausted. @throws MisuseError unless size > 0. */
  alloc(size: Bytes): Address {
    if (!(size > 0)) throw new MisuseError('malloc of no bytes', { size });
    if (size > LARGEST_BUCKET) return this.pages.alloc(roundUp(size, PAGE_BYTES));
    const bucket = this.bucketFor(size);
    if (bucket.isEmpty) {
      const base = this.pages.alloc(bucket.slabBytes);
      if (base === NO_ADDRESS) {
        bucket.fails++;
        return NO_ADDRESS;
      }
      bucket.addSlab(base);
    }
    return bucket.take();
  }

  /** Frees what `alloc` returned for the size, or for another of the same bucket. */
  free(address: Address, size: Bytes): void {
    if (size > LARGEST_BUCKET) this.pages.free(address, roundUp(size, PAGE_BYTES));
    else this.bucketFor(size).put(address);
  }

  /** Bytes that a request of `size` takes. */
  bytesFor(size: Bytes): Bytes {
    return size > LARGEST_BUCKET ? roundUp(size, PAGE_BYTES) : this.bucketFor(size).bufferBytes;
  }

  private bucketFor(size: Bytes): Bucket {
    return this.buckets[Math.max(0, 32 - Math.clz32(size - 1) - SMALLEST)]!;
  }
}

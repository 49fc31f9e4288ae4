import { type Bytes, KIB } from '../../core/units.js';
import type { KmemCache, SlabGeometry, SlabSource } from './cache.js';
import { slabGeometry } from './slab-geometry.js';

const PAGE = 4096;

/** Sizes of the kmem_alloc caches up to a page, and above. Mirrors kmem_alloc_sizes, kmem.c [illumos@94ab2e1]. */
const SMALL_SIZES = [
  8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384, 448, 512, 640, 768, 896,
  1152, 1344, 1600, 2048, 2688, 4096,
] as const;
const LARGE_SIZES = [8, 12, 16, 24, ...Array.from({ length: 13 }, (_, step) => 32 + 8 * step)].map(
  (kibibytes) => kibibytes * KIB,
);

/** Requests above this bypass the caches, unless a kernel has fewer. */
export const LARGEST_CACHED = 128 * KIB;

type CreateCache = (name: string, bytes: Bytes, geometry: SlabGeometry, source: SlabSource) => KmemCache;

/** Creates the caches behind kmem_alloc for sizes up to `largest`, in the kernel's order. */
export function createAllocCaches(
  source: SlabSource,
  quantum: Bytes,
  create: CreateCache,
  largest: Bytes = LARGEST_CACHED,
): KmemCache[] {
  return [...SMALL_SIZES, ...LARGE_SIZES]
    .filter((bytes) => bytes <= largest)
    .map((bytes) =>
      create(`kmem_alloc_${bytes}`, bytes, slabGeometry(bytes, alignmentOf(bytes), quantum), source),
    );
}

/**
 * The caches behind kmem_alloc, in order of creation, and the tables that find the one for a size: by 8-byte classes
 * up to a page, by 4 KiB classes above.
 */
export class AllocCaches {
  readonly caches: readonly KmemCache[];
  private readonly small: readonly KmemCache[];
  private readonly large: readonly KmemCache[];

  constructor(
    source: SlabSource,
    quantum: Bytes,
    create: CreateCache,
    readonly largest: Bytes = LARGEST_CACHED,
  ) {
    this.caches = createAllocCaches(source, quantum, create, largest);
    this.small = this.table(8, PAGE);
    this.large = this.table(PAGE, largest);
  }

  /** The cache for a size from 1 byte to `largest`. */
  cacheFor(size: Bytes): KmemCache {
    return size <= PAGE ? this.small[(size - 1) >> 3]! : this.large[(size - 1) >> 12]!;
  }

  private table(step: Bytes, limit: Bytes): KmemCache[] {
    return Array.from({ length: limit / step }, (_, row) => {
      return this.caches.find((cache) => cache.bufferBytes >= (row + 1) * step)!;
    });
  }
}

function alignmentOf(bytes: Bytes): Bytes {
  if (bytes % PAGE === 0) return PAGE;
  return bytes % 64 === 0 ? 64 : 8;
}

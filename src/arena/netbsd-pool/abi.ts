import type { Bytes } from '../../core/units.js';

/** Sizes of pool(9)'s own structures under an ABI. */
export interface PoolAbi {
  readonly pointer: Bytes;
  /** Page header without the bitmap of PR_NOTOUCH pools. */
  readonly pageHeader: Bytes;
  /** What of the header is in front of the bitmap. */
  readonly beforeBitmap: Bytes;
}

/** The same of pool_cache(9). */
export interface CacheAbi extends PoolAbi {
  /** Group of a pool cache, and objects in it. */
  readonly group: Bytes;
  readonly groupObjects: number;
  /** Alignment of pool_cache structures and groups (coherency_unit). */
  readonly coherencyUnit: Bytes;
}

/**
 * amd64 and i386, measured on the real headers (spec §1.1), but for i386's page header, which is added up. They are the
 * same in 5.2 and 2016.
 */
export const CACHE_ABIS = {
  lp64: { pointer: 8, pageHeader: 56, beforeBitmap: 48, group: 256, groupObjects: 15, coherencyUnit: 64 },
  ilp32: { pointer: 4, pageHeader: 32, beforeBitmap: 28, group: 124, groupObjects: 14, coherencyUnit: 64 },
} as const satisfies Record<string, CacheAbi>;

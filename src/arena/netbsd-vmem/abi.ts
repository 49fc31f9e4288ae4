import type { PoolAbi } from '../netbsd-pool/geometry.js';

/** Bytes of the kernel's structures under one ABI. Those of pools decide how much address space metadata take. */
export interface Abi extends PoolAbi {
  /** Boundary tag (bt_t). */
  readonly tag: number;
  /** Arena structure (struct vmem), its first hash chain included. */
  readonly arena: number;
  /** pool_cache structure, the first CPU's part included. */
  readonly poolCache: number;
  /** Group of a pool cache, and objects in it. */
  readonly group: number;
  readonly groupObjects: number;
  /** Alignment of pool_cache structures and groups (coherency_unit). */
  readonly coherencyUnit: number;
}

/** amd64 and i386, measured on the real headers (spec §1.1), but for i386's page header, which is added up. */
export const ABIS = {
  lp64: {
    pointer: 8,
    pageHeader: 56,
    beforeBitmap: 48,
    tag: 56,
    arena: 1480,
    poolCache: 2688,
    group: 256,
    groupObjects: 15,
    coherencyUnit: 64,
  },
  ilp32: {
    pointer: 4,
    pageHeader: 32,
    beforeBitmap: 28,
    tag: 28,
    arena: 784,
    poolCache: 576,
    group: 124,
    groupObjects: 14,
    coherencyUnit: 64,
  },
} as const satisfies Record<string, Abi>;

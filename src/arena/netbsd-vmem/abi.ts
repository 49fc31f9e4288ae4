import { CACHE_ABIS, type CacheAbi } from '../netbsd-pool/abi.js';

/** Bytes of the kernel's structures under one ABI. Those of pools decide how much address space metadata take. */
export interface Abi extends CacheAbi {
  /** Boundary tag (bt_t). */
  readonly tag: number;
  /** Arena structure (struct vmem), its first hash chain included. */
  readonly arena: number;
  /** pool_cache structure, the first CPU's part included. */
  readonly poolCache: number;
}

/** amd64 and i386, measured on the real headers (spec §1.1). */
export const ABIS = {
  lp64: { ...CACHE_ABIS.lp64, tag: 56, arena: 1480, poolCache: 2688 },
  ilp32: { ...CACHE_ABIS.ilp32, tag: 28, arena: 784, poolCache: 576 },
} as const satisfies Record<string, Abi>;

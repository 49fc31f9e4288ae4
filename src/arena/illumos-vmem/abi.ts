/** Bytes of the kernel's structures under one ABI; they weigh metadata and decide nothing. */
export interface Abi {
  /** Segment structure without auditing (vmem_seg_t). */
  readonly segment: number;
  /** Arena structure (vmem_t), its first hash table and its free-list heads included. */
  readonly arena: number;
  readonly pointer: number;
  /** Slab structure, bufctl, cache structure without and per CPU. */
  readonly slab: number;
  readonly bufctl: number;
  readonly cache: number;
  readonly cachePerCpu: number;
}

/** 64-bit and 32-bit kernels; sizes measured on the real headers, see golden/illumos-vmem and spec §1. */
export const ABIS = {
  lp64: { segment: 56, arena: 3640, pointer: 8, slab: 72, bufctl: 24, cache: 568, cachePerCpu: 64 },
  ilp32: { segment: 28, arena: 1680, pointer: 4, slab: 44, bufctl: 12, cache: 380, cachePerCpu: 64 },
} as const satisfies Record<string, Abi>;

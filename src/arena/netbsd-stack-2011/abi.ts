import { ABIS, type Abi } from '../netbsd-vmem/abi.js';
import { UVM_ABIS, type UvmAbi } from '../uvm-map/abi.js';

/** Sizes of the structures of NetBSD 5.2 under one ABI. */
export type OldAbi = Abi & UvmAbi;

/**
 * What differs from 2016's: an arena has room for 16 quantum caches more (a pointer and 32 or 24 bytes each), and a
 * pool_cache structure is smaller. That the arena `kmem` takes five pages for the structures of its caches, with headers
 * in them, bounds it to 832 up to 960 bytes on amd64; the upper bound stands here. That of i386 is 2016's.
 */
export const OLD_ABIS = {
  lp64: { ...ABIS.lp64, ...UVM_ABIS.lp64, arena: 2120, poolCache: 960 },
  ilp32: { ...ABIS.ilp32, ...UVM_ABIS.ilp32, arena: 1232 },
} as const satisfies Record<string, OldAbi>;

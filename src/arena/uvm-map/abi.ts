import type { Bytes } from '../../core/units.js';
import { CACHE_ABIS, type CacheAbi } from '../netbsd-pool/abi.js';

/** Sizes of NetBSD 5.2's structures under one ABI. Those of the entry page decide where ranges are placed. */
export interface UvmAbi extends CacheAbi {
  /** `struct vm_map_entry` and `struct vm_map`. */
  readonly entry: Bytes;
  readonly map: Bytes;
  /** Entries cut from one page behind its header. */
  readonly entriesPerPage: number;
}

/** 64-bit and 32-bit kernels: spec §1.1 and §2.5; sizes measured with the compiler on the real headers. */
export const UVM_ABIS = {
  lp64: { ...CACHE_ABIS.lp64, entry: 136, map: 288, entriesPerPage: 29 },
  ilp32: { ...CACHE_ABIS.ilp32, entry: 84, map: 160, entriesPerPage: 48 },
} as const satisfies Record<string, UvmAbi>;

/** Page of both architectures. */
export const PAGE_BYTES: Bytes = 4096;

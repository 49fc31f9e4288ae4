import type { Bytes } from '../../core/units.js';

/** Sizes of NetBSD 5.2's structures under one ABI. Those of the entry page decide where ranges are placed. */
export interface UvmAbi {
  /** `struct vm_map_entry` and `struct vm_map`. */
  readonly entry: Bytes;
  readonly map: Bytes;
  /** Entries cut from one page behind its header. */
  readonly entriesPerPage: number;
  /** Entries on a page of the pool that plain maps take theirs from. */
  readonly pooledEntriesPerPage: number;
  /** Page headers on a page of their pool. */
  readonly headersPerPage: number;
  /** Objects of one cache group, and groups on a page of their pool. */
  readonly groupObjects: number;
  readonly groupsPerPage: number;
}

/**
 * 64-bit and 32-bit kernels: spec §1.1 and §2.5; sizes measured with the compiler on the real headers, but for the
 * 36 bytes of a 32-bit page header, which are counted from its fields.
 */
export const UVM_ABIS = {
  lp64: {
    entry: 136,
    map: 288,
    entriesPerPage: 29,
    pooledEntriesPerPage: 29,
    headersPerPage: 72,
    groupObjects: 15,
    groupsPerPage: 16,
  },
  ilp32: {
    entry: 84,
    map: 160,
    entriesPerPage: 48,
    pooledEntriesPerPage: 48,
    headersPerPage: 112,
    groupObjects: 14,
    groupsPerPage: 33,
  },
} as const satisfies Record<string, UvmAbi>;

/** Page of both architectures. */
export const PAGE_BYTES: Bytes = 4096;

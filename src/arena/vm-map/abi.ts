import type { Bytes } from '../../core/units.js';

/** Page of the kernel. */
export const PAGE_BYTES = 4096;

/** Superpage. */
export const SUPERPAGE_BYTES = 2 ** 21;

/** Sizes of the structures of one kernel, in bytes. */
export interface MapAbi {
  readonly entry: Bytes;
  /** struct vm_map, the header entry included. */
  readonly map: Bytes;
}

/** amd64, compiled from the real headers (spec §1): 13.0 threads its tree, 12.1 had list links besides. */
export const MAP_ABIS = {
  13: { entry: 96, map: 216 },
  12: { entry: 120, map: 240 },
} as const satisfies Record<number, MapAbi>;

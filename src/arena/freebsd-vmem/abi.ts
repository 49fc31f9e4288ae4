import type { Bytes } from '../../core/units.js';

/** Sizes of the structures of one kernel, in bytes. */
export interface Abi {
  readonly pointer: Bytes;
  /** Boundary tag (struct vmem_btag). */
  readonly tag: Bytes;
  /** Arena (struct vmem), the cursor tag and the first 16 hash chains included. */
  readonly arena: Bytes;
  /** UMA zone: its own part, that of each CPU and that of each memory domain. */
  readonly zone: Bytes;
  readonly zonePerCpu: Bytes;
  readonly zonePerDomain: Bytes;
  /** Header of a bucket; a pointer for each entry follows. */
  readonly bucketHeader: Bytes;
}

/** amd64, compiled from the real headers with SMP and NUMA (spec §1). */
export const ABIS = {
  13: { pointer: 8, tag: 56, arena: 1856, zone: 384, zonePerCpu: 128, zonePerDomain: 128, bucketHeader: 16 },
  12: { pointer: 8, tag: 56, arena: 1856, zone: 384, zonePerCpu: 128, zonePerDomain: 40, bucketHeader: 24 },
} as const satisfies Record<number, Abi>;

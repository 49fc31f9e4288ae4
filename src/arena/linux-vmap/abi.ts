import type { Bytes } from '../../core/units.js';

/** Page of x86-64. */
export const PAGE_BYTES: Bytes = 4096;

/** Sizes of the structures on x86-64 (spec §2). They only weigh the metadata; no decision depends on them. */
export const VMAP_BYTES = {
  /** `struct vmap_area`: of each range, free or not, and of each spare. */
  area: 72 as Bytes,
  /** `struct vm_struct`, which kmalloc rounds up: of each area in use. */
  description: 96 as Bytes,
  /** `struct vmap_node`: 256 pools of 24 bytes, two trees with list and lock, purge list, work item. */
  node: 6272 as Bytes,
} as const;

import { AddressSpace } from '../../core/address.js';

/** amd64, 13.0: the kernel whose code the vectors come from. Sizes in bytes. */
export const PAGE_BYTES = 4096;
/** sizeof(struct vm_object). */
export const OBJECT_BYTES = 264;
/** sizeof(struct vm_radix_node): a page-trie node, and a swap-trie node. */
export const TRIE_NODE_BYTES = 144;
/** sizeof(struct swblk): swap blocks of 16 consecutive indices. */
export const SWAP_METADATA_BYTES = 136;

/** Pages of a reservation: one 2 MiB superpage (VM_LEVEL_0_NPAGES). */
export const RESERVATION_PAGES = 512;
/** Bytes of a reservation, and of the unit in which KVA is imported (KVA_QUANTUM with one memory domain). */
export const SUPERPAGE_BYTES = RESERVATION_PAGES * PAGE_BYTES;

/** Pages of a stack unless a thread asks for others (kern.kstack_pages). */
export const DEFAULT_STACK_PAGES = 4;
/** Unmapped pages below each stack (KSTACK_GUARD_PAGES). */
export const DEFAULT_GUARD_PAGES = 1;
/** Most pages that a stack may have (KSTACK_MAX_PAGES). */
export const MAX_STACK_PAGES = 32;

/** VM_MIN_KERNEL_ADDRESS. */
export const KERNEL_MIN = AddressSpace.canonical.toNumber(0xfffffe0000000000n);
/** Pages of kernel address space: the size of an object that is indexed by address. */
export const KERNEL_PAGES = 2 ** 41 / PAGE_BYTES;

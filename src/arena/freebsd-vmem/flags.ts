/**
 * Flags of a request, with the values of sys/malloc.h and sys/vmem.h [freebsd@5cb586b]. Each request names one strategy;
 * M_WAITOK is the absence of NOWAIT here.
 */
export const VmemFlag = {
  NOWAIT: 0x1,
  /** M_FIRSTFIT: heads of the lists all of whose members are large enough; what illumos calls instant fit. */
  FIRSTFIT: 0x1000,
  /** M_BESTFIT: the first member that fits of the lowest list that has one. */
  BESTFIT: 0x2000,
  /** M_NEXTFIT: the first fit behind the cursor. */
  NEXTFIT: 0x8000,
} as const;

/** All strategies (VMEM_FITMASK). */
export const STRATEGIES = VmemFlag.FIRSTFIT | VmemFlag.BESTFIT | VmemFlag.NEXTFIT;

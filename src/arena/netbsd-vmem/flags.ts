/**
 * Flags of a request, with the values of sys/vmem.h [netbsd@b7a6451]. Without a strategy, instant fit. VM_SLEEP is the
 * absence of NOSLEEP here.
 */
export const VmFlag = {
  NOSLEEP: 0x2,
  INSTANTFIT: 0x1000,
  BESTFIT: 0x2000,
  /** The request is for memory that tags live in: it may use the reserve of spare tags. */
  POPULATING: 0x40000,
} as const;

/** Creation flags of an arena. */
export const ArenaFlag = {
  /** Spare tags are drawn at once: for the arenas that tags come from. */
  BOOTSTRAP: 0x10000,
  /** Imports are 16 times as large as the request. */
  LARGEIMPORT: 0x80000,
} as const;

/** Allocation flags with the values of sys/vmem.h [illumos@94ab2e1]. No flag at all is VM_SLEEP. */
export const VmFlag = {
  NOSLEEP: 0x1,
  PANIC: 0x2,
  PUSHPAGE: 0x4,
  NORMALPRI: 0x8,
  BESTFIT: 0x100,
  FIRSTFIT: 0x200,
  NEXTFIT: 0x400,
  ABORT: 0x2000,
  ENDALLOC: 0x4000,
} as const;

/** Flags that concern the memory supply; only these reach a source arena or a cache. */
export const KM_FLAGS = 0xff;
export const POLICY_FLAGS = VmFlag.BESTFIT | VmFlag.FIRSTFIT | VmFlag.NEXTFIT;

/** Creation flags of an arena. */
export const ArenaFlag = {
  POPULATOR: 0x10000,
  NO_QCACHE: 0x20000,
  IDENTIFIER: 0x40000,
  XALIGN: 0x100000,
  DUMPSAFE: 0x200000,
} as const;

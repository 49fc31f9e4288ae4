/** Bits of a request to a map. `quantum` and `noMerge` are also bits of the entry that records it. */
export const MapFlag = {
  /** The range is freed exactly as it was allocated, so its entry is kept when merging makes it superfluous. */
  quantum: 1,
  /** The range gets an entry of its own. */
  noMerge: 2,
  /** The range is at the hint or nowhere. */
  fixed: 4,
} as const;

/** The bits that must be equal in two entries that merge. */
export const MERGE_BITS: number = MapFlag.quantum | MapFlag.noMerge;

/**
 * Further bits of an entry: they say where its memory comes from. An entry of a kernel map keeps its bits when it is
 * freed and used again.
 */
export const EntryFlag = {
  ...MapFlag,
  /** Cut from a page of the map itself. */
  kernel: 8,
  /** Describes a page that entries are cut from. */
  entryPage: 16,
  /** The static entry of the kernel image. */
  first: 32,
} as const;

/** Bits of what a range is mapped with; entries merge only if all of them are equal. The low three are the protection. */
export const Attribute = {
  read: 1,
  allAccess: 7,
  /** Backed by the kernel object. */
  object: 8,
  /** Stands for a submap. */
  submap: 16,
} as const;

/** The bits of an attribute word that are the protection. */
export const PROTECTION_BITS: number = Attribute.allAccess;

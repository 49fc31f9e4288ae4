/** The memory of one map entry: its row in the columns of the supply that it comes from. */
export type MapEntry = number;

/** No entry: none asked for, or none to be had. */
export const NO_ENTRY: MapEntry = -1;

/** Where a map gets its entries. */
export interface EntrySupply {
  /** EntryFlag bits of each entry. */
  readonly flags: Int8Array;
  /** Whether entries are cut from pages of the map itself. */
  readonly isInKernel: boolean;
  /** Entries that are free without further memory. */
  readonly freeEntries: number;
  /** A free entry; NO_ENTRY if there is none and no memory for one. */
  take(): MapEntry;
  give(entry: MapEntry): void;
}

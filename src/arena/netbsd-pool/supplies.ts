import type { Address } from '../../core/address.js';

/** Where a pool gets its pages: an arena, or a map. */
export interface PageSource {
  /** A page of the pool's page length, or NO_ADDRESS. */
  allocPage(): Address;
  freePage(base: Address): void;
  /** Whether the map behind it is so short of space that pools are to give back all empty pages, however new. */
  readonly isStarved?: boolean;
}

/** A supply of structures whose addresses decide nothing: page headers, cache groups, boundary tags. */
export interface ItemSupply {
  /** Whether there was one. */
  take(): boolean;
  give(): void;
}

import { type Address, NO_ADDRESS } from '../../core/address.js';

/** Where caches get their own structures from, when those are taken from modelled memory themselves. */
export interface CacheMetadata {
  /** A slab structure; NO_ADDRESS when there is no memory for it. */
  allocSlab(flags: number): Address;
  freeSlab(structure: Address): void;
  allocBufctl(flags: number): Address;
  freeBufctl(bufctl: Address): void;
  allocMagazine(rounds: number): Address;
  freeMagazine(magazine: Address, rounds: number): void;
  /** Memory for a table of bufctls. */
  allocBufctlTable(buckets: number): Address;
  freeBufctlTable(table: Address, buckets: number): void;
}

/**
 * The structures outside of its slabs that a hashed cache keeps: a slab structure per slab, a bufctl per chunk.
 * Mirrors the metadata part of kmem_slab_create and kmem_slab_destroy, kmem.c [illumos@94ab2e1].
 */
export class SlabStructures {
  /** Bufctls of the slab that is being created (by chunk) or destroyed (top of the free stack first). */
  readonly bufctls: Float64Array;
  private readonly metadata: CacheMetadata;

  constructor(metadata: CacheMetadata, chunks: number) {
    this.metadata = metadata;
    this.bufctls = new Float64Array(chunks);
  }

  /** Takes a slab structure and fills `bufctls`. Returns the structure, or NO_ADDRESS with nothing taken. */
  take(flags: number): Address {
    const { metadata, bufctls } = this;
    const structure = metadata.allocSlab(flags);
    if (structure === NO_ADDRESS) return NO_ADDRESS;
    for (let chunk = 0; chunk < bufctls.length; chunk++) {
      bufctls[chunk] = metadata.allocBufctl(flags);
      if (bufctls[chunk] !== NO_ADDRESS) continue;
      for (let taken = chunk - 1; taken >= 0; taken--) metadata.freeBufctl(bufctls[taken]!);
      metadata.freeSlab(structure);
      return NO_ADDRESS;
    }
    return structure;
  }

  /** Gives back what `bufctls` lists, in its order, then the slab structure. */
  give(structure: Address): void {
    for (const bufctl of this.bufctls) this.metadata.freeBufctl(bufctl);
    this.metadata.freeSlab(structure);
  }
}

import { doubled } from '../avl-tree.js';
import type { CountedCache } from '../netbsd-pool/counted-cache.js';
import { type EntrySupply, type MapEntry, NO_ENTRY } from './entry-supply.js';

const INITIAL_ENTRIES = 64;

/**
 * Entries of plain submaps, from the pool cache `vmmpepl` that they share: `uvm_mapent_alloc` of NetBSD 5.2
 * [netbsd@301a139], spec §2.5. Such an entry comes without flags.
 */
export class PooledEntries implements EntrySupply {
  readonly isInKernel = false;
  flags: Int8Array = new Int8Array(INITIAL_ENTRIES);
  private next: Int32Array = new Int32Array(INITIAL_ENTRIES);
  private spare = NO_ENTRY;
  private rows = 0;

  constructor(private readonly cache: CountedCache) {}

  get freeEntries(): number {
    return this.cache.cached;
  }

  take(): MapEntry {
    if (!this.cache.take()) return NO_ENTRY;
    const entry = this.spare === NO_ENTRY ? this.newRow() : this.spare;
    if (entry === this.spare) this.spare = this.next[entry]!;
    this.flags[entry] = 0;
    return entry;
  }

  give(entry: MapEntry): void {
    this.cache.give();
    this.next[entry] = this.spare;
    this.spare = entry;
  }

  private newRow(): MapEntry {
    if (this.rows === this.next.length) {
      this.next = doubled(this.next, Int32Array);
      this.flags = doubled(this.flags, Int8Array);
    }
    return this.rows++;
  }
}

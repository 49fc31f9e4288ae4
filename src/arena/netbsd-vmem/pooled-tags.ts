import type { ItemSupply } from '../netbsd-pool/supplies.js';
import type { TagStore } from './spare-tags.js';
import { NO_TAG, Origin, type TagTable } from './tags.js';

/**
 * The tags of an arena of NetBSD 5.2: each comes from the pool cache `vmembt` when it is asked for and goes back as soon
 * as it is not needed. There is no reserve, so that nothing below pool(9) can use vmem.
 * Mirrors bt_alloc and bt_free, subr_vmem.c [netbsd@301a139].
 */
export class PooledTags implements TagStore {
  readonly count = 0;
  readonly spareTags = 0;
  readonly deepestRefill = 0;
  tagsTaken = 0;

  constructor(
    private readonly tags: TagTable,
    private readonly supply: ItemSupply,
  ) {}

  take(): number {
    if (!this.supply.take()) return NO_TAG;
    this.tagsTaken++;
    return this.tags.create(Origin.pool);
  }

  give(tag: number): void {
    this.tags.destroy(tag);
    this.supply.give();
  }

  trim(): void {}
}

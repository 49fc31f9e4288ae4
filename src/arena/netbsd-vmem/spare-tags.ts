import { InvariantError } from '../../core/errors.js';
import type { SimulatedLock } from '../../core/locks.js';
import type { SpareTagFigures } from '../view.js';
import { VmFlag } from './flags.js';
import type { TagSupply } from './tag-supply.js';
import { NO_TAG, Origin, type TagTable } from './tags.js';

/** Spare tags that only requests for tag memory itself may use (BT_MINRESERVE). */
export const RESERVE = 4;

/** Spare tags that an arena keeps after a free (BT_MAXFREE). */
export const MOST_SPARES = 64;

/** Where an arena keeps or gets the tags that are not in its lists. */
export interface TagStore extends SpareTagFigures {
  /** Tags kept for later. */
  readonly count: number;
  /** A tag on no list, or NO_TAG. `flags`: VmFlag bits of the request that needs it. */
  take(flags: number): number;
  give(tag: number): void;
  /** Called when a free is done: gives back what is too many. */
  trim(): void;
}

/**
 * The spare tags of one arena, last in first out. Taking one of the last few draws on the supply first.
 * Mirrors bt_alloc, bt_free and bt_freetrim, subr_vmem.c [netbsd@b7a6451].
 */
export class SpareTags implements TagStore {
  count = 0;
  tagsTaken = 0;
  private head = NO_TAG;
  private readonly tags: TagTable;
  private readonly supply: TagSupply;
  private readonly lock: SimulatedLock;

  constructor(tags: TagTable, supply: TagSupply, lock: SimulatedLock) {
    this.tags = tags;
    this.supply = supply;
    this.lock = lock;
  }

  get spareTags(): number {
    return this.count;
  }

  get deepestRefill(): number {
    return this.supply.deepest;
  }

  /** A tag, or NO_TAG when the supply is exhausted. */
  take(flags: number): number {
    this.lock.acquire();
    if (this.count <= RESERVE && (flags & VmFlag.POPULATING) === 0) {
      if (!this.supply.refill(this)) return NO_TAG;
      this.lock.acquire();
    }
    const tag = this.head;
    if (tag === NO_TAG) throw new InvariantError('the reserve of spare tags is used up');
    this.head = this.tags.kinNext[tag]!;
    this.count--;
    this.tagsTaken++;
    return tag;
  }

  give(tag: number): void {
    this.lock.acquire();
    this.tags.kinNext[tag] = this.head;
    this.head = tag;
    this.count++;
  }

  /** Adds a tag from the supply. */
  add(origin: number): void {
    const tag = this.tags.create(origin);
    this.tags.kinNext[tag] = this.head;
    this.head = tag;
    this.count++;
  }

  /** Gives what exceeds MOST_SPARES back to where it came from. */
  trim(): void {
    this.lock.acquire();
    const { tags } = this;
    while (this.count > MOST_SPARES) {
      const tag = this.head;
      this.head = tags.kinNext[tag]!;
      this.count--;
      this.supply.give(tags.origin[tag] === Origin.static);
      tags.destroy(tag);
    }
  }

  /** Takes the lock, as each look of the supply at the number of spares does. */
  isLow(): boolean {
    this.lock.acquire();
    return this.count <= RESERVE;
  }
}

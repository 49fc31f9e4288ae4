import type { ItemSupply } from '../netbsd-pool/supplies.js';
import { RESERVE, type SpareTags } from './spare-tags.js';
import { Origin } from './tags.js';

/** Tags of the kernel image, for the time before there is a pool of them (STATIC_BT_COUNT). */
export const STATIC_TAGS = 200;

/**
 * Where all arenas get boundary tags from: the kernel's static ones first, then the pool `vmembt`. The pages of that pool
 * come from arenas that need tags as well; those are refilled after every other arena, lest they run dry.
 * Mirrors bt_refill, subr_vmem.c [netbsd@b7a6451].
 */
export class TagSupply {
  /** Static tags that no arena has. */
  staticLeft = STATIC_TAGS;
  /** Tags of the pool that some arena has. */
  fromPool = 0;
  /** Refills under way, and the most that ever were: refilling the last three arenas refills. */
  private depth = 0;
  deepest = 0;
  refills = 0;
  /** Supplies tags once the static ones are used up; null before it is created. */
  private pool: ItemSupply | null = null;
  private dependants: readonly SpareTags[] = [];

  /** Tags of all arenas, spare ones included. */
  get allocated(): number {
    return STATIC_TAGS - this.staticLeft + this.fromPool;
  }

  /** From now on tags come from `pool` as well, and the arenas behind it are kept supplied. */
  connect(pool: ItemSupply, dependants: readonly SpareTags[]): void {
    this.pool = pool;
    this.dependants = dependants;
  }

  /** Fills the spares up to one above the reserve; false if that is impossible. */
  refill(spares: SpareTags): boolean {
    if (!spares.isLow()) return true;
    this.refills++;
    this.depth++;
    if (this.depth > this.deepest) this.deepest = this.depth;
    const filled = this.fill(spares);
    if (filled)
      for (let index = 0; index < this.dependants.length; index++) this.refill(this.dependants[index]!);
    this.depth--;
    return filled;
  }

  give(isStatic: boolean): void {
    if (isStatic) {
      this.staticLeft++;
      return;
    }
    this.fromPool--;
    this.pool!.give();
  }

  private fill(spares: SpareTags): boolean {
    while (this.staticLeft > 0 && spares.count <= RESERVE) {
      spares.add(Origin.static);
      this.staticLeft--;
    }
    while (spares.count <= RESERVE) {
      if (this.pool === null || !this.pool.take()) return false;
      this.fromPool++;
      spares.add(Origin.pool);
    }
    return true;
  }
}

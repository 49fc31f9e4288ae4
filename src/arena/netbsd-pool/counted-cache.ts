import type { ItemSupply } from './supplies.js';

/**
 * A pool_cache(9) on one CPU in numbers: two groups of objects on the CPU, full and empty ones in the depot
 * (spec §1.10). Only how many objects and groups exist is kept.
 */
export class CountedCache implements ItemSupply {
  private current = 0;
  private previous = 0;
  /** Groups on the CPU; a put on a fresh cache brings the first. */
  private loaded = 0;
  private fullGroups = 0;
  private emptyGroups = 0;

  constructor(
    private readonly objects: ItemSupply,
    private readonly groups: ItemSupply,
    private readonly groupObjects: number,
  ) {}

  /** Objects held for reuse. */
  get cached(): number {
    return this.current + this.previous + this.fullGroups * this.groupObjects;
  }

  /** Takes an object. Answers false if there is no memory. */
  take(): boolean {
    if (this.current === 0 && this.previous > 0) this.swap();
    if (this.current === 0 && this.fullGroups > 0) {
      this.fullGroups--;
      this.emptyGroups++;
      this.current = this.groupObjects;
    }
    if (this.current === 0) return this.objects.take();
    this.current--;
    return true;
  }

  /** Gives an object back: into a group, or into the pool if there is no memory for one. */
  give(): void {
    if (this.loaded === 0 || this.current === this.groupObjects) {
      if (this.loaded === 2 && this.previous < this.groupObjects) this.swap();
      else if (!this.loadEmptyGroup()) {
        this.objects.give();
        return;
      }
    }
    this.current++;
  }

  /** The first group of a fresh cache becomes the previous one and is swapped in; the second likewise. */
  private loadEmptyGroup(): boolean {
    if (this.emptyGroups > 0) this.emptyGroups--;
    else if (!this.groups.take()) return false;
    if (this.loaded < 2) {
      this.loaded++;
      this.previous = this.current;
    } else {
      this.fullGroups++;
    }
    this.current = 0;
    return true;
  }

  private swap(): void {
    const { current } = this;
    this.current = this.previous;
    this.previous = current;
  }
}

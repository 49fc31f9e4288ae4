import type { ItemSupply } from '../netbsd-pool/supplies.js';

/** Answers whether a page was to be had. */
export type PageSource = () => boolean;

/**
 * A pool(9) of which only the number of its pages matters: items in use and free, and where pages come from. Pages are
 * never given back, since nothing reclaims these pools here (THEORY.md, D4).
 */
export class CountedPool {
  pages = 0;
  inUse = 0;

  /** `headers`: the pool that the page headers come from; none if they are on the page. */
  constructor(
    private readonly perPage: number,
    private readonly takePage: PageSource,
    private readonly headers: CountedPool | null,
  ) {}

  /** Takes an item. Answers false if there is no memory. */
  take(): boolean {
    if (this.inUse === this.pages * this.perPage && !this.grow()) return false;
    this.inUse++;
    return true;
  }

  give(): void {
    this.inUse--;
  }

  private grow(): boolean {
    if (!this.takePage()) return false;
    if (this.headers !== null && !this.headers.take()) return false;
    this.pages++;
    return true;
  }
}

/**
 * A pool_cache(9) on one CPU in numbers: two groups of objects on the CPU, full and empty ones in the depot
 * (spec §1.10). Only how many objects and groups exist is kept.
 */
export class CountedCache {
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

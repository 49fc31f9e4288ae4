import type { Address } from '../../core/address.js';

/** Magazine types: rounds per magazine, and the chunk size above which a new cache begins with the type. */
const TYPES = [
  { rounds: 1, minChunk: 3200 },
  { rounds: 3, minChunk: 256 },
  { rounds: 7, minChunk: 64 },
  { rounds: 15, minChunk: 0 },
] as const;

/**
 * Rounds of the magazines that a cache with chunks of `bytes` begins with. The kernel grows them only on contention
 * for the depot lock, which a single-threaded run never sees. Mirrors kmem_magtype, kmem.c [illumos@94ab2e1].
 */
export function initialRounds(bytes: number): number {
  return TYPES.find((type) => bytes > type.minChunk)!.rounds;
}

/**
 * All magazines of one cache: a magazine is a row number with `rounds` places for addresses. Unused rows are
 * chained, and the depot's lists run through the same links.
 */
export class MagazinePool {
  readonly rounds: number;
  /** Row `magazine` occupies places [magazine × rounds, (magazine + 1) × rounds). */
  places: Float64Array;
  next: Int32Array;
  /** Magazines in existence. */
  count = 0;
  private unused = NONE;
  private used = 0;

  constructor(rounds: number) {
    this.rounds = rounds;
    this.places = new Float64Array(rounds * 16);
    this.next = new Int32Array(16);
  }

  create(): number {
    this.count++;
    const magazine = this.unused;
    if (magazine === NONE) {
      if (this.used === this.next.length) this.grow();
      return this.used++;
    }
    this.unused = this.next[magazine]!;
    return magazine;
  }

  destroy(magazine: number): void {
    this.count--;
    this.next[magazine] = this.unused;
    this.unused = magazine;
  }

  round(magazine: number, index: number): Address {
    return this.places[magazine * this.rounds + index]!;
  }

  private grow(): void {
    const rows = this.next.length * 2;
    const next = new Int32Array(rows);
    const places = new Float64Array(rows * this.rounds);
    next.set(this.next);
    places.set(this.places);
    this.next = next;
    this.places = places;
  }
}

/** No magazine. */
export const NONE = -1;

/**
 * One of a depot's two lists, last in first out, with the working-set figures that decide what may be reaped: only
 * magazines that lay untouched through a whole interval between two ticks.
 * Mirrors kmem_maglist_t and kmem_depot_ws_update, kmem.c [illumos@94ab2e1].
 */
export class DepotList {
  total = 0;
  /** Smallest total since the last tick. */
  min = 0;
  reapLimit = 0;
  private head = NONE;
  private readonly pool: MagazinePool;

  constructor(pool: MagazinePool) {
    this.pool = pool;
  }

  push(magazine: number): void {
    this.pool.next[magazine] = this.head;
    this.head = magazine;
    this.total++;
  }

  /** Takes the head, or NONE. */
  pop(): number {
    const magazine = this.head;
    if (magazine === NONE) return NONE;
    this.head = this.pool.next[magazine]!;
    this.total--;
    if (this.total < this.min) this.min = this.total;
    return magazine;
  }

  updateWorkingSet(): void {
    this.reapLimit = this.min;
    this.min = this.total;
  }

  /** Declares everything reapable. */
  emptyWorkingSet(): void {
    this.reapLimit = this.total;
    this.min = this.total;
  }

  /** Magazines that a reap takes from the list. */
  get reapable(): number {
    return Math.min(this.reapLimit, this.min);
  }
}

import { type Address, NO_ADDRESS } from '../../core/address.js';
import type { SimulatedLock } from '../../core/locks.js';
import type { CacheMetadata } from './slab-structures.js';

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

/** No magazine. */
export const NONE = -1;

/** Magazine numbers, last in first out. */
class MagazineStack {
  /** Magazines in the stack. */
  total = 0;
  private stack = new Int32Array(16);

  push(magazine: number): void {
    if (this.total === this.stack.length) this.grow();
    this.stack[this.total++] = magazine;
  }

  /** Takes the top, or NONE. */
  pop(): number {
    return this.total === 0 ? NONE : this.stack[--this.total]!;
  }

  private grow(): void {
    const stack = new Int32Array(this.total * 2);
    stack.set(this.stack);
    this.stack = stack;
  }
}

/** All magazines of one cache: a magazine is a row number with `rounds` places for addresses. */
export class MagazinePool {
  readonly rounds: number;
  /** Row `magazine` occupies places [magazine × rounds, (magazine + 1) × rounds). */
  places: Float64Array;
  /** Magazines in existence. */
  count = 0;
  private readonly unused = new MagazineStack();
  private rows = 0;
  private readonly metadata: CacheMetadata | null;
  /** Address of each magazine itself, kept where metadata are modelled. */
  private addresses = new Float64Array(0);

  constructor(rounds: number, metadata: CacheMetadata | null) {
    this.rounds = rounds;
    this.metadata = metadata;
    this.places = new Float64Array(rounds * 16);
    if (metadata !== null) this.addresses = new Float64Array(16);
  }

  /** A new magazine, or NONE when there is no memory for it. */
  create(): number {
    const { metadata } = this;
    const address = metadata === null ? 0 : metadata.allocMagazine(this.rounds);
    if (address === NO_ADDRESS) return NONE;
    const magazine = this.takeRow();
    if (metadata !== null) this.addresses[magazine] = address;
    return magazine;
  }

  destroy(magazine: number): void {
    this.count--;
    this.unused.push(magazine);
    this.metadata?.freeMagazine(this.addresses[magazine]!, this.rounds);
  }

  round(magazine: number, index: number): Address {
    return this.places[magazine * this.rounds + index]!;
  }

  private takeRow(): number {
    this.count++;
    const magazine = this.unused.pop();
    if (magazine !== NONE) return magazine;
    if (this.rows * this.rounds === this.places.length) this.grow();
    return this.rows++;
  }

  private grow(): void {
    const places = new Float64Array(this.places.length * 2);
    places.set(this.places);
    this.places = places;
    const addresses = new Float64Array(this.addresses.length * 2);
    addresses.set(this.addresses);
    this.addresses = addresses;
  }
}

/**
 * One of a depot's two lists, last in first out, with the working-set figures that decide what may be reaped: only
 * magazines that lay untouched through a whole interval between two ticks.
 * Mirrors kmem_maglist_t and kmem_depot_ws_update, kmem.c [illumos@94ab2e1].
 */
export class DepotList extends MagazineStack {
  /** Smallest total since the last tick. */
  min = 0;
  reapLimit = 0;

  override pop(): number {
    const magazine = super.pop();
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

/** Places in `MagazineLayer.away` per CPU. */
const AWAY = { loaded: 0, rounds: 1, previous: 2, previousRounds: 3, columns: 4 } as const;

/**
 * The magazine layer of one cache: a loaded and a previous magazine per CPU, and the depot. The state of the CPU that
 * used the cache last is kept in plain fields, because most operations touch nothing else; that of the others is away.
 * Mirrors the loops of kmem_cache_alloc and kmem_cache_free, kmem.c [illumos@94ab2e1].
 */
export class MagazineLayer {
  readonly pool: MagazinePool;
  readonly full: DepotList;
  readonly empty: DepotList;
  /** Requests served by a magazine, and frees taken by one. */
  allocs = 0;
  frees = 0;
  private readonly capacity: number;
  private readonly depotLock: SimulatedLock;
  private readonly away: Int32Array;
  private cpu = 0;
  private loaded = NONE;
  /** Rounds in the loaded magazine, -1 without one. */
  private rounds = -1;
  private previous = NONE;
  private previousRounds = -1;

  constructor(rounds: number, cpus: number, depotLock: SimulatedLock, metadata: CacheMetadata | null) {
    this.capacity = rounds;
    this.depotLock = depotLock;
    this.pool = new MagazinePool(rounds, metadata);
    this.full = new DepotList();
    this.empty = new DepotList();
    this.away = new Int32Array(cpus * AWAY.columns).fill(-1);
  }

  /** Sees to it that the CPU's loaded magazine has a round for `pop`; false if there is none anywhere. */
  findRound(cpu: number): boolean {
    if (cpu !== this.cpu) this.switchTo(cpu);
    return this.rounds > 0 || this.loadRounds();
  }

  /** Takes the top round; only after `findRound`. */
  pop(): Address {
    this.allocs++;
    this.rounds--;
    return this.pool.places[this.loaded * this.capacity + this.rounds]!;
  }

  /** Sees to it that the CPU's loaded magazine has room for `push`; false if no magazine could be had. */
  findRoom(cpu: number): boolean {
    if (cpu !== this.cpu) this.switchTo(cpu);
    return (this.rounds >= 0 && this.rounds !== this.capacity) || this.loadRoom();
  }

  /** Puts a buffer on top; only after `findRoom`. */
  push(address: Address): void {
    this.pool.places[this.loaded * this.capacity + this.rounds] = address;
    this.frees++;
    this.rounds++;
  }

  /** Rounds in magazines: the CPUs' and the depot's. */
  get roundsHeld(): number {
    this.switchTo(this.cpu);
    let count = this.full.total * this.capacity;
    for (let cpu = 0; cpu * AWAY.columns < this.away.length; cpu++) {
      count +=
        Math.max(0, this.roundsOf(cpu, AWAY.rounds)) + Math.max(0, this.roundsOf(cpu, AWAY.previousRounds));
    }
    return count;
  }

  /** `rounds/previous rounds` of each CPU, -1 = no magazine. */
  cpuRounds(): string[] {
    this.switchTo(this.cpu);
    return Array.from({ length: this.away.length / AWAY.columns }, (_, cpu) => {
      return `${this.roundsOf(cpu, AWAY.rounds)}/${this.roundsOf(cpu, AWAY.previousRounds)}`;
    });
  }

  /** Takes the head of a depot list, NONE if it is empty. */
  takeFrom(list: DepotList): number {
    this.depotLock.acquire();
    return list.pop();
  }

  private roundsOf(cpu: number, column: number): number {
    return this.away[cpu * AWAY.columns + column]!;
  }

  private loadRounds(): boolean {
    if (this.previousRounds > 0) {
      this.swap();
      return true;
    }
    const magazine = this.takeFrom(this.full);
    if (magazine === NONE) return false;
    this.load(magazine, this.capacity, this.empty);
    return true;
  }

  private loadRoom(): boolean {
    if (this.previousRounds === 0) {
      this.swap();
      return true;
    }
    let magazine = this.takeFrom(this.empty);
    if (magazine === NONE) {
      const created = this.pool.create();
      if (created === NONE) return false;
      this.retire(created, this.empty);
      magazine = this.takeFrom(this.empty);
    }
    this.load(magazine, 0, this.full);
    return true;
  }

  private swap(): void {
    const { loaded, rounds } = this;
    this.loaded = this.previous;
    this.rounds = this.previousRounds;
    this.previous = loaded;
    this.previousRounds = rounds;
  }

  /** Loads a magazine of the depot; the loaded one becomes the previous, which goes to `retired`. */
  private load(magazine: number, rounds: number, retired: DepotList): void {
    if (this.previous !== NONE) this.retire(this.previous, retired);
    this.previous = this.loaded;
    this.previousRounds = this.rounds;
    this.loaded = magazine;
    this.rounds = rounds;
  }

  private retire(magazine: number, list: DepotList): void {
    this.depotLock.acquire();
    list.push(magazine);
  }

  private switchTo(cpu: number): void {
    const { away } = this;
    const from = this.cpu * AWAY.columns;
    away[from + AWAY.loaded] = this.loaded;
    away[from + AWAY.rounds] = this.rounds;
    away[from + AWAY.previous] = this.previous;
    away[from + AWAY.previousRounds] = this.previousRounds;
    const to = cpu * AWAY.columns;
    this.cpu = cpu;
    this.loaded = away[to + AWAY.loaded]!;
    this.rounds = away[to + AWAY.rounds]!;
    this.previous = away[to + AWAY.previous]!;
    this.previousRounds = away[to + AWAY.previousRounds]!;
  }
}

import { highestBit, type ReferenceFlags, type ReferenceFrontCache } from './reference-vmem.js';

/** A slab: its free buffers as a stack, the last being handed out first. */
interface Slab {
  readonly base: bigint;
  readonly key: bigint;
  readonly free: bigint[];
  readonly buffers: Set<bigint>;
}

/** A magazine is the stack of its rounds. */
type Magazine = bigint[];

/** One of the two lists of a depot, its head last. */
interface DepotList {
  readonly magazines: Magazine[];
  min: number;
  reapLimit: number;
}

export interface ReferenceCacheOptions {
  readonly name: string;
  readonly bufferBytes: bigint;
  readonly quantum: bigint;
  readonly slabBytes: bigint;
  readonly cpus: number;
  readonly identifiers: boolean;
  readonly currentCpu: () => number;
  readonly takeSlab: (flags: ReferenceFlags) => bigint | null;
  readonly returnSlab: (base: bigint) => void;
  /** What decides between equal slabs, asked once per new slab in order of creation. */
  readonly slabKey: (base: bigint) => bigint;
}

/**
 * The slow reference of a quantum cache: slabs, per-CPU magazines and depot as plain arrays, written from §9–§11 of
 * spec/illumos-vmem.md alone.
 */
export class ReferenceCache implements ReferenceFrontCache {
  readonly slabs: Slab[] = [];
  readonly full: DepotList = { magazines: [], min: 0, reapLimit: 0 };
  readonly empty: DepotList = { magazines: [], min: 0, reapLimit: 0 };
  readonly loaded: (Magazine | null)[];
  readonly previous: (Magazine | null)[];
  readonly counters = { slabCreate: 0, slabDestroy: 0, slabAlloc: 0, slabFree: 0, cpuAlloc: 0, cpuFree: 0 };
  readonly chunk: bigint;
  readonly maxChunks: number;
  readonly rounds: number;
  hashSize = 64;

  constructor(readonly options: ReferenceCacheOptions) {
    const { bufferBytes, quantum, slabBytes, cpus } = options;
    this.chunk = quantum >= 8n ? ((bufferBytes + 7n) / 8n) * 8n : bufferBytes;
    this.maxChunks = Number(slabBytes / this.chunk);
    this.rounds = this.chunk > 3200n ? 1 : this.chunk > 256n ? 3 : this.chunk > 64n ? 7 : 15;
    this.loaded = Array<Magazine | null>(cpus).fill(null);
    this.previous = Array<Magazine | null>(cpus).fill(null);
  }

  /** Partial slabs in the order in which they are used: least weight first, then least key. */
  get partial(): Slab[] {
    const used = (slab: Slab) => this.maxChunks - slab.free.length;
    return this.slabs
      .filter((slab) => slab.free.length > 0 && used(slab) > 0)
      .sort((a, b) => this.weight(used(a)) - this.weight(used(b)) || (a.key < b.key ? -1 : 1));
  }

  /** §10 */
  alloc(flags: ReferenceFlags): bigint | null {
    const cpu = this.options.currentCpu();
    for (;;) {
      const round = this.loaded[cpu]?.pop();
      if (round !== undefined) {
        this.counters.cpuAlloc++;
        return round;
      }
      if ((this.previous[cpu]?.length ?? 0) > 0) this.swap(cpu);
      else if (!this.exchange(cpu, this.full, this.empty)) return this.slabAlloc(flags);
    }
  }

  free(address: bigint): void {
    const cpu = this.options.currentCpu();
    for (;;) {
      const loaded = this.loaded[cpu] ?? null;
      if (loaded !== null && loaded.length < this.rounds) {
        this.counters.cpuFree++;
        loaded.push(address);
        return;
      }
      if (this.previous[cpu]?.length === 0) this.swap(cpu);
      else if (!this.exchange(cpu, this.empty, this.full)) this.empty.magazines.push([]);
    }
  }

  /** §11: the cache's first part of a tick. */
  updateWorkingSet(): void {
    for (const list of [this.full, this.empty]) {
      list.reapLimit = list.min;
      list.min = list.magazines.length;
    }
  }

  /** §9: the cache's second part of a tick. */
  rescaleHash(): void {
    const mask = this.hashSize - 1;
    const total = this.slabs.length * this.maxChunks;
    if (total <= 2 * mask && (total >= Math.floor(mask / 2) || mask <= 64)) return;
    const wanted = Math.max(64, 2 ** (highestBit(BigInt(3 * total + 4)) - 2));
    if (wanted < this.hashSize / 2 || wanted > this.hashSize * 2) this.hashSize = wanted;
  }

  /** §11: declares the whole depot reapable. */
  emptyWorkingSet(): void {
    for (const list of [this.full, this.empty]) {
      list.reapLimit = list.magazines.length;
      list.min = list.magazines.length;
    }
  }

  reap(): void {
    for (const list of [this.full, this.empty]) {
      const count = Math.min(list.reapLimit, list.min);
      for (let left = count; left > 0; left--) {
        const magazine = take(list);
        if (magazine === undefined) break;
        for (const round of magazine) this.slabFree(round);
      }
    }
  }

  private swap(cpu: number): void {
    const loaded = this.loaded[cpu]!;
    this.loaded[cpu] = this.previous[cpu]!;
    this.previous[cpu] = loaded;
  }

  /** Loads the head of `from`; the previous magazine goes to `to`, the loaded one becomes the previous. */
  private exchange(cpu: number, from: DepotList, to: DepotList): boolean {
    const magazine = take(from);
    if (magazine === undefined) return false;
    const previous = this.previous[cpu] ?? null;
    if (previous !== null) to.magazines.push(previous);
    this.previous[cpu] = this.loaded[cpu]!;
    this.loaded[cpu] = magazine;
    return true;
  }

  private weight(used: number): number {
    const bin = highestBit(BigInt(Math.floor(this.maxChunks / 16))) + 1;
    if (used <= bin || this.maxChunks - used <= bin) return -used;
    return -(bin + Math.floor(used / 2 ** bin));
  }

  private slabAlloc(flags: ReferenceFlags): bigint | null {
    let slab = this.partial[0];
    if (slab === undefined) {
      const base = this.options.takeSlab(flags);
      if (base === null) return null;
      const free = Array.from({ length: this.maxChunks }, (_, index) => base + BigInt(index) * this.chunk);
      slab = { base, key: this.options.slabKey(base), free, buffers: new Set(free) };
      this.slabs.push(slab);
      this.counters.slabCreate++;
    }
    this.counters.slabAlloc++;
    return slab.free.pop()!;
  }

  private slabFree(address: bigint): void {
    const position = this.slabs.findIndex((slab) => slab.buffers.has(address));
    const slab = this.slabs[position];
    if (slab === undefined || slab.free.includes(address)) throw new Error(`bad buffer ${address}`);
    slab.free.push(address);
    this.counters.slabFree++;
    if (slab.free.length < this.maxChunks) return;
    this.slabs.splice(position, 1);
    this.counters.slabDestroy++;
    this.options.returnSlab(slab.base);
  }
}

/** Takes the head of a depot list. */
function take(list: DepotList): Magazine | undefined {
  const magazine = list.magazines.pop();
  list.min = Math.min(list.min, list.magazines.length);
  return magazine;
}

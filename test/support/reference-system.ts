import { createHash } from 'node:crypto';
import { ReferenceCache } from './reference-kmem.js';
import {
  type Element,
  highestBit,
  larger,
  ReferenceArena,
  type ReferenceSource,
  up,
} from './reference-vmem.js';

/** An arena as case.json and arenas.csv describe it. */
export interface ArenaDescription {
  readonly name: string;
  /** Hexadecimal. */
  readonly base: string;
  readonly size: number;
  readonly quantum: number;
  readonly source: string | null;
  readonly qcache_max: number;
  readonly flags: string;
  readonly import_gran: number;
  readonly import: 'none' | 'vmem' | 'vmem_nofree' | 'xgran' | 'xgran_align';
}

/** An operation as ops.csv.gz has it, without result; lengths in bytes, 0n = none. */
export interface CaseOperation {
  readonly op: 'alloc' | 'xalloc' | 'free' | 'xfree' | 'add' | 'update' | 'reap' | 'qreap' | 'cpu';
  readonly arena: string;
  readonly id: number;
  readonly size: bigint;
  readonly align: bigint;
  readonly phase: bigint;
  readonly nocross: bigint;
  readonly min: bigint;
  readonly max: bigint;
  /** Names joined by `|`. */
  readonly flags: string;
}

export interface ReferenceSystemOptions {
  readonly arenas: readonly ArenaDescription[];
  readonly cpus?: number;
  readonly autoReap?: boolean;
  /** Keys of slabs in order of creation; default: their bases. */
  readonly slabKeys?: readonly bigint[];
}

type Row = Readonly<Record<string, string>>;

export function hex(address: bigint): string {
  return `0x${address.toString(16)}`;
}

function sha256(lines: readonly string[]): string {
  return createHash('sha256').update(lines.join('')).digest('hex');
}

/**
 * The slow reference as a whole: carries out the operations of a golden case and writes the same tables as the oracle
 * does, independent of all code under src/.
 */
export class ReferenceSystem {
  readonly arenas: ReferenceArena[] = [];
  readonly caches: { readonly arena: string; readonly cache: ReferenceCache }[] = [];
  seq = 0;
  private cpu = 0;
  /** Slabs that were ever created. */
  private slabs = 0;
  private readonly live = new Map<number, { address: bigint; size: bigint }>();
  private readonly wantReap = { ordinary: false, identifiers: false };
  private readonly throttled = { ordinary: false, identifiers: false };

  constructor(private readonly options: ReferenceSystemOptions) {
    for (const description of options.arenas) this.createArena(description);
  }

  arena(name: string): ReferenceArena {
    return this.arenas.find((arena) => arena.name === name)!;
  }

  /** Carries out the next operation and returns the text of its result. */
  execute(operation: CaseOperation): string {
    this.seq++;
    const result = this.carryOut(operation);
    this.runReaps();
    return result;
  }

  private carryOut(operation: CaseOperation): string {
    const { op, id, size, min } = operation;
    const arena = this.arena(operation.arena);
    const flags = new Set(operation.flags.split('|'));
    switch (op) {
      case 'alloc':
        return this.remember(id, size, arena.alloc(size, flags));
      case 'xalloc':
        return this.remember(id, size, arena.xalloc(size, operation, flags));
      case 'free':
      case 'xfree': {
        const object = this.live.get(id)!;
        this.live.delete(id);
        if (op === 'free') arena.free(object.address, object.size);
        else arena.xfree(object.address, object.size);
        return '';
      }
      case 'add':
        arena.addSpan(min, size);
        return hex(min);
      case 'cpu':
        this.cpu = Number(size);
        return '';
      default:
        this.maintain(op, operation.arena);
        return '';
    }
  }

  private maintain(op: 'update' | 'reap' | 'qreap', arena: string): void {
    if (op === 'update') {
      this.throttled.ordinary = false;
      this.throttled.identifiers = false;
      for (const each of this.arenas) each.update();
      for (const { cache } of this.caches) cache.updateWorkingSet();
      for (const { cache } of this.caches) cache.rescaleHash();
      return;
    }
    const reaped = this.caches.filter((entry) => op === 'reap' || entry.arena === arena);
    if (op === 'qreap') for (const { cache } of reaped) cache.emptyWorkingSet();
    for (const { cache } of reaped) cache.reap();
  }

  private remember(id: number, size: bigint, address: bigint | null): string {
    if (address === null) return 'ENOMEM';
    this.live.set(id, { address, size });
    return hex(address);
  }

  private runReaps(): void {
    for (const kind of ['ordinary', 'identifiers'] as const) {
      if (!this.wantReap[kind]) continue;
      this.wantReap[kind] = false;
      for (const { cache } of this.caches) if (kind === 'ordinary' || cache.options.identifiers) cache.reap();
    }
  }

  private requestReap(kind: 'ordinary' | 'identifiers'): void {
    if (this.options.autoReap !== true || this.throttled[kind]) return;
    this.throttled[kind] = true;
    this.wantReap[kind] = true;
  }

  /** §1: creation. */
  private createArena(description: ArenaDescription): void {
    const { name, flags, size } = description;
    const quantum = BigInt(description.quantum);
    const identifiers = flags.includes('IDENTIFIER');
    const cachedQuanta = Math.min(Math.floor(description.qcache_max / description.quantum), 16);
    const slabBytes = larger(2n ** BigInt(highestBit(3n * BigInt(cachedQuanta) * quantum)), 64n);
    const uncached = flags.includes('NO_QCACHE');
    const arena = new ReferenceArena({
      name,
      quantum,
      source: this.source(description),
      qcacheMax: uncached ? 0n : BigInt(cachedQuanta) * quantum,
      minImport: uncached ? slabBytes : 0n,
      promisesAlignment: description.import === 'xgran_align',
      onRefused: () => this.requestReap(identifiers ? 'identifiers' : 'ordinary'),
    });
    arena.caches = Array.from({ length: uncached ? 0 : cachedQuanta }, (_, index) =>
      this.createCache(arena, BigInt(index + 1) * quantum, slabBytes, identifiers),
    );
    this.arenas.push(arena);
    if (size > 0) arena.addSpan(BigInt(description.base), BigInt(size));
  }

  private createCache(arena: ReferenceArena, bytes: bigint, slabBytes: bigint, identifiers: boolean) {
    const name = `${arena.name}_${bytes}`;
    const cache = new ReferenceCache({
      name,
      bufferBytes: bytes,
      quantum: arena.quantum,
      slabBytes,
      cpus: this.options.cpus ?? 1,
      identifiers,
      currentCpu: () => this.cpu,
      takeSlab: (flags) => arena.alloc(slabBytes, flags),
      returnSlab: (base) => arena.free(base, slabBytes),
      slabKey: (base) => {
        const key = this.options.slabKeys?.[this.slabs++];
        return key ?? base;
      },
    });
    this.caches.push({ arena: arena.name, cache });
    return cache;
  }

  private source(description: ArenaDescription): ReferenceSource | null {
    const kind = description.import;
    if (kind === 'none') return null;
    const source = this.arena(description.source!);
    const granularity = kind.startsWith('xgran') ? BigInt(description.import_gran) : 1n;
    return {
      quantum: source.quantum,
      returnsSpans: kind !== 'vmem_nofree',
      take: (wanted, align, flags) => {
        const size = up(wanted, granularity);
        const aligned = { align: larger(align, source.quantum), phase: 0n };
        const base =
          kind === 'xgran_align'
            ? source.xalloc(size, { ...aligned, nocross: 0n, min: 0n, max: 0n }, flags)
            : source.alloc(size, flags);
        return base === null ? null : { base, size };
      },
      giveBack: (base, size) => {
        if (kind === 'xgran_align') source.xfree(base, size);
        else source.free(base, size);
      },
    };
  }

  /** A row of checkpoints.csv, without what only the oracle knows. */
  arenaRow(arena: ReferenceArena): Row {
    const { counters, freeLists, list } = arena;
    const free = freeLists.flat();
    const sizes = free.map((segment) => segment.end - segment.start);
    const map = freeLists.reduce(
      (bits, members, n) => (members.length > 0 ? bits | (1n << BigInt(n)) : bits),
      0n,
    );
    const rotor = list.findIndex((element) => element.kind === 'rotor');
    const count = (kind: Element['kind']) => list.filter((element) => element.kind === kind).length;
    return {
      seq: String(this.seq),
      arena: arena.name,
      size_total: String(arena.total),
      in_use: String(arena.inUse),
      spans: String(count('span')),
      free_segs: String(count('free')),
      alloc_segs: String(count('alloc')),
      segments_sha256: sha256(inAddressOrder(list).map(elementLine)),
      mem_import: String(arena.imported),
      largest_free: String(sizes.reduce(larger, 0n)),
      free_bytes: String(sizes.reduce((sum, size) => sum + size, 0n)),
      hash_size: String(arena.buckets.length),
      freemap: hex(map),
      freelist_hist: freeLists.flatMap((of, n) => (of.length > 0 ? [`${n}:${of.length}`] : [])).join(';'),
      freelists_sha256: sha256(freeListLines(arena)),
      arenalist_sha256: sha256(list.map(elementLine)),
      rotor_next: hex(list[rotor + 1]?.start ?? 0n),
      k_alloc: String(counters.alloc),
      k_free: String(counters.free),
      k_fail: String(counters.fail),
      k_search: String(counters.search),
      k_lookup: String(counters.lookup),
      k_wait: String(counters.wait),
    };
  }

  /** A row of qcache.csv. */
  cacheRow({ arena, cache }: { arena: string; cache: ReferenceCache }): Row {
    const { counters, slabs, options } = cache;
    const rounds = (magazine: readonly bigint[] | null) => magazine?.length ?? -1;
    const cpus = cache.loaded.map(
      (loaded, cpu) => `${rounds(loaded)}/${rounds(cache.previous[cpu] ?? null)}`,
    );
    return {
      seq: String(this.seq),
      arena,
      cache: options.name,
      bufsize: String(options.bufferBytes),
      slabsize: String(options.slabBytes),
      maxchunks: String(cache.maxChunks),
      buftotal: String(slabs.length * cache.maxChunks),
      bufslab: String(slabs.reduce((sum, slab) => sum + slab.free.length, 0)),
      slab_create: String(counters.slabCreate),
      slab_destroy: String(counters.slabDestroy),
      slab_alloc: String(counters.slabAlloc),
      slab_free: String(counters.slabFree),
      partial_slabs: String(cache.partial.length),
      complete_slabs: String(slabs.filter((slab) => slab.free.length === 0).length),
      magsize: String(cache.rounds),
      depot_full: String(cache.full.magazines.length),
      depot_empty: String(cache.empty.magazines.length),
      hash_size: String(cache.hashSize),
      cpu_alloc: String(counters.cpuAlloc),
      cpu_free: String(counters.cpuFree),
      cpu_rounds: cpus.slice(0, 8).join(';'),
    };
  }

  /** Rows of segments.csv.gz. */
  segmentRows(): string[] {
    return this.arenas.flatMap((arena) =>
      inAddressOrder(arena.list).map((element) => `${arena.name},${elementLine(element).trimEnd()}`),
    );
  }

  /** Rows of freelists.csv.gz. */
  freeListRows(): string[] {
    return this.arenas.flatMap((arena) =>
      freeListLines(arena).map((line) => `${arena.name},${line.trimEnd()}`),
    );
  }
}

function elementLine({ kind, start, end }: Element): string {
  return kind === 'rotor' ? 'rotor\n' : `${kind},${hex(start)},${end - start}\n`;
}

function freeListLines(arena: ReferenceArena): string[] {
  return arena.freeLists.flatMap((members, list) =>
    members.map(({ start, end }) => `${list},${hex(start)},${end - start}\n`),
  );
}

/** Spans by address, each followed by its segments; without the rotor. */
function inAddressOrder(list: readonly Element[]): Element[] {
  const spans: Element[][] = [];
  for (const element of list) {
    if (element.kind === 'span') spans.push([element]);
    else if (element.kind !== 'rotor') spans[spans.length - 1]!.push(element);
  }
  return spans.sort(([a], [b]) => (a!.start < b!.start ? -1 : 1)).flat();
}

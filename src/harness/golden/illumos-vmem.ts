import { createHash } from 'node:crypto';
import { HostedArena } from '../../arena/illumos-kernel/hosted-arena.js';
import type { KernelTree } from '../../arena/illumos-kernel/kernel-tree.js';
import type { KmemCache } from '../../arena/illumos-kmem/cache.js';
import type { VmemArena } from '../../arena/illumos-vmem/arena.js';
import { ArenaFlag, VmFlag } from '../../arena/illumos-vmem/flags.js';
import { arenaListOrder, spansInAddressOrder, tagLines } from '../../arena/illumos-vmem/inspect.js';
import { AlignedSource, AllocSource, type SpanSource } from '../../arena/illumos-vmem/span-source.js';
import { type SystemOptions, VmemSystem } from '../../arena/illumos-vmem/system.js';
import { ANCHOR, ROTOR } from '../../arena/illumos-vmem/tags.js';
import { type Address, NO_ADDRESS } from '../../core/address.js';
import { InputError } from '../../core/errors.js';
import type { CaseArena, GoldenCase, TableRow } from './golden-case.js';
import { hasHeapAddresses, isKernelTreeCase, KMEM, startKernelTree } from './illumos-kernel.js';
import { type CaseOperations, NO_RESULT } from './operations.js';
import type { Oracle, OracleModel, PreparedCase } from './oracle.js';

/** Operations of golden/illumos-vmem/README.md, in an order of our own. */
const Op = {
  alloc: 0,
  free: 1,
  xalloc: 2,
  xfree: 3,
  add: 4,
  update: 5,
  reap: 6,
  qreap: 7,
  cpu: 8,
  kalloc: 9,
  kfree: 10,
} as const;

/** Operations of kernel-tree cases only. */
const KMEM_OPS: readonly string[] = ['kalloc', 'kfree'];

const MAX_CPUS_SHOWN = 8;

const TABLES = {
  checkpointTables: ['checkpoints.csv', 'qcache.csv'],
  initialTables: ['initial_segments.csv.gz'],
  finalTables: ['segments.csv.gz', 'freelists.csv.gz', 'slabs.csv.gz'],
} as const;

/**
 * The vectors against arenas on a whole kernel tree, from which they take their structures as in the oracle: spare
 * structures and the addresses of slab structures are compared as well.
 */
const onKernelTree: Oracle = {
  ...TABLES,
  name: 'illumos-vmem on a kernel tree',
  unmodelled: () => ({}),
  skipReason: (golden) => {
    if (isKernelTreeCase(golden)) return 'compared already';
    return hasHeapAddresses(golden) ? undefined : 'the heap lies outside the address space of the case';
  },
  prepare: (golden) => prepare(golden, true),
};

/** Vectors of the illumos kernel's vmem.c and kmem.c. */
export const illumosVmemOracle: Oracle = {
  ...TABLES,
  name: 'illumos-vmem',
  unmodelled: (golden): Readonly<Record<string, string>> =>
    isKernelTreeCase(golden)
      ? {}
      : { nsegfree: 'spare segment structures: metadata are not taken from the modelled arenas (D2)' },
  skipReason: () => undefined,
  prepare: (golden) => prepare(golden, isKernelTreeCase(golden)),
  companion: onKernelTree,
};

function prepare(golden: GoldenCase, onTree: boolean): PreparedCase {
  const operations = decode(golden);
  return { start: (recording) => new IllumosVmemModel(golden, operations, recording, onTree) };
}

/** The operations with what is needed of each most often in one column. */
interface DecodedOperations extends CaseOperations {
  /** Op number, arena and VmFlag bits, see `codeOf`. */
  readonly code: Int32Array;
}

const KIND_BITS = 4;
const ARENA_BITS = 8;

function codeOf(kind: number, arena: number, flags: number): number {
  return kind | (Math.max(arena, 0) << KIND_BITS) | (flags << (KIND_BITS + ARENA_BITS));
}

function kindIn(code: number): number {
  return code & ((1 << KIND_BITS) - 1);
}

function arenaIn(code: number): number {
  return (code >> KIND_BITS) & ((1 << ARENA_BITS) - 1);
}

function flagsIn(code: number): number {
  return code >> (KIND_BITS + ARENA_BITS);
}

function decode(golden: GoldenCase): DecodedOperations {
  const { operations } = golden;
  checkFlags(operations, golden);
  if (golden.arenaNames.length > 2 ** ARENA_BITS) {
    const allowed = `at most ${2 ** ARENA_BITS} arenas`;
    throw new InputError('too many arenas', { file: golden.path('case.json'), field: 'arenas', allowed });
  }
  const kinds = operations.opNames.map((name) => kindOf(name, golden));
  const flags = operations.flagTexts.map((text) => flagBits(text, VmFlag, golden));
  const code = new Int32Array(operations.length);
  for (let row = 0; row < operations.length; row++) {
    code[row] = codeOf(kinds[operations.op[row]!]!, operations.arena[row]!, flags[operations.flags[row]!]!);
  }
  return { ...operations, code };
}

class IllumosVmemModel implements OracleModel {
  lastResult = NO_RESULT;
  private readonly operations: DecodedOperations;
  private readonly system: VmemSystem;
  /** What the case's arenas take their structures from; null when metadata are not modelled. */
  private readonly tree: KernelTree | null;
  /** Those that the case's tables list, in order of creation. */
  private readonly shownArenas: readonly VmemArena[];
  /** By row of the case's arena names. */
  private readonly arenas: VmemArena[];
  private readonly addressOf: Float64Array;
  private readonly slabLog: { readonly arena: string; readonly line: string }[] = [];
  private row = -1;
  private reapQueued = false;

  constructor(golden: GoldenCase, operations: DecodedOperations, recording: boolean, onTree: boolean) {
    this.operations = operations;
    const onReapQueued = () => {
      this.reapQueued = true;
    };
    const slabKey = slabKeys(golden, onTree);
    const options: SystemOptions = {
      space: operations.space,
      cpus: golden.cpus,
      ...(slabKey !== undefined && { slabKey }),
      ...(recording && {
        onSlabCreated: this.logSlab.bind(this, onTree ? null : structureTexts(golden)),
      }),
      ...(golden.description.auto_reap === true && { onReapQueued }),
    };
    this.tree = onTree ? startKernelTree(golden, options) : null;
    this.system = this.tree?.system ?? new VmemSystem(options);
    const firstOwn = isKernelTreeCase(golden) ? 0 : this.system.arenas.length;
    createArenas(golden, this.system);
    this.shownArenas = this.system.arenas.slice(firstOwn);
    this.arenas = operations.arenaNames.map((name) => this.arenaNamed(name));
    this.addressOf = new Float64Array(operations.slotLimit).fill(NO_ADDRESS);
  }

  advance(from: number, to: number): number {
    const { arenas, addressOf } = this;
    const { code, size, slot, result } = this.operations;
    for (let row = from; row < to; row++) {
      this.row = row;
      const word = code[row]!;
      let right = true;
      if (kindIn(word) === Op.alloc) {
        const address = arenas[arenaIn(word)]!.alloc(size[row]!, flagsIn(word));
        addressOf[slot[row]!] = address;
        right = address === result[row]! || this.isWrong(address);
      } else if (kindIn(word) === Op.free) arenas[arenaIn(word)]!.free(addressOf[slot[row]!]!, size[row]!);
      else right = this.executeRare(row);
      if (this.reapQueued) this.runReaps();
      if (!right) return row;
    }
    return to;
  }

  checkpoint(table: string, wanted: TableRow): TableRow {
    if (table === 'qcache.csv') return cacheRow(this.cacheNamed(wanted.cache!));
    return arenaRow(this.arenaNamed(wanted.arena!));
  }

  wholeTable(table: string): readonly string[] {
    const { shownArenas } = this;
    if (table === 'slabs.csv.gz') {
      const shown = this.slabLog.filter((entry) => shownArenas.some(({ name }) => name === entry.arena));
      return shown.map(({ line }) => line);
    }
    return shownArenas.flatMap((arena) =>
      table === 'freelists.csv.gz' ? freeListRows(arena) : segmentRows(arena),
    );
  }

  dump(arena: string, around?: readonly Address[]): string {
    return tagLines(this.arenaNamed(arena), around);
  }

  /** `structures`: what the case lists, null where the model knows the address itself (`modelled`). */
  private logSlab(
    structures: readonly string[] | null,
    cache: KmemCache,
    base: Address,
    first: Address,
    modelled: Address,
  ): void {
    const { space, seq } = this.operations;
    const when = this.row < 0 ? 0 : seq[this.row];
    const structure = structures === null ? space.format(modelled) : (structures[this.slabLog.length] ?? '');
    const line = `${when},${cache.name},${space.format(base)},${space.format(first)},${structure}`;
    this.slabLog.push({ arena: cache.source.name, line });
  }

  private runReaps(): void {
    this.reapQueued = false;
    this.system.runReaps();
  }

  private isWrong(result: number): false {
    this.lastResult = result;
    return false;
  }

  private xalloc(row: number): boolean {
    const ops = this.operations;
    const code = ops.code[row]!;
    const address = this.arenas[arenaIn(code)]!.xalloc(
      ops.size[row]!,
      ops.align[row]!,
      ops.phase[row]!,
      ops.nocross[row]!,
      ops.minAddress[row]!,
      ops.maxAddress[row]!,
      flagsIn(code),
    );
    this.addressOf[ops.slot[row]!] = address;
    return address === ops.result[row] || this.isWrong(address);
  }

  private executeRare(row: number): boolean {
    const ops = this.operations;
    const { system } = this;
    const code = ops.code[row]!;
    const arena = this.arenas[arenaIn(code)]!;
    switch (kindIn(code)) {
      case Op.xalloc:
        return this.xalloc(row);
      case Op.xfree:
        arena.xfree(this.addressOf[ops.slot[row]!]!, ops.size[row]!);
        return true;
      case Op.add:
        arena.addSpan(ops.minAddress[row]!, ops.size[row]!);
        return ops.minAddress[row] === ops.result[row] || this.isWrong(ops.minAddress[row]!);
      case Op.update:
        system.tick();
        return true;
      case Op.reap:
        system.reap();
        return true;
      case Op.qreap:
        system.reapQuantumCaches(arena);
        return true;
      case Op.kalloc:
        return this.kmemAlloc(row);
      case Op.kfree:
        this.tree!.kmemFree(this.addressOf[ops.slot[row]!]!, ops.size[row]!);
        return true;
      default:
        system.cpu = ops.size[row]!;
        return true;
    }
  }

  private kmemAlloc(row: number): boolean {
    const ops = this.operations;
    const address = this.tree!.kmemAlloc(ops.size[row]!, flagsIn(ops.code[row]!));
    this.addressOf[ops.slot[row]!] = address;
    return address === ops.result[row] || this.isWrong(address);
  }

  /** Where kmem_alloc is addressed like an arena, the one that its caches take slabs from stands for it. */
  private arenaNamed(name: string): VmemArena {
    if (this.tree !== null && name === KMEM) return this.tree.kmemDefault;
    const arena = this.system.arenas.find((candidate) => candidate.name === name);
    if (arena === undefined) throw new InputError(`unknown arena '${name}'`, { field: 'arena' });
    return arena;
  }

  private cacheNamed(name: string): KmemCache {
    const cache = this.system.caches.find((candidate) => candidate.name === name);
    if (cache === undefined) throw new InputError(`unknown cache '${name}'`, { field: 'cache' });
    return cache;
  }
}

function kindOf(name: string, golden: GoldenCase): number {
  const known = Object.keys(Op).filter((op) => !KMEM_OPS.includes(op) || isKernelTreeCase(golden));
  if (known.includes(name)) return Op[name as keyof typeof Op];
  const file = golden.path('ops.csv.gz');
  const { opNames, opLines } = golden.operations;
  const place = { file, line: opLines[opNames.indexOf(name)]!, field: 'op', allowed: known.join(', ') };
  throw new InputError(`unknown operation '${name}'`, place);
}

/** @throws InputError with the line on which an unknown flag appears first. */
function checkFlags({ flagTexts, flagLines }: CaseOperations, golden: GoldenCase): void {
  const allowed = Object.keys(VmFlag);
  flagTexts.forEach((text, index) => {
    const unknown = text.split('|').find((name) => name !== '' && !allowed.includes(name));
    if (unknown === undefined) return;
    const file = golden.path('ops.csv.gz');
    const place = { file, line: flagLines[index]!, field: 'flags', allowed: allowed.join(', ') };
    throw new InputError(`unknown flag '${unknown}'`, place);
  });
}

function flagBits(text: string, known: Readonly<Record<string, number>>, golden: GoldenCase): number {
  let bits = 0;
  for (const name of text.split('|').filter((part) => part !== '')) {
    const bit = known[name];
    if (bit === undefined) {
      const allowed = Object.keys(known).join(', ');
      const file = golden.path('case.json');
      throw new InputError(`unknown flag '${name}'`, { file, field: 'flags', allowed });
    }
    bits |= bit;
  }
  return bits;
}

function createArenas(golden: GoldenCase, system: VmemSystem): void {
  for (const row of golden.arenas) {
    const arena = system.createArena({
      name: row.name,
      quantum: row.quantum,
      qcacheMax: row.qcache_max ?? 0,
      flags:
        flagBits(row.flags ?? '', ArenaFlag, golden) | (row.import === 'xgran_align' ? ArenaFlag.XALIGN : 0),
      source: spanSource(row, system.arenas, golden),
    });
    if (row.size > 0) arena.addSpan(system.space.toNumber(BigInt(row.base)), row.size);
  }
}

function spanSource(row: CaseArena, arenas: readonly VmemArena[], golden: GoldenCase): SpanSource | null {
  const kind = row.import ?? 'none';
  if (kind === 'none') return null;
  const file = golden.path('case.json');
  const source = arenas.find((arena) => arena.name === row.source);
  if (source === undefined) throw new InputError(`unknown source '${row.source}'`, { file, field: row.name });
  const granularity = row.import_gran ?? 1;
  if (kind === 'vmem') return new AllocSource(source);
  if (kind === 'vmem_nofree') return new AllocSource(source, { returnsSpans: false });
  if (kind === 'xgran') return new AllocSource(source, { granularity });
  if (kind === 'xgran_align') return new AlignedSource(source, granularity);
  const allowed = 'none, vmem, vmem_nofree, xgran, xgran_align';
  throw new InputError(`unknown import '${kind}'`, { file, field: row.name, allowed });
}

/**
 * What decides between equal slabs. `slab_base` cases: the slab's base. `struct_addr` cases: the address of the slab
 * structure, which the kernel tree knows; for models without metadata the case lists them in order of creation.
 */
function slabKeys(golden: GoldenCase, onTree: boolean): NonNullable<SystemOptions['slabKey']> | undefined {
  if (golden.description.slab_tie !== 'struct_addr') return (_cache, base) => base;
  if (onTree) return undefined;
  const { space } = golden.operations;
  const keys = structureTexts(golden).map((text) => space.toNumber(BigInt(text)));
  let created = 0;
  return (_cache, base) => keys[created++] ?? base;
}

/** The addresses of slab structures that the case lists, in order of creation. */
function structureTexts(golden: GoldenCase): readonly string[] {
  return golden.has('slabs.csv.gz') ? golden.table('slabs.csv.gz').map((row) => row.struct_addr!) : [];
}

function arenaRow(arena: VmemArena): TableRow {
  const { tags, freeLists } = arena;
  const segments = segmentLines(arena, spansInAddressOrder(arena));
  const histogram = new Map<number, number>();
  const lists: string[] = [];
  let freeBytes = 0;
  freeLists.walk((list, tag) => {
    const bytes = tags.end[tag]! - tags.start[tag]!;
    histogram.set(list, (histogram.get(list) ?? 0) + 1);
    lists.push(`${list},${arena.space.format(tags.start[tag]!)},${bytes}\n`);
    freeBytes += bytes;
  });
  const freemap = (BigInt(freeLists.mapHigh >>> 0) << 32n) + BigInt(freeLists.mapLow >>> 0);
  const behindRotor = tags.next[ROTOR]!;
  return {
    ...arenaCounters(arena),
    segments_sha256: sha256(segments.join('')),
    largest_free: String(freeLists.largest()),
    free_bytes: String(freeBytes),
    freemap: `0x${freemap.toString(16)}`,
    freelist_hist: [...histogram].map(([list, count]) => `${list}:${count}`).join(';'),
    freelists_sha256: sha256(lists.join('')),
    arenalist_sha256: sha256(segmentLines(arena, arenaListOrder(arena)).join('')),
    rotor_next: behindRotor === ANCHOR ? '0x0' : arena.space.format(tags.start[behindRotor]!),
  };
}

function arenaCounters(arena: VmemArena): TableRow {
  return {
    size_total: String(arena.totalBytes),
    in_use: String(arena.inUseBytes),
    spans: String(arena.spanTags),
    free_segs: String(arena.freeTags),
    alloc_segs: String(arena.allocTags),
    mem_import: String(arena.importBytes),
    hash_size: String(arena.hash.buckets),
    k_alloc: String(arena.allocs),
    k_free: String(arena.frees),
    k_fail: String(arena.fails),
    k_search: String(arena.searches),
    k_lookup: String(arena.hash.lookups),
    k_wait: String(arena.waits),
    ...(arena instanceof HostedArena && { nsegfree: String(arena.spareSegments) }),
  };
}

function cacheRow(cache: KmemCache): TableRow {
  const { slabs, geometry, magazines } = cache;
  return {
    arena: cache.source.name,
    bufsize: String(cache.bufferBytes),
    slabsize: String(geometry.slabBytes),
    maxchunks: String(cache.maxChunks),
    buftotal: String(cache.buffers),
    bufslab: String(cache.buffers - slabs.buffersInUse),
    slab_create: String(cache.slabCreates),
    slab_destroy: String(cache.slabDestroys),
    slab_alloc: String(cache.slabAllocs),
    slab_free: String(cache.slabFrees),
    partial_slabs: String(slabs.partial),
    complete_slabs: String(slabs.complete),
    magsize: String(magazines.pool.rounds),
    depot_full: String(magazines.full.total),
    depot_empty: String(magazines.empty.total),
    hash_size: String(cache.hashBuckets),
    cpu_alloc: String(magazines.allocs),
    cpu_free: String(magazines.frees),
    cpu_rounds: magazines.cpuRounds().slice(0, MAX_CPUS_SHOWN).join(';'),
  };
}

/** `type,start,size` lines as the digests take them. */
function segmentLines(arena: VmemArena, order: Iterable<number>): string[] {
  const { tags, space } = arena;
  const names = ['span', 'free', 'alloc', 'span'];
  const lines: string[] = [];
  for (const tag of order) {
    const start = tags.start[tag]!;
    if (tag === ROTOR) lines.push('rotor\n');
    else lines.push(`${names[tags.type[tag]!]},${space.format(start)},${tags.end[tag]! - start}\n`);
  }
  return lines;
}

function segmentRows(arena: VmemArena): string[] {
  return segmentLines(arena, spansInAddressOrder(arena)).map((line) => `${arena.name},${line.trimEnd()}`);
}

function freeListRows(arena: VmemArena): string[] {
  const { tags, space } = arena;
  const rows: string[] = [];
  arena.freeLists.walk((list, tag) => {
    const start = tags.start[tag]!;
    rows.push(`${arena.name},${list},${space.format(start)},${tags.end[tag]! - start}`);
  });
  return rows;
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

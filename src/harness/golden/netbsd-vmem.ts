import { createHash } from 'node:crypto';
import type { VmemArena } from '../../arena/netbsd-vmem/arena.js';
import { ArenaFlag, VmFlag } from '../../arena/netbsd-vmem/flags.js';
import { addressOrder, listOrder, tagLines } from '../../arena/netbsd-vmem/inspect.js';
import { AllocSource } from '../../arena/netbsd-vmem/span-source.js';
import { VmemSystem } from '../../arena/netbsd-vmem/system.js';
import { type Address, NO_ADDRESS } from '../../core/address.js';
import { InputError } from '../../core/errors.js';
import { GIB } from '../../core/units.js';
import type { CaseArena, GoldenCase, TableRow } from './golden-case.js';
import { type CaseOperations, NO_RESULT } from './operations.js';
import type { Oracle, OracleModel, PreparedCase } from './oracle.js';

/** Operations of case.json's `ops_meaning`, in an order of our own. */
const Op = { alloc: 0, free: 1, xalloc: 2, xfree: 3, add: 4, reap: 5, rehash: 6 } as const;

/** Flag bits by the case's names; the oracle never sleeps. */
const FLAGS: Readonly<Record<string, number>> = {
  '': 0,
  instantfit: VmFlag.INSTANTFIT | VmFlag.NOSLEEP,
  bestfit: VmFlag.BESTFIT | VmFlag.NOSLEEP,
};

/** Seconds that pass before each `reap`. */
const REAP_SECONDS = 100;

/** Where the oracle keeps metadata in all cases but those on a whole kernel: an arena that no table shows. */
const HIDDEN_KMEM = { base: 0x5000_0000_0000, bytes: 64 * GIB };

/** Vectors of NetBSD's subr_vmem.c and subr_pool.c. */
export const netbsdVmemOracle: Oracle = {
  name: 'netbsd-vmem',
  checkpointTables: ['checkpoints.csv'],
  initialTables: ['qcaches.csv'],
  finalTables: ['segments.csv.gz'],
  unmodelled: (golden): Readonly<Record<string, string>> => {
    if (!isKernelCase(golden)) return {};
    const reason = 'the oracle does not count it for the arenas of a whole kernel';
    return { imports: reason, releases: reason, import_failures: reason };
  },
  skipReason: () => undefined,
  prepare,
};

function prepare(golden: GoldenCase): PreparedCase {
  const operations = decode(golden);
  return { start: () => new NetbsdVmemModel(golden, operations) };
}

/** The operations with kinds and flags as the model takes them. */
interface DecodedOperations extends CaseOperations {
  /** Op number. */
  readonly kind: Uint8Array;
  /** VmFlag bits. */
  readonly flagBits: Int32Array;
}

function decode(golden: GoldenCase): DecodedOperations {
  const { operations } = golden;
  const { opNames, opLines, flagTexts, flagLines } = operations;
  const file = golden.path('ops.csv.gz');
  const kinds = opNames.map((name, index) => {
    if (Object.hasOwn(Op, name)) return Op[name as keyof typeof Op];
    const place = { file, line: opLines[index]!, field: 'op', allowed: Object.keys(Op).join(', ') };
    throw new InputError(`unknown operation '${name}'`, place);
  });
  const ownerless = operations.op.findIndex((op, row) => kinds[op] === Op.reap && operations.arena[row]! < 0);
  if (ownerless >= 0) {
    const allowed = golden.arenaNames.join(', ');
    throw new InputError("reap of arena ''", { file, line: ownerless + 2, field: 'arena', allowed });
  }
  const bits = flagTexts.map((text, index) => {
    if (Object.hasOwn(FLAGS, text)) return FLAGS[text]!;
    const place = { file, line: flagLines[index]!, field: 'flags', allowed: 'instantfit, bestfit' };
    throw new InputError(`unknown flag '${text}'`, place);
  });
  return {
    ...operations,
    kind: operations.op.map((op) => kinds[op]!),
    flagBits: Int32Array.from(operations.flags, (text) => bits[text]!),
  };
}

class NetbsdVmemModel implements OracleModel {
  lastResult = NO_RESULT;
  private readonly operations: DecodedOperations;
  private readonly system: VmemSystem;
  /** The arenas of the case, in its order, which is that of creation. */
  private readonly arenas: readonly VmemArena[];
  private readonly addressOf: Float64Array;

  constructor(golden: GoldenCase, operations: DecodedOperations) {
    this.operations = operations;
    const { space } = operations;
    const [root] = golden.arenas;
    const kmem =
      isKernelCase(golden) && root !== undefined
        ? { base: space.toNumber(BigInt(root.base)), bytes: root.size }
        : HIDDEN_KMEM;
    this.system = new VmemSystem({ space, cpus: golden.cpus, kmem });
    this.arenas = createArenas(golden, this.system);
    this.addressOf = new Float64Array(operations.slotLimit).fill(NO_ADDRESS);
  }

  advance(from: number, to: number): number {
    const { arenas, addressOf } = this;
    const { kind, arena, size, slot, flagBits, result } = this.operations;
    for (let row = from; row < to; row++) {
      if (kind[row] === Op.alloc) {
        const address = arenas[arena[row]!]!.alloc(size[row]!, flagBits[row]!);
        addressOf[slot[row]!] = address;
        if (address !== result[row]) return this.stopAt(row, address);
      } else if (kind[row] === Op.free) arenas[arena[row]!]!.free(addressOf[slot[row]!]!, size[row]!);
      else if (!this.executeRare(row)) return row;
    }
    return to;
  }

  checkpoint(_table: string, wanted: TableRow): TableRow {
    return arenaRow(this.arenaNamed(wanted.arena!), this.system);
  }

  wholeTable(table: string): readonly string[] {
    return this.arenas.flatMap(table === 'qcaches.csv' ? cacheRows : segmentRows);
  }

  dump(arena: string, around?: readonly Address[]): string {
    return tagLines(this.arenaNamed(arena), around);
  }

  private stopAt(row: number, result: Address): number {
    this.lastResult = result;
    return row;
  }

  /** Returns whether the result is the vector's. */
  private executeRare(row: number): boolean {
    const ops = this.operations;
    const arena = this.arenas[ops.arena[row]!]!;
    switch (ops.kind[row]) {
      case Op.xalloc:
        return this.xalloc(arena, row);
      case Op.xfree:
        arena.xfree(this.addressOf[ops.slot[row]!]!, ops.size[row]!);
        return true;
      case Op.add:
        return arena.addSpan(ops.minAddress[row]!, ops.size[row]!);
      case Op.reap:
        this.system.uptime += REAP_SECONDS;
        this.system.reclaim(arena);
        return true;
      default:
        this.system.rehash();
        return true;
    }
  }

  private xalloc(arena: VmemArena, row: number): boolean {
    const ops = this.operations;
    const address = arena.xalloc(
      ops.size[row]!,
      ops.align[row]!,
      ops.phase[row]!,
      ops.nocross[row]!,
      ops.minAddress[row]!,
      ops.maxAddress[row]!,
      ops.flagBits[row]!,
    );
    this.addressOf[ops.slot[row]!] = address;
    this.lastResult = address;
    return address === ops.result[row];
  }

  private arenaNamed(name: string): VmemArena {
    const arena = this.arenas.find((candidate) => candidate.name === name);
    if (arena === undefined) throw new InputError(`unknown arena '${name}'`, { field: 'arena' });
    return arena;
  }
}

/** Whether the case's first arenas are the kernel's own, from which metadata come. */
function isKernelCase(golden: GoldenCase): boolean {
  return golden.description.kernel_boot !== undefined;
}

/** @throws InputError when the arenas of a whole kernel do not begin with those of its start-up. */
function kernelArenas(golden: GoldenCase, system: VmemSystem): VmemArena[] {
  const arenas = [system.kmem, system.vmemVa, system.vmemMeta];
  if (arenas.every(({ name }, index) => golden.arenaNames[index] === name)) return arenas;
  const allowed = `${arenas.map(({ name }) => name).join(', ')} first`;
  throw new InputError('not the arenas of a kernel', {
    file: golden.path('case.json'),
    field: 'arenas',
    allowed,
  });
}

function createArenas(golden: GoldenCase, system: VmemSystem): VmemArena[] {
  const arenas = isKernelCase(golden) ? kernelArenas(golden, system) : [];
  for (const row of golden.arenas.slice(arenas.length)) {
    const arena = system.createArena({
      name: row.name,
      quantum: row.quantum,
      qcacheMax: row.qcache_max ?? 0,
      flags: row.largeimport === true ? ArenaFlag.LARGEIMPORT : 0,
      source: spanSource(row, arenas, golden),
    });
    if (row.size > 0) arena.addSpan(system.space.toNumber(BigInt(row.base)), row.size);
    arenas.push(arena);
  }
  return arenas;
}

function spanSource(row: CaseArena, arenas: readonly VmemArena[], golden: GoldenCase): AllocSource | null {
  if (row.source === undefined || row.source === null) return null;
  const source = arenas.find((arena) => arena.name === row.source);
  if (source === undefined) {
    const place = { file: golden.path('case.json'), field: row.name };
    throw new InputError(`unknown source '${row.source}'`, place);
  }
  return new AllocSource(source, Math.max(row.import_granule ?? 0, 1));
}

function arenaRow(arena: VmemArena, system: VmemSystem): TableRow {
  const { tags, freeLists, space } = arena;
  const counts = new Map<number, number>();
  const lists: string[] = [];
  freeLists.walk((list, tag) => {
    counts.set(list, (counts.get(list) ?? 0) + 1);
    lists.push(`${list},${space.format(tags.start[tag]!)},${tags.size[tag]!}\n`);
  });
  const pools = [...new Set(arena.quantumCaches)].map(({ pool }) => pool);
  return {
    ...arenaCounters(arena),
    segments_sha256: sha256(segmentLines(arena, addressOrder(arena), SEGMENT_NAMES)),
    list_sha256: sha256(segmentLines(arena, listOrder(arena), LIST_NAMES)),
    freelist_sha256: sha256(lists),
    freelist_counts: [...counts].map(([list, count]) => `${list}:${count}`).join(';'),
    qc_slabs: String(pools.reduce((sum, pool) => sum + pool.pages.count, 0)),
    qc_items_out: String(pools.reduce((sum, pool) => sum + pool.itemsOut, 0)),
    tags_allocated: String(system.tagSupply.allocated),
    tag_pool_pages: String(system.pools.tags.pages),
  };
}

function arenaCounters(arena: VmemArena): TableRow {
  return {
    size_total: String(arena.totalBytes),
    in_use: String(arena.inUseBytes),
    spans: String(arena.spanTags),
    free_segs: String(arena.freeTags),
    alloc_segs: String(arena.allocTags),
    nbusytag: String(arena.hash.count),
    nfreetags: String(arena.spares.count),
    hashsize: String(arena.hashBuckets),
    imports: String(arena.imports),
    releases: String(arena.releases),
    import_failures: String(arena.importFails),
  };
}

/** By Tag. */
const SEGMENT_NAMES = ['', 'span', 'span', 'free', 'alloc'] as const;
const LIST_NAMES = ['', 'span_static', 'span', 'free', 'alloc'] as const;

function segmentLines(arena: VmemArena, order: Iterable<number>, names: readonly string[]): string[] {
  const { tags, space } = arena;
  const lines: string[] = [];
  for (const tag of order) {
    lines.push(`${names[tags.type[tag]!]},${space.format(tags.start[tag]!)},${tags.size[tag]!}\n`);
  }
  return lines;
}

function segmentRows(arena: VmemArena): string[] {
  const lines = segmentLines(arena, addressOrder(arena), SEGMENT_NAMES);
  return lines.map((line) => `${arena.name},${line.trimEnd()}`);
}

function cacheRows(arena: VmemArena): string[] {
  return arena.quantumCaches.map(({ pool: { geometry } }, index) => {
    const { itemBytes, itemsPerPage, pageBytes, maxColour } = geometry;
    return [arena.name, index + 1, itemBytes, itemsPerPage, pageBytes, maxColour].join(',');
  });
}

function sha256(lines: readonly string[]): string {
  return createHash('sha256').update(lines.join('')).digest('hex');
}

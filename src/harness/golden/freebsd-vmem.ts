import { createHash } from 'node:crypto';
import { Type } from '@sinclair/typebox';
import { Value } from '@sinclair/typebox/value';
import type { VmemArena } from '../../arena/freebsd-vmem/arena.js';
import { VmemFlag } from '../../arena/freebsd-vmem/flags.js';
import { addressOrder, behindCursor, listOrder, tagLines } from '../../arena/freebsd-vmem/inspect.js';
import {
  AlignedSource,
  AllocSource,
  type SpanSource,
  StackSlotSource,
} from '../../arena/freebsd-vmem/span-source.js';
import { VmemSystem } from '../../arena/freebsd-vmem/system.js';
import { Tag } from '../../arena/freebsd-vmem/tags.js';
import { type Address, AddressSpace, NO_ADDRESS } from '../../core/address.js';
import { InputError } from '../../core/errors.js';
import type { GoldenCase, TableRow } from './golden-case.js';
import { type CaseOperations, NO_RESULT } from './operations.js';
import type { Oracle, OracleModel, PreparedCase } from './oracle.js';

/** Operations, as the vectors' README explains them. */
const Op = {
  alloc: 0,
  free: 1,
  xalloc: 2,
  xfree: 3,
  add: 4,
  reap: 5,
  reapcpu: 6,
  cpu: 7,
  rehash: 8,
} as const;

/** Flag bits by the case's names; the oracle never sleeps. */
const FLAGS: Readonly<Record<string, number>> = {
  '': 0,
  BESTFIT: VmemFlag.BESTFIT | VmemFlag.NOWAIT,
  FIRSTFIT: VmemFlag.FIRSTFIT | VmemFlag.NOWAIT,
  NEXTFIT: VmemFlag.NEXTFIT | VmemFlag.NOWAIT,
};

/** Stacks of the vectors: four pages and a guard page, counted from the start of kernel VA. */
const STACK_SLOT = {
  bytes: 5 * 4096,
  page: 4096,
  base: AddressSpace.canonical.toNumber(0xfffffe0000000000n),
};

const Bytes = Type.Integer({ minimum: 0, maximum: 2 ** 53 });

/** What cases of this oracle say beyond what all do. */
const VmemCase = Type.Object({
  cpus: Type.Integer({ minimum: 1 }),
  arenas: Type.Array(
    Type.Object({
      name: Type.String(),
      base: Type.String(),
      size: Bytes,
      quantum: Bytes,
      qcache_max: Bytes,
      source: Type.Union([Type.String(), Type.Null()]),
      import_kind: Type.Union([
        Type.Literal('vmem_alloc'),
        Type.Literal('vmem_xalloc'),
        Type.Literal('kstack'),
        Type.Null(),
      ]),
      import_align: Bytes,
      import_quantum: Bytes,
      release: Type.Boolean(),
      limit: Bytes,
    }),
  ),
});
type VmemCase = (typeof VmemCase)['static'];

/** Vectors of FreeBSD 13.0's subr_vmem.c and uma_core.c. */
export const freebsdVmemOracle: Oracle = {
  name: 'freebsd-vmem',
  checkpointTables: ['checkpoints.csv'],
  initialTables: [],
  finalTables: ['segments.csv.gz'],
  unmodelled: () => ({}),
  skipReason: () => undefined,
  prepare,
};

function prepare(golden: GoldenCase): PreparedCase {
  const operations = decode(golden);
  const description = describe(golden);
  return { start: () => new FreebsdVmemModel(golden, description, operations) };
}

/** @throws InputError when case.json does not say how the arenas are made. */
function describe(golden: GoldenCase): VmemCase {
  const { description } = golden;
  if (Value.Check(VmemCase, description)) return description;
  const error = Value.Errors(VmemCase, description).First();
  const place = { file: golden.path('case.json'), field: error?.path ?? '' };
  throw new InputError(error?.message ?? 'not a case of FreeBSD vmem', place);
}

/** The operations with kinds and flags as the model takes them. */
interface DecodedOperations extends CaseOperations {
  /** Op number. */
  readonly kind: Uint8Array;
  /** VmemFlag bits. */
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
  const bits = flagTexts.map((text, index) => {
    if (Object.hasOwn(FLAGS, text)) return FLAGS[text]!;
    const place = { file, line: flagLines[index]!, field: 'flags', allowed: 'BESTFIT, FIRSTFIT, NEXTFIT' };
    throw new InputError(`unknown flag '${text}'`, place);
  });
  checkRows(golden, kinds);
  return {
    ...operations,
    kind: operations.op.map((op) => kinds[op]!),
    flagBits: Int32Array.from(operations.flags, (text) => bits[text]!),
  };
}

/** @throws InputError for a reap of no arena, or a CPU that the case does not have. */
function checkRows(golden: GoldenCase, kinds: readonly number[]): void {
  const { operations } = golden;
  const { cpus } = describe(golden);
  const file = golden.path('ops.csv.gz');
  operations.op.forEach((op, row) => {
    const kind = kinds[op];
    if ((kind === Op.reap || kind === Op.reapcpu) && operations.arena[row]! < 0) {
      const allowed = golden.arenaNames.join(', ');
      throw new InputError("reap of arena ''", { file, line: row + 2, field: 'arena', allowed });
    }
    if (kind === Op.cpu && operations.size[row]! >= cpus) {
      const place = { file, line: row + 2, field: 'size', allowed: `0 to ${cpus - 1}` };
      throw new InputError(`no CPU ${operations.size[row]}`, place);
    }
  });
}

class FreebsdVmemModel implements OracleModel {
  lastResult = NO_RESULT;
  private readonly operations: DecodedOperations;
  private readonly system: VmemSystem;
  private readonly addressOf: Float64Array;

  constructor(golden: GoldenCase, description: VmemCase, operations: DecodedOperations) {
    this.operations = operations;
    this.system = new VmemSystem({ space: operations.space, cpus: description.cpus });
    createArenas(golden, description, this.system);
    this.addressOf = new Float64Array(operations.slotLimit).fill(NO_ADDRESS);
  }

  advance(from: number, to: number): number {
    const { addressOf } = this;
    const { arenas } = this.system;
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
    return arenaRow(this.arenaNamed(wanted.arena!));
  }

  wholeTable(): readonly string[] {
    return this.system.arenas.flatMap((arena) => {
      return tagTexts(arena, addressOrder(arena)).map((text) => `${arena.name},${text}`);
    });
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
    const arena = this.system.arenas[ops.arena[row]!]!;
    switch (ops.kind[row]) {
      case Op.xalloc:
        return this.xalloc(arena, row);
      case Op.xfree:
        arena.xfree(this.addressOf[ops.slot[row]!]!, ops.size[row]!);
        return true;
      case Op.add:
        arena.addSpan(ops.minAddress[row]!, ops.size[row]!);
        return true;
      case Op.reap:
        arena.quantumCaches.drain();
        return true;
      case Op.reapcpu:
        arena.quantumCaches.drainCpus();
        return true;
      case Op.cpu:
        this.system.cpu = ops.size[row]!;
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
    const arena = this.system.arenaNamed(name);
    if (arena === undefined) throw new InputError(`unknown arena '${name}'`, { field: 'arena' });
    return arena;
  }
}

function createArenas(golden: GoldenCase, description: VmemCase, system: VmemSystem): void {
  for (const row of description.arenas) {
    const arena = system.createArena({
      name: row.name,
      quantum: row.quantum,
      qcacheMax: row.qcache_max,
      limit: row.limit,
      source: row.source === null ? null : spanSource(row, row.source, golden, system),
    });
    if (row.size > 0) arena.addSpan(system.space.toNumber(BigInt(row.base)), row.size);
  }
}

function spanSource(
  row: VmemCase['arenas'][number],
  name: string,
  golden: GoldenCase,
  system: VmemSystem,
): SpanSource {
  const source = system.arenaNamed(name);
  if (source === undefined) {
    throw new InputError(`unknown source '${name}'`, { file: golden.path('case.json'), field: row.name });
  }
  switch (row.import_kind) {
    case 'kstack':
      return new StackSlotSource(source, STACK_SLOT.bytes, STACK_SLOT.page, STACK_SLOT.base);
    case 'vmem_xalloc':
      return new AlignedSource(source, row.import_quantum, row.release, row.import_align);
    default:
      return new AllocSource(source, row.import_quantum, row.release);
  }
}

function arenaRow(arena: VmemArena): TableRow {
  const lists = new Map<number, number>();
  arena.freeLists.walk((list) => lists.set(list, (lists.get(list) ?? 0) + 1));
  return {
    size_total: String(arena.totalBytes),
    in_use: String(arena.inUseBytes),
    spans: String(arena.spanTags),
    free_segs: String(arena.freeTags),
    alloc_segs: String(arena.allocTags),
    segments_sha256: sha256(tagTexts(arena, addressOrder(arena))),
    busy_tags: String(arena.hash.count),
    cached_tags: String(arena.spares.count),
    hash_size: String(arena.hashBuckets),
    imports: String(arena.imports),
    releases: String(arena.releases),
    cursor_next: behindCursor(arena),
    seglist_sha256: sha256(tagTexts(arena, listOrder(arena))),
    freelist: [...lists].map(([list, length]) => `${list}:${length}`).join('|'),
  };
}

/** By Tag. */
const SEGMENT_NAMES = ['', 'span', 'span', 'free', 'alloc', 'cursor'] as const;

function tagTexts({ tags, space }: VmemArena, order: Iterable<number>): string[] {
  const texts: string[] = [];
  for (const tag of order) {
    const type = tags.type[tag]!;
    const start = type === Tag.cursor ? '0x0' : space.format(tags.start[tag]!);
    texts.push(`${SEGMENT_NAMES[type]},${start},${tags.size[tag]!}`);
  }
  return texts;
}

function sha256(texts: readonly string[]): string {
  const text = texts.map((line) => `${line}\n`).join('');
  return createHash('sha256').update(text).digest('hex');
}

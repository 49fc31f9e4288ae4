import { createHash } from 'node:crypto';
import { type Static, Type } from '@sinclair/typebox';
import { Value } from '@sinclair/typebox/value';
import { HEAD, NIL } from '../../arena/entry-map/entry-tree.js';
import { PAGE_BYTES } from '../../arena/uvm-map/abi.js';
import { Attribute, EntryFlag, MapFlag } from '../../arena/uvm-map/flags.js';
import { entryLetters, entryLines, entryRows } from '../../arena/uvm-map/inspect.js';
import type { KvaCache } from '../../arena/uvm-map/kva-cache.js';
import type { UvmMap } from '../../arena/uvm-map/uvm-map.js';
import { UvmSystem, type UvmSystemOptions } from '../../arena/uvm-map/uvm-system.js';
import { type Address, AddressSpace } from '../../core/address.js';
import { InputError, MisuseError } from '../../core/errors.js';
import type { GoldenCase, TableRow } from './golden-case.js';
import { type CaseOperations, NO_RESULT } from './operations.js';
import type { Oracle, OracleModel, PreparedCase } from './oracle.js';
import { CasePool, FIRST_UPPER, UpperLayers, UpperOp } from './upper-layers.js';

/** Operations on maps, as case.json explains them. */
const Op = {
  kmalloc: 0,
  kmfree: 1,
  map: 2,
  unmap: 3,
  unmapsub: 4,
  poolpage: 5,
  poolpagefree: 6,
  reclaim: 7,
  ...UpperOp,
} as const;

/** Time that passes before a `reclaim`. */
const RECLAIM_SECONDS = 100;

const Hex = Type.String({ pattern: '^0x[0-9a-f]{1,16}$' });

const UvmCase = Type.Object({
  boot: Type.Object({
    kernel_map_min: Hex,
    kernel_map_max: Hex,
    kernel_image: Type.Integer({ minimum: PAGE_BYTES }),
    kmem_map_pages: Type.Integer({ minimum: 1 }),
    /** Whether the layers above the maps booted too. */
    kmem_arena_created: Type.Optional(Type.Boolean()),
  }),
  pools: Type.Optional(Type.Array(CasePool)),
  maps: Type.Array(
    Type.Object({
      name: Type.String(),
      size_requested: Type.Optional(Type.Integer({ minimum: PAGE_BYTES })),
      flags: Type.Union([Type.Literal('PAGEABLE'), Type.Literal('INTRSAFE'), Type.Literal('none')]),
      vacache: Type.Union([Type.String(), Type.Null()]),
    }),
    { minItems: 2 },
  ),
});

/** Maps that every kernel has; the others are submaps of the case. */
const BUILT_IN_MAPS = 2;

/** Vectors of NetBSD 5.2's uvm_map.c and uvm_km.c, and of pool(9), kmem(9) and malloc(9) above them. */
export const netbsdUvmMapOracle: Oracle = {
  name: 'netbsd-uvm-map',
  checkpointTables: ['checkpoints.csv'],
  initialTables: [],
  finalTables: ['segments.csv.gz', 'pools.csv'],
  unmodelled: () => ({}),
  skipReason: () => undefined,
  prepare,
};

/** The operations with what each needs in one column. */
interface DecodedOperations extends CaseOperations {
  readonly kind: Uint8Array;
  readonly mapFlags: Uint8Array;
  readonly attributes: Uint8Array;
}

function prepare(golden: GoldenCase): PreparedCase {
  const operations = decode(golden);
  const description = describedSystem(golden);
  const options = systemOptions(description);
  const { boot, pools = [] } = description;
  return {
    start() {
      if (boot.kmem_arena_created !== true) return new UvmModel(operations, new UvmSystem(options), null);
      const upper = new UpperLayers(options, pools);
      return new UvmModel(operations, upper.stack.uvm, upper);
    },
  };
}

function decode(golden: GoldenCase): DecodedOperations {
  const { operations } = golden;
  const { length, opNames, flagTexts } = operations;
  const kinds = opNames.map((name, index) => kindOf(name, operations.opLines[index]!, golden));
  const words = flagTexts.map((text, index) => flagWords(text, operations.flagLines[index]!, golden));
  const columns = {
    kind: new Uint8Array(length),
    mapFlags: new Uint8Array(length),
    attributes: new Uint8Array(length),
  };
  for (let row = 0; row < length; row++) {
    const { flags, attributes } = words[operations.flags[row]!]!;
    columns.kind[row] = kinds[operations.op[row]!]!;
    columns.mapFlags[row] = flags;
    columns.attributes[row] = attributes;
    if (columns.kind[row]! < FIRST_UPPER) requireMap(operations.arena[row]!, row, golden);
  }
  return { ...operations, ...columns };
}

function requireMap(arena: number, row: number, golden: GoldenCase): void {
  if (arena >= 0 && arena < golden.maps.length) return;
  const place = { file: golden.path('ops.csv.gz'), line: row + 2, field: 'arena' };
  throw new InputError('unknown map', { ...place, allowed: golden.maps.join(', ') });
}

function kindOf(name: string, line: number, golden: GoldenCase): number {
  if (name in Op) return Op[name as keyof typeof Op];
  const place = { file: golden.path('ops.csv.gz'), line, field: 'op', allowed: Object.keys(Op).join(', ') };
  throw new InputError(`unknown operation '${name}'`, place);
}

/** What the words of a flags field ask for; `wired` decides nothing about placement. */
function flagWords(text: string, line: number, golden: GoldenCase): { flags: number; attributes: number } {
  const words = text.split(' ').filter((word) => word !== '');
  const known = ['quantum', 'nomerge', 'fixed', 'prot_r', 'kobj', 'wired'];
  const unknown = words.find((word) => !known.includes(word));
  if (unknown !== undefined) {
    const place = { file: golden.path('ops.csv.gz'), line, field: 'flags', allowed: known.join(' ') };
    throw new InputError(`unknown flag '${unknown}'`, place);
  }
  const bit = (word: string, value: number) => (words.includes(word) ? value : 0);
  const flags =
    bit('quantum', MapFlag.quantum) | bit('nomerge', MapFlag.noMerge) | bit('fixed', MapFlag.fixed);
  const protection = words.includes('prot_r') ? Attribute.read : Attribute.allAccess;
  return { flags, attributes: protection | bit('kobj', Attribute.object) };
}

/** @throws InputError when case.json does not say how the kernel booted. */
function describedSystem(golden: GoldenCase): Static<typeof UvmCase> {
  const { description } = golden;
  if (!Value.Check(UvmCase, description)) {
    const error = Value.Errors(UvmCase, description).First();
    const place = { file: golden.path('case.json'), field: error?.path ?? '' };
    throw new InputError(error?.message ?? 'not a case of kernel maps', place);
  }
  return description;
}

function systemOptions({ boot, maps }: Static<typeof UvmCase>): Omit<UvmSystemOptions, 'abi'> {
  return {
    base: AddressSpace.canonical.toNumber(BigInt(boot.kernel_map_min)),
    limit: AddressSpace.canonical.endToNumber(BigInt(boot.kernel_map_max)),
    imageBytes: boot.kernel_image,
    kmemMapPages: boot.kmem_map_pages,
    submaps: maps.slice(BUILT_IN_MAPS).map(({ name, size_requested, flags, vacache }) => ({
      name,
      size: size_requested ?? 0,
      isInterruptSafe: flags === 'INTRSAFE',
      hasKvaCache: vacache !== null,
    })),
  };
}

class UvmModel implements OracleModel {
  lastResult = NO_RESULT;
  /** Number of the pool of each arena name of the operations; -1 for names that are not of pools. */
  private readonly poolOf: readonly number[];

  constructor(
    private readonly operations: DecodedOperations,
    private readonly system: UvmSystem,
    private readonly upper: UpperLayers | null,
  ) {
    const names = (upper?.pools ?? []).map(({ name }) => name);
    this.poolOf = operations.arenaNames.map((name) => names.indexOf(name));
  }

  advance(from: number, to: number): number {
    const { system } = this;
    const { maps } = system;
    const { kind, arena, size, align, minAddress, result } = this.operations;
    for (let row = from; row < to; row++) {
      if (kind[row]! >= FIRST_UPPER) {
        if (!this.executeUpper(row)) return row;
        continue;
      }
      const map = maps[arena[row]!]!;
      if (kind[row] === Op.kmalloc) {
        const address = system.allocate(map, size[row]!, align[row]!);
        if (address !== result[row]! && this.isWrong(address)) return row;
      } else if (kind[row] === Op.kmfree) {
        system.free(map, minAddress[row]!, size[row]!);
      } else if (!this.executeRare(map, row)) {
        return row;
      }
    }
    return to;
  }

  checkpoint(_table: string, wanted: TableRow): TableRow {
    return mapRow(this.mapNamed(wanted.arena!));
  }

  wholeTable(table: string): readonly string[] {
    if (table === 'pools.csv') return this.upper?.poolLines() ?? [];
    return this.system.maps.flatMap((map) => segmentLines(map, true).map((line) => `${map.name},${line}`));
  }

  dump(arena: string, around?: readonly Address[]): string {
    const pool = this.upper?.pools.find(({ name }) => name === arena);
    if (pool !== undefined) return `pool ${arena}: ${pool.itemsOut} items out of ${pool.pages.count} pages`;
    return entryLines(this.mapNamed(arena), around);
  }

  /** @throws MisuseError if the case does not describe the layers above the maps. */
  private executeUpper(row: number): boolean {
    const { kind, arena, size, minAddress } = this.operations;
    if (this.upper === null) throw new MisuseError('the case describes no pools', { kind: kind[row] });
    const pool = this.poolOf[arena[row]!] ?? -1;
    return this.isRight(row, this.upper.execute(kind[row]!, pool, size[row]!, minAddress[row]!));
  }

  private executeRare(map: UvmMap, row: number): boolean {
    const ops = this.operations;
    const isQuantum = (ops.mapFlags[row]! & MapFlag.quantum) !== 0;
    switch (ops.kind[row]) {
      case Op.map:
        return this.isRight(
          row,
          map.map(
            ops.size[row]!,
            ops.align[row]!,
            ops.minAddress[row]!,
            ops.mapFlags[row]!,
            ops.attributes[row]!,
          ),
        );
      case Op.poolpage:
        return this.isRight(row, kvaCacheOf(map).alloc());
      case Op.poolpagefree:
        kvaCacheOf(map).free(ops.minAddress[row]!);
        return true;
      case Op.reclaim:
        this.system.reclaim(map, RECLAIM_SECONDS);
        return true;
      default:
        map.unmap(ops.minAddress[row]!, ops.size[row]!, isQuantum);
        return true;
    }
  }

  private isRight(row: number, address: Address): boolean {
    return address === this.operations.result[row] || !this.isWrong(address);
  }

  private isWrong(result: number): true {
    this.lastResult = result;
    return true;
  }

  private mapNamed(name: string): UvmMap {
    const map = this.system.maps.find((candidate) => candidate.name === name);
    if (map === undefined) throw new InputError(`unknown map '${name}'`, { field: 'arena' });
    return map;
  }
}

/** @throws MisuseError if the map has none. */
function kvaCacheOf({ name, kvaCache }: UvmMap): KvaCache {
  if (kvaCache === null) throw new MisuseError('the map has no KVA cache', { map: name });
  return kvaCache;
}

function mapRow(map: UvmMap): TableRow {
  const { figures, tree, kvaCache, supply } = map;
  const rows = [...entryRows(map)];
  const start = (row: number) => (row === HEAD ? '0x0' : AddressSpace.canonical.format(tree.start[row]!));
  const gaps = rows.map((row) => tree.gap[row]!);
  return {
    size_total: String(figures.totalBytes),
    in_use: String(figures.inUseBytes),
    spans: '1',
    free_segs: String(holes(map)),
    alloc_segs: String(figures.allocTags),
    segments_sha256: digest(segmentLines(map, false)),
    entries_sha256: digest(rows.map((row) => `${start(row)},${endText(map, row)},${entryLetters(map, row)}`)),
    nentries: String(figures.allocTags),
    merged_kept: String(figures.keptEntries),
    kentry_pages: String(
      rows.filter((row) => (supply.flags[map.entryAt[row]!]! & EntryFlag.entryPage) !== 0).length,
    ),
    kentry_free: String(supply.isInKernel ? supply.freeEntries : 0),
    hint: start(map.hint),
    first_free: start(map.firstFree),
    root_maxgap: String(gaps.reduce((widest, gap) => Math.max(widest, gap), 0)),
    vacache_chunks: String(kvaCache?.slabs ?? 0),
    vacache_out: String(kvaCache?.buffersInUse ?? 0),
  };
}

function endText({ tree }: UvmMap, row: number): string {
  return AddressSpace.canonical.format(tree.end[row]!);
}

function holes({ tree }: UvmMap): number {
  let count = 0;
  for (let row = HEAD; row !== NIL; row = tree.next[row]!) if (tree.gap[row]! > 0) count++;
  return count;
}

/** The span, then holes and entries in address order; with the letters of entries if asked for. */
function segmentLines(map: UvmMap, withLetters: boolean): string[] {
  const { tree } = map;
  const lines: string[] = [];
  const add = (type: string, start: Address, size: number, letters: string) => {
    const text = `${type},${AddressSpace.canonical.format(start)},${size}`;
    lines.push(withLetters ? `${text},${letters}` : text);
  };
  add('span', map.base, map.limit - map.base, '');
  for (let row = HEAD; row !== NIL; row = tree.next[row]!) {
    if (row !== HEAD)
      add('alloc', tree.start[row]!, tree.end[row]! - tree.start[row]!, entryLetters(map, row));
    if (tree.gap[row]! > 0) add('free', tree.end[row]!, tree.gap[row]!, '');
  }
  return lines;
}

function digest(lines: readonly string[]): string {
  const text = lines.map((line) => `${line}\n`).join('');
  return createHash('sha256').update(text).digest('hex');
}

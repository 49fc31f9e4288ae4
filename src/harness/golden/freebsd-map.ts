import { createHash } from 'node:crypto';
import { TAG_TYPE_NAMES, type TagType } from '../../arena/view.js';
import { MAP_ABIS } from '../../arena/vm-map/abi.js';
import { entryLines, entryRows } from '../../arena/vm-map/inspect.js';
import { VmMap } from '../../arena/vm-map/vm-map.js';
import { type Address, type AddressSpace, NO_ADDRESS } from '../../core/address.js';
import { InputError } from '../../core/errors.js';
import { LockTable } from '../../core/locks.js';
import type { GoldenCase, TableRow } from './golden-case.js';
import { type CaseOperations, NO_RESULT } from './operations.js';
import type { Oracle, OracleModel, PreparedCase } from './oracle.js';

/** Operations, as the vectors' README explains them; alloc and xalloc differ by their mode only. */
const Op = { alloc: 0, xalloc: 1, free: 2, insert: 3 } as const;

/** How an address is looked for: the first half of the flags. */
const Mode = { ANY: 0, SUPER: 1, ALIGN: 2, FIXED: 3 } as const;

const FLAGS = /^(ANY|SUPER|ALIGN|FIXED):([1-7])$/;

/** Vectors of FreeBSD 13.0's vm_map.c. */
export const freebsdMapOracle: Oracle = {
  name: 'freebsd-map',
  checkpointTables: ['checkpoints.csv'],
  initialTables: [],
  finalTables: ['segments.csv.gz'],
  unmodelled: () => ({}),
  skipReason: () => undefined,
  prepare,
};

function prepare(golden: GoldenCase): PreparedCase {
  const operations = decode(golden);
  return { start: () => new VmMapModel(golden, operations) };
}

/** The operations with what each needs in one column. */
interface DecodedOperations extends CaseOperations {
  /** Op number. */
  readonly kind: Uint8Array;
  /** Mode number. */
  readonly mode: Uint8Array;
  /** Protection, which stands for all attributes. */
  readonly attributes: Uint8Array;
}

function decode(golden: GoldenCase): DecodedOperations {
  const { operations } = golden;
  const { length, opNames, opLines, flagTexts, flagLines } = operations;
  const file = golden.path('ops.csv.gz');
  const kinds = opNames.map((name, index) => {
    if (Object.hasOwn(Op, name)) return Op[name as keyof typeof Op];
    const place = { file, line: opLines[index]!, field: 'op', allowed: Object.keys(Op).join(', ') };
    throw new InputError(`unknown operation '${name}'`, place);
  });
  const words = flagTexts.map((text, index) => flagWords(text, file, flagLines[index]!));
  const columns = {
    kind: new Uint8Array(length),
    mode: new Uint8Array(length),
    attributes: new Uint8Array(length),
  };
  for (let row = 0; row < length; row++) {
    const { mode, attributes } = words[operations.flags[row]!]!;
    columns.kind[row] = kinds[operations.op[row]!]!;
    columns.mode[row] = mode;
    columns.attributes[row] = attributes;
    const isKnown = operations.arena[row]! >= 0 && operations.arena[row]! < golden.arenas.length;
    if (isKnown && operations.slot[row]! >= 0) continue;
    const field = isKnown ? 'id' : 'arena';
    const allowed = isKnown ? 'the id of an allocation' : golden.arenaNames.join(', ');
    throw new InputError(`no ${isKnown ? 'allocation' : 'known map'}`, {
      file,
      line: row + 2,
      field,
      allowed,
    });
  }
  return { ...operations, ...columns };
}

function flagWords(text: string, file: string, line: number): { mode: number; attributes: number } {
  if (text === '') return { mode: Mode.ANY, attributes: 0 };
  const match = FLAGS.exec(text);
  if (match !== null) return { mode: Mode[match[1] as keyof typeof Mode], attributes: Number(match[2]) };
  const allowed = 'ANY, SUPER, ALIGN or FIXED, a colon, and a protection from 1 to 7';
  throw new InputError(`unknown flags '${text}'`, { file, line, field: 'flags', allowed });
}

class VmMapModel implements OracleModel {
  lastResult = NO_RESULT;
  private readonly operations: DecodedOperations;
  private readonly space: AddressSpace;
  private readonly maps: readonly VmMap[];
  private readonly addressOf: Float64Array;

  constructor(golden: GoldenCase, operations: DecodedOperations) {
    const { space } = operations;
    const locks = new LockTable();
    this.operations = operations;
    this.space = space;
    this.maps = golden.arenas.map(({ name, base: first, size }) => {
      const base = space.toNumber(BigInt(first));
      return new VmMap({ name, base, limit: base + size, abi: MAP_ABIS[13], locks });
    });
    this.addressOf = new Float64Array(operations.slotLimit).fill(NO_ADDRESS);
  }

  advance(from: number, to: number): number {
    const { maps, addressOf } = this;
    const { kind, mode, arena, size, align, minAddress, attributes, slot, result } = this.operations;
    for (let row = from; row < to; row++) {
      const map = maps[arena[row]!]!;
      const bytes = size[row]!;
      if (kind[row] === Op.free) {
        map.remove(addressOf[slot[row]!]!, bytes);
        continue;
      }
      const address =
        mode[row] === Mode.FIXED
          ? this.insert(map, row)
          : mode[row] === Mode.SUPER
            ? map.findSuper(bytes, minAddress[row]!, attributes[row]!)
            : map.find(bytes, align[row]!, minAddress[row]!, attributes[row]!);
      addressOf[slot[row]!] = address;
      if (address !== result[row]) {
        this.lastResult = address;
        return row;
      }
    }
    return to;
  }

  checkpoint(_table: string, wanted: TableRow): TableRow {
    const map = this.mapNamed(wanted.arena!);
    const segments = this.segmentTexts(map);
    return {
      size_total: String(map.figures.totalBytes),
      in_use: String(map.figures.inUseBytes),
      spans: '1',
      free_segs: String(segments.filter((text) => text.startsWith('free')).length),
      alloc_segs: String(map.figures.allocTags),
      segments_sha256: sha256(segments),
      entries: String(map.tree.size),
      max_free: String(map.tree.largestGap),
      entries_sha256: sha256(this.entryTexts(map)),
    };
  }

  wholeTable(): readonly string[] {
    return this.maps.flatMap((map) => this.segmentTexts(map).map((text) => `${map.name},${text}`));
  }

  dump(arena: string, around?: readonly Address[]): string {
    return entryLines(this.mapNamed(arena), around);
  }

  private insert(map: VmMap, row: number): Address {
    const { minAddress, size, attributes } = this.operations;
    const start = minAddress[row]!;
    return map.insert(start, size[row]!, attributes[row]!) ? start : NO_ADDRESS;
  }

  private segmentTexts(map: VmMap): string[] {
    const texts: string[] = [];
    map.walk((type: TagType, start, size) => {
      texts.push(`${TAG_TYPE_NAMES[type]},${this.space.format(start)},${size}`);
    });
    return texts;
  }

  private entryTexts(map: VmMap): string[] {
    const { start, end } = map.tree;
    return [...entryRows(map)].map(
      (row) => `${this.space.format(start[row]!)},${this.space.format(end[row]!)},${map.attributes[row]}`,
    );
  }

  private mapNamed(name: string): VmMap {
    const map = this.maps.find((candidate) => candidate.name === name);
    if (map === undefined) throw new InputError(`unknown map '${name}'`, { field: 'arena' });
    return map;
  }
}

function sha256(texts: readonly string[]): string {
  const text = texts.map((line) => `${line}\n`).join('');
  return createHash('sha256').update(text).digest('hex');
}

import { createHash } from 'node:crypto';
import { Type } from '@sinclair/typebox';
import { Value } from '@sinclair/typebox/value';
import { NIL } from '../../arena/linux-vmap/area-record.js';
import {
  type AreaRange,
  exactBytes,
  rangeLines,
  rangesOf,
  treeShape,
} from '../../arena/linux-vmap/inspect.js';
import { nodesFor } from '../../arena/linux-vmap/nodes.js';
import type { CongruentAreas } from '../../arena/linux-vmap/per-cpu-areas.js';
import { lazyMaxFor, MAIN_WINDOW, Vmap } from '../../arena/linux-vmap/vmap.js';
import { type Address, AddressSpace, NO_ADDRESS } from '../../core/address.js';
import { InputError } from '../../core/errors.js';
import { LockTable } from '../../core/locks.js';
import type { GoldenCase, TableRow } from './golden-case.js';
import { type CaseOperations, NO_RESULT } from './operations.js';
import type { Oracle, OracleModel, PreparedCase } from './oracle.js';

/** Operations, as case.json explains them. */
const Op = { alloc: 0, free: 1, drain: 2, reclaim: 3, shrink: 4, pcpu: 5, seed: 6 } as const;

/** Numbers of a step, and what stands for a row of `requests` in those that are no allocations. */
const STEP = 2;
const FREE = -1;
const RARE = -2;

const VmapCase = Type.Object({
  cpus: Type.Integer({ minimum: 1 }),
  nodes: Type.Integer({ minimum: 1 }),
  lazy_max_pages: Type.Integer({ minimum: 1 }),
});

const SPAN = 'span,0x1,18446744073709551614';

/** Vectors of Linux 6.12's mm/vmalloc.c and lib/rbtree.c. */
export const linuxVmapOracle: Oracle = {
  name: 'linux-vmap',
  checkpointTables: ['checkpoints.csv'],
  initialTables: [],
  finalTables: ['segments.csv.gz'],
  unmodelled: () => ({}),
  skipReason: () => undefined,
  prepare,
};

/** The operations with what each needs in one column. */
interface DecodedOperations extends CaseOperations {
  readonly kind: Uint8Array;
  /**
   * What a replay reads of each operation, STEP numbers: row of `requests`, FREE or RARE; and its slot. Requests that are
   * different are few, and columns of everything would pass through the caches.
   */
  readonly steps: Int32Array;
  readonly requests: readonly VmapRequest[];
  /** The number in `flags`: CPU, number of areas, or tag. */
  readonly flag: Int32Array;
}

/** What an allocation asks for. */
interface VmapRequest {
  readonly size: number;
  readonly align: number;
  /** Row of `windows`. */
  readonly window: number;
  readonly cpu: number;
}

/** Numbers what allocations ask for, each different one once. */
class RequestRows {
  readonly requests: VmapRequest[] = [];
  private readonly rows = new Map<string, number>();

  row(size: number, align: number, window: number, cpu: number): number {
    const key = `${size} ${align} ${window} ${cpu}`;
    const known = this.rows.get(key);
    if (known !== undefined) return known;
    this.rows.set(key, this.requests.length);
    return this.requests.push({ size, align, window, cpu }) - 1;
  }
}

interface Kernel {
  readonly name: string;
  readonly cpus: number;
  readonly start: Address;
  readonly last: Address;
}

function prepare(golden: GoldenCase): PreparedCase {
  const { start, last, name, ...machine } = kernelOf(golden);
  const windows = new WindowRows(start, last);
  const decoded = decode(golden, windows);
  return { start: () => new VmapModel(decoded, { start, last, name, ...machine }, windows.others) };
}

/** @throws InputError when case.json does not say what kernel it was, or one that the model does not follow. */
function kernelOf(golden: GoldenCase): Kernel {
  const { description, windows } = golden;
  const file = golden.path('case.json');
  if (!Value.Check(VmapCase, description)) {
    const error = Value.Errors(VmapCase, description).First();
    throw new InputError(error?.message ?? 'not a case of vmap', { file, field: error?.path ?? '' });
  }
  const [main] = windows;
  if (main === undefined || windows.length > 1)
    throw new InputError(`${windows.length} main ranges`, { file, field: 'arenas', allowed: 'one' });
  const { cpus, nodes, lazy_max_pages } = description;
  const expected = { nodes: nodesFor(cpus), lazy_max_pages: lazyMaxFor(cpus) };
  for (const [field, value] of Object.entries({ nodes, lazy_max_pages })) {
    const allowed = String(expected[field as keyof typeof expected]);
    if (String(value) !== allowed)
      throw new InputError(`${value} with ${cpus} CPUs`, { file, field, allowed });
  }
  return {
    name: main.name,
    cpus,
    start: AddressSpace.canonical.toNumber(BigInt(main.vmalloc_start)),
    last: AddressSpace.canonical.toNumber(BigInt(main.vmalloc_end)),
  };
}

/** Numbers the windows of a case, the main range first. */
class WindowRows {
  readonly others: [Address, Address][] = [];
  private readonly rows = new Map<string, number>();

  constructor(start: Address, last: Address) {
    this.rows.set(`${start} ${last}`, MAIN_WINDOW);
  }

  row(from: Address, to: Address): number {
    const key = `${from} ${to}`;
    const known = this.rows.get(key);
    if (known !== undefined) return known;
    this.others.push([from, to]);
    this.rows.set(key, this.others.length);
    return this.others.length;
  }
}

function decode(golden: GoldenCase, windows: WindowRows): DecodedOperations {
  const { operations } = golden;
  const { length, opNames, flagTexts } = operations;
  const file = golden.path('ops.csv.gz');
  const kinds = opNames.map((name, index) => {
    if (name in Op) return Op[name as keyof typeof Op];
    const place = {
      file,
      line: operations.opLines[index]!,
      field: 'op',
      allowed: Object.keys(Op).join(', '),
    };
    throw new InputError(`unknown operation '${name}'`, place);
  });
  const numbers = flagTexts.map((text, index) => {
    if (/^\d{0,3}$/.test(text)) return Number(text);
    const place = { file, line: operations.flagLines[index]!, field: 'flags', allowed: 'a number' };
    throw new InputError(`unknown flags '${text}'`, place);
  });
  const rows = new RequestRows();
  const columns = {
    kind: new Uint8Array(length),
    steps: new Int32Array(length * STEP),
    requests: rows.requests,
    flag: new Int32Array(length),
  };
  for (let row = 0; row < length; row++) {
    columns.kind[row] = kinds[operations.op[row]!]!;
    columns.flag[row] = numbers[operations.flags[row]!]!;
    columns.steps[row * STEP] = columns.kind[row] === Op.free ? FREE : RARE;
    columns.steps[row * STEP + 1] = operations.slot[row]!;
    if (columns.kind[row] !== Op.alloc) continue;
    const window = windows.row(operations.minAddress[row]!, operations.maxAddress[row]!);
    const { size, align } = operations;
    columns.steps[row * STEP] = rows.row(size[row]!, align[row]!, window, columns.flag[row]!);
  }
  return { ...operations, ...columns };
}

class VmapModel implements OracleModel {
  lastResult = NO_RESULT;
  private readonly vmap: Vmap;
  /** Address of each live allocation, by slot. */
  private readonly addressOf: Float64Array;
  /** Addresses of the per-CPU request that is under way, in row order, and how many rows have seen theirs. */
  private congruent: readonly Address[] = [];
  private congruentSeen = 0;

  constructor(
    private readonly operations: DecodedOperations,
    kernel: Kernel,
    windows: readonly (readonly [Address, Address])[],
  ) {
    this.vmap = new Vmap({ ...kernel, locks: new LockTable() });
    for (const [from, to] of windows) this.vmap.addWindow(from, to);
    this.addressOf = new Float64Array(operations.slotLimit);
  }

  advance(from: number, to: number): number {
    const { vmap, addressOf } = this;
    const { steps, requests, result } = this.operations;
    const { areas } = vmap;
    for (let row = from; row < to; row++) {
      const request = steps[row * STEP]!;
      const slot = steps[row * STEP + 1]!;
      if (request >= 0) {
        const { size, align, window, cpu } = requests[request]!;
        const area = vmap.alloc(size, align, window, cpu);
        const address = area === NIL ? NO_ADDRESS : areas.startOf(area);
        addressOf[slot] = address;
        if (address !== result[row]! && this.isWrong(address)) return row;
      } else if (request === FREE) {
        vmap.freeAt(addressOf[slot]!);
      } else if (!this.executeRare(row)) return row;
    }
    return to;
  }

  checkpoint(_table: string, _wanted: TableRow): TableRow {
    const ranges = rangesOf(this.vmap);
    const of = (place: AreaRange['place']) => ranges.filter((range) => range.place === place);
    const bytes = (place: AreaRange['place']) =>
      of(place).reduce((sum, range) => sum + exactBytes(range), 0n);
    return {
      size_total: String(ranges.reduce((sum, range) => sum + exactBytes(range), 0n)),
      in_use: String(bytes('alloc')),
      spans: '1',
      free_segs: String(of('free').length),
      alloc_segs: String(of('alloc').length),
      segments_sha256: digest(`${[SPAN, ...segmentLines(ranges)].join('\n')}\n`),
      lazy_segs: String(of('lazy').length),
      lazy_pages: String(this.vmap.lazyPages),
      pool_segs: String(of('pool').length),
      pool_bytes: String(bytes('pool')),
      tree_shape_sha256: digest(treeShape(this.vmap.free.tree)),
    };
  }

  wholeTable(): readonly string[] {
    return [SPAN, ...segmentLines(rangesOf(this.vmap))].map((line) => `${this.vmap.name},${line}`);
  }

  dump(_arena: string, around?: readonly Address[]): string {
    return rangeLines(this.vmap, around);
  }

  private executeRare(row: number): boolean {
    const { vmap } = this;
    const { kind, size, minAddress, flag, slot } = this.operations;
    switch (kind[row]) {
      case Op.drain:
        return this.isRight(row, vmap.purge(false));
      case Op.reclaim:
        return this.isRight(row, vmap.purge(true));
      case Op.shrink:
        vmap.decay(true);
        return true;
      case Op.seed:
        this.addressOf[slot[row]!] = minAddress[row]!;
        vmap.seed(minAddress[row]!, size[row]!, flag[row]!, 0);
        return this.isRight(row, minAddress[row]!);
      default:
        return this.executeCongruent(row);
    }
  }

  /** The first of the rows of one request carries out all of it. */
  private executeCongruent(row: number): boolean {
    const { size, phase, align, flag, slot } = this.operations;
    if (this.congruentSeen === this.congruent.length) {
      const rows = Array.from({ length: flag[row]! }, (_, index) => row + index);
      const wanted: CongruentAreas = {
        offsets: rows.map((at) => phase[at]!),
        sizes: rows.map((at) => size[at]!),
        align: align[row]!,
      };
      const areas = this.vmap.allocCongruent(wanted, 0);
      this.congruent = rows.map((_, index) =>
        areas.length === 0 ? NO_ADDRESS : this.vmap.areas.startOf(areas[index]!),
      );
      this.congruentSeen = 0;
    }
    const address = this.congruent[this.congruentSeen++]!;
    this.addressOf[slot[row]!] = address;
    return this.isRight(row, address);
  }

  private isRight(row: number, result: number): boolean {
    return result === this.operations.result[row] || !this.isWrong(result);
  }

  private isWrong(result: number): true {
    this.lastResult = result;
    return true;
  }
}

function segmentLines(ranges: readonly AreaRange[]): string[] {
  return ranges.map(
    (range) => `${range.place},${AddressSpace.canonical.format(range.start)},${exactBytes(range)}`,
  );
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

import { type AddressRange, type AddressSpace, NO_ADDRESS } from '../../core/address.js';
import { InputError } from '../../core/errors.js';
import type { GoldenCase } from './golden-case.js';

/** Result of operations that return nothing. */
export const NO_RESULT = -2;

const HEADER = 'seq,op,arena,id,size,align,phase,nocross,minaddr,maxaddr,flags,result';

/**
 * The operations of a case: operation i is row i of each column. Sizes in bytes, addresses as numbers of `space`.
 * A free carries the size and arena-independent id of its allocation. Absent fields are 0 (-1 for arena and id).
 */
export interface CaseOperations {
  readonly length: number;
  readonly space: AddressSpace;
  readonly seq: Float64Array;
  /** Row of `opNames`. */
  readonly op: Uint8Array;
  readonly opNames: readonly string[];
  /** Row of `arenaNames`. */
  readonly arena: Int16Array;
  readonly arenaNames: readonly string[];
  readonly id: Int32Array;
  /** Row of a live table: that of the allocation, used again after its free, so that the table stays small. */
  readonly slot: Int32Array;
  readonly size: Float64Array;
  readonly align: Float64Array;
  readonly phase: Float64Array;
  readonly nocross: Float64Array;
  readonly minAddress: Float64Array;
  readonly maxAddress: Float64Array;
  /** Row of `flagTexts`. */
  readonly flags: Uint16Array;
  readonly flagTexts: readonly string[];
  /** Address, NO_ADDRESS for ENOMEM, NO_RESULT where the operation has none. */
  readonly result: Float64Array;
  /** Slots are below this. */
  readonly slotLimit: number;
}

/** Reads ops.csv.gz. @throws InputError with file, line and field. */
export function readOperations(golden: GoldenCase): CaseOperations {
  const file = golden.path('ops.csv.gz');
  const lines = golden.text('ops.csv.gz').trimEnd().split('\n');
  if (lines[0] !== HEADER) throw new InputError('unexpected header', { file, line: 1, allowed: HEADER });
  const reader = new OperationReader(golden, file, lines);
  return reader.read();
}

class OperationReader {
  private readonly file: string;
  private readonly lines: readonly string[];
  private readonly space: AddressSpace;
  private readonly opNames = new NameTable();
  private readonly arenaNames = new NameTable();
  private readonly flagTexts = new NameTable();
  /** Size and slot of the last allocation of each id. */
  private readonly sizeOf: number[] = [];
  private readonly slotOf: number[] = [];
  private readonly unusedSlots: number[] = [];
  private slotLimit = 0;

  constructor(golden: GoldenCase, file: string, lines: readonly string[]) {
    this.file = file;
    this.lines = lines;
    this.space = golden.spaceFor(addedSpans(lines));
    for (const arena of golden.arenas) this.arenaNames.row(arena.name);
  }

  read(): CaseOperations {
    const length = this.lines.length - 1;
    const columns = {
      length,
      space: this.space,
      seq: new Float64Array(length),
      op: new Uint8Array(length),
      opNames: this.opNames.names,
      arena: new Int16Array(length),
      arenaNames: this.arenaNames.names,
      id: new Int32Array(length),
      slot: new Int32Array(length),
      size: new Float64Array(length),
      align: new Float64Array(length),
      phase: new Float64Array(length),
      nocross: new Float64Array(length),
      minAddress: new Float64Array(length),
      maxAddress: new Float64Array(length),
      flags: new Uint16Array(length),
      flagTexts: this.flagTexts.names,
      result: new Float64Array(length),
      slotLimit: 0,
    };
    for (let row = 0; row < length; row++) this.readRow(columns, row);
    return { ...columns, slotLimit: this.slotLimit };
  }

  private readRow(columns: CaseOperations, row: number): void {
    const field = this.lines[row + 1]!.split(',');
    if (field.length !== 12) throw this.bad(row, 'line', `${field.length} fields`, '12 fields');
    columns.seq[row] = this.number(row, 'seq', field[0]!);
    columns.op[row] = this.opNames.row(field[1]!);
    columns.arena[row] = field[2] === '' ? -1 : this.arenaNames.row(field[2]!);
    const id = field[3] === '' ? -1 : this.number(row, 'id', field[3]!);
    columns.id[row] = id;
    columns.size[row] = this.sizeField(row, field[1]!, id, field[4]!);
    columns.slot[row] = id < 0 ? -1 : this.slotField(id, field[4] !== '');
    columns.align[row] = this.number(row, 'align', field[5]!);
    columns.phase[row] = this.number(row, 'phase', field[6]!);
    columns.nocross[row] = this.number(row, 'nocross', field[7]!);
    columns.minAddress[row] = this.bound(row, 'minaddr', field[8]!);
    columns.maxAddress[row] = this.bound(row, 'maxaddr', field[9]!);
    columns.flags[row] = this.flagTexts.row(field[10]!);
    columns.result[row] = this.result(row, field[11]!);
  }

  private sizeField(row: number, op: string, id: number, text: string): number {
    if (text === '' && id >= 0) {
      const size = this.sizeOf[id];
      if (size === undefined) throw this.bad(row, 'id', `${op} of id ${id}, which was never allocated`, '');
      return size;
    }
    const size = this.number(row, 'size', text);
    if (id >= 0) this.sizeOf[id] = size;
    return size;
  }

  private slotField(id: number, allocates: boolean): number {
    if (allocates) {
      const slot = this.unusedSlots.pop() ?? this.slotLimit++;
      this.slotOf[id] = slot;
      return slot;
    }
    const slot = this.slotOf[id]!;
    this.unusedSlots.push(slot);
    return slot;
  }

  private number(row: number, field: string, text: string): number {
    const value = Number(text);
    if (Number.isInteger(value) && value >= 0 && value <= 2 ** 53) return value;
    throw this.bad(row, field, `'${text}'`, 'an integer from 0 to 2^53');
  }

  private bound(row: number, field: string, text: string): number {
    return text === '' ? 0 : this.space.clamp(this.bigint(row, field, text));
  }

  private result(row: number, text: string): number {
    if (text === '') return NO_RESULT;
    if (text === 'ENOMEM') return NO_ADDRESS;
    return this.space.toNumber(this.bigint(row, 'result', text));
  }

  private bigint(row: number, field: string, text: string): bigint {
    if (/^0x[0-9a-f]{1,16}$/.test(text)) return BigInt(text);
    throw this.bad(row, field, `'${text}'`, 'a hexadecimal address of 64 bits, or ENOMEM as a result');
  }

  private bad(row: number, field: string, what: string, allowed: string): InputError {
    return new InputError(`bad value ${what}`, { file: this.file, line: row + 2, field, allowed });
  }
}

/** Spans that `add` operations bring: base in minaddr, length in size. */
function addedSpans(lines: readonly string[]): AddressRange[] {
  return lines
    .filter((line) => line.includes(',add,'))
    .map((line) => line.split(','))
    .map((field) => ({ start: BigInt(field[8]!), end: BigInt(field[8]!) + BigInt(field[4]!) }));
}

/** Names in order of appearance. */
class NameTable {
  readonly names: string[] = [];
  private readonly rows = new Map<string, number>();

  row(name: string): number {
    const known = this.rows.get(name);
    if (known !== undefined) return known;
    this.rows.set(name, this.names.length);
    return this.names.push(name) - 1;
  }
}

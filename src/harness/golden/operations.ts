import { type AddressRange, type AddressSpace, NO_ADDRESS } from '../../core/address.js';
import { InputError } from '../../core/errors.js';
import { isPowerOfTwo } from '../../core/units.js';
import type { GoldenCase } from './golden-case.js';

/** Result of operations that return nothing. */
export const NO_RESULT = -2;

const ADDRESS = /^0x[0-9a-f]{1,16}$/;
const LENGTH = /^[0-9]{1,16}$/;
/** Alignments go up to 2^63, exact because they are powers of two. */
const ALIGNMENT = /^[0-9]{1,19}$/;

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
  /** Line of the file on which each op name, and each text of flags, appears first: for messages. */
  readonly opLines: readonly number[];
  readonly flagLines: readonly number[];
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
  /** Address, NO_ADDRESS for ENOMEM, NO_RESULT where the operation has none; a number for COUNTING_OPERATIONS. */
  readonly result: Float64Array;
  /** Slots are below this. */
  readonly slotLimit: number;
}

/** Operations whose result is an address or ENOMEM; FORMAT.md lets others have one too. */
const ANSWERED: ReadonlySet<string> = new Set(['alloc', 'xalloc', 'add', 'pcpu', 'seed']);
/** Operations whose result is how many areas they moved. */
export const COUNTING_OPERATIONS: ReadonlySet<string> = new Set(['drain', 'reclaim']);
/** Operations without result. */
const UNANSWERED: ReadonlySet<string> = new Set(['free', 'xfree', 'reap']);
/** Operations that end an allocation; their size may be repeated. */
const FREEING: ReadonlySet<string> = new Set(['free', 'xfree']);
/** Operations on an arena, of some length of it or of an object in it. */
const ON_ARENA: ReadonlySet<string> = new Set(['alloc', 'xalloc', 'add', 'free', 'xfree']);

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
  /** Size and slot of the live allocation of each id. */
  private readonly sizeOf = new Map<number, number>();
  private readonly slotOf = new Map<number, number>();
  private readonly unusedSlots: number[] = [];
  private readonly knownArenas: readonly string[];
  private slotLimit = 0;

  constructor(golden: GoldenCase, file: string, lines: readonly string[]) {
    this.file = file;
    this.lines = lines;
    this.space = golden.spaceFor(addedSpans(lines));
    for (const { name } of golden.arenas) this.arenaNames.row(name, 0);
    for (const name of golden.maps) this.arenaNames.row(name, 0);
    this.knownArenas = golden.arenaNames;
  }

  read(): CaseOperations {
    const length = this.lines.length - 1;
    const columns = {
      length,
      space: this.space,
      seq: new Float64Array(length),
      op: new Uint8Array(length),
      opNames: this.opNames.names,
      opLines: this.opNames.lines,
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
      flagLines: this.flagTexts.lines,
      result: new Float64Array(length),
      slotLimit: 0,
    };
    for (let row = 0; row < length; row++) this.readRow(columns, row);
    return { ...columns, slotLimit: this.slotLimit };
  }

  private readRow(columns: CaseOperations, row: number): void {
    const field = this.lines[row + 1]!.split(',');
    if (field.length !== 12) throw this.bad(row, 'line', `${field.length} fields`, '12 fields');
    const op = field[1]!;
    columns.seq[row] = this.seqField(row, field[0]!, columns.seq[row - 1] ?? -1);
    columns.op[row] = this.opNames.row(op, row + 2);
    columns.arena[row] = this.arenaField(row, op, field[2]!);
    const id = field[3] === '' ? -1 : this.number(row, 'id', field[3]!);
    columns.id[row] = id;
    columns.size[row] = this.sizeField(row, op, id, field[4]!);
    columns.slot[row] = id < 0 ? -1 : this.slotField(id, field[4] !== '' && !FREEING.has(op));
    columns.align[row] = this.alignment(row, field[5]!);
    columns.phase[row] = this.number(row, 'phase', field[6]!);
    columns.nocross[row] = this.number(row, 'nocross', field[7]!);
    columns.minAddress[row] = this.bound(row, 'minaddr', field[8]!);
    columns.maxAddress[row] = this.bound(row, 'maxaddr', field[9]!);
    columns.flags[row] = this.flagTexts.row(field[10]!, row + 2);
    columns.result[row] = this.result(row, op, field[11]!);
  }

  private seqField(row: number, text: string, before: number): number {
    const seq = this.number(row, 'seq', text);
    if (text !== '' && seq > before) return seq;
    throw this.bad(row, 'seq', `'${text}'`, `more than the ${before} before it`);
  }

  private arenaField(row: number, op: string, name: string): number {
    if (ON_ARENA.has(op) && !this.knownArenas.includes(name)) {
      throw this.bad(row, 'arena', `'${name}'`, this.knownArenas.join(', '));
    }
    return name === '' ? -1 : this.arenaNames.row(name, row + 2);
  }

  private sizeField(row: number, op: string, id: number, text: string): number {
    if (ON_ARENA.has(op) && op !== 'add' && id < 0)
      throw this.bad(row, 'id', "''", 'the id of an allocation');
    if (id >= 0 && (text === '' || FREEING.has(op))) {
      const size = this.sizeOf.get(id);
      if (size !== undefined && (text === '' || text === String(size))) return size;
      if (size !== undefined)
        throw this.bad(row, 'size', `'${text}' of ${op}`, `nothing, or ${size} as allocated`);
      throw this.bad(row, 'id', `'${id}' of ${op}, which is not allocated`, 'a live allocation');
    }
    const size = this.number(row, 'size', text);
    if (ANSWERED.has(op) && size === 0) throw this.bad(row, 'size', `'${text}'`, 'more than 0 bytes');
    if (UNANSWERED.has(op) && text !== '') throw this.bad(row, 'size', `'${text}'`, `nothing for ${op}`);
    if (id >= 0) this.sizeOf.set(id, size);
    return size;
  }

  private slotField(id: number, allocates: boolean): number {
    if (allocates) {
      const slot = this.unusedSlots.pop() ?? this.slotLimit++;
      this.slotOf.set(id, slot);
      return slot;
    }
    const slot = this.slotOf.get(id)!;
    this.slotOf.delete(id);
    this.sizeOf.delete(id);
    this.unusedSlots.push(slot);
    return slot;
  }

  private number(row: number, field: string, text: string): number {
    const value = Number(text);
    if ((text === '' || LENGTH.test(text)) && value <= 2 ** 53) return value;
    throw this.bad(row, field, `'${text}'`, 'an integer from 0 to 2^53');
  }

  private alignment(row: number, text: string): number {
    const isLarge = ALIGNMENT.test(text) && Number(text) > 2 ** 53 && Number(text) < 2 ** 64;
    return isLarge && isPowerOfTwo(Number(text)) ? Number(text) : this.number(row, 'align', text);
  }

  private bound(row: number, field: string, text: string): number {
    return text === '' ? 0 : this.space.clamp(this.bigint(row, field, text));
  }

  private result(row: number, op: string, text: string): number {
    if (UNANSWERED.has(op) && text !== '') throw this.bad(row, 'result', `'${text}'`, `nothing for ${op}`);
    if (text === '' && (op === 'add' || !ANSWERED.has(op))) return NO_RESULT;
    if (COUNTING_OPERATIONS.has(op)) return this.number(row, 'result', text);
    if (text === 'ENOMEM') return NO_ADDRESS;
    const address = this.bigint(row, 'result', text);
    const slot = this.space.clamp(address);
    if (this.space.toBigInt(slot) === address) return slot;
    throw this.bad(row, 'result', `'${text}'`, 'an address of a span of the case, or ENOMEM');
  }

  private bigint(row: number, field: string, text: string): bigint {
    if (ADDRESS.test(text)) return BigInt(text);
    throw this.bad(row, field, `'${text}'`, 'a hexadecimal address of 64 bits, or ENOMEM as a result');
  }

  private bad(row: number, field: string, what: string, allowed: string): InputError {
    return new InputError(`bad value ${what}`, { file: this.file, line: row + 2, field, allowed });
  }
}

/** Spans that `add` operations bring: base in minaddr, length in size. Rows that are none are reported when read. */
function addedSpans(lines: readonly string[]): AddressRange[] {
  return lines
    .filter((line) => line.includes(',add,'))
    .map((line) => line.split(','))
    .filter((field) => ADDRESS.test(field[8] ?? '') && LENGTH.test(field[4] ?? '') && Number(field[4]) > 0)
    .map((field) => ({ start: BigInt(field[8]!), end: BigInt(field[8]!) + BigInt(field[4]!) }));
}

/** Names in order of appearance, with the lines on which they appeared first. */
class NameTable {
  readonly names: string[] = [];
  readonly lines: number[] = [];
  private readonly rows = new Map<string, number>();

  row(name: string, line: number): number {
    const known = this.rows.get(name);
    if (known !== undefined) return known;
    this.rows.set(name, this.names.length);
    this.lines.push(line);
    return this.names.push(name) - 1;
  }
}

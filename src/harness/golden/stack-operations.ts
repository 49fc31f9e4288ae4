import { AddressSpace } from '../../core/address.js';
import { InputError } from '../../core/errors.js';
import type { GoldenCase } from './golden-case.js';
import { type CaseOperations, NO_RESULT } from './operations.js';

const HEADER = 'seq,op,id,arg';

/** What an id names. */
const Kind = { stack: 0, page: 1 } as const;

/** Whether an operation names an object that is new, or that lives and goes on living, or that ends. */
const Role = { none: 0, begins: 1, uses: 2, ends: 3 } as const;

/** Operations of the form, in the order of the codes that models see. */
export const STACK_OPERATIONS = [
  'create',
  'exit',
  'swapout',
  'swapin',
  'noise',
  'unnoise',
  'launder',
  'reclaim',
  'reap',
  'cpu',
] as const;
type OperationName = (typeof STACK_OPERATIONS)[number];

const ROLES: Readonly<Record<OperationName, { readonly role: number; readonly kind: number }>> = {
  create: { role: Role.begins, kind: Kind.stack },
  exit: { role: Role.ends, kind: Kind.stack },
  swapout: { role: Role.uses, kind: Kind.stack },
  swapin: { role: Role.uses, kind: Kind.stack },
  noise: { role: Role.begins, kind: Kind.page },
  unnoise: { role: Role.ends, kind: Kind.page },
  launder: { role: Role.none, kind: Kind.stack },
  reclaim: { role: Role.none, kind: Kind.stack },
  reap: { role: Role.none, kind: Kind.stack },
  cpu: { role: Role.none, kind: Kind.stack },
};

/**
 * Reads the operations of a case that replays one list under several layouts: `op` is the row of STACK_OPERATIONS, `arg`
 * is in the column `size`, and results are in a table for each layout. @throws InputError with file, line and field.
 */
export function readStackOperations(golden: GoldenCase): CaseOperations {
  const file = golden.path('ops.csv.gz');
  const lines = golden.text('ops.csv.gz').trimEnd().split('\n');
  if (lines[0] !== HEADER) throw new InputError('unexpected header', { file, line: 1, allowed: HEADER });
  return new StackOperationReader(file, lines).read(golden.variants);
}

class StackOperationReader {
  private readonly file: string;
  private readonly lines: readonly string[];
  /** Slot and kind of each live id. */
  private readonly living = new Map<number, { readonly slot: number; readonly kind: number }>();
  private readonly unusedSlots: number[] = [];
  private slotLimit = 0;

  constructor(file: string, lines: readonly string[]) {
    this.file = file;
    this.lines = lines;
  }

  read(variants: readonly string[]): CaseOperations {
    const length = this.lines.length - 1;
    const none = new Float64Array(length);
    const columns = {
      length,
      space: AddressSpace.canonical,
      seq: new Float64Array(length),
      op: new Uint8Array(length),
      opNames: STACK_OPERATIONS,
      opLines: STACK_OPERATIONS.map(() => 1),
      arena: new Int16Array(length).fill(-1),
      arenaNames: variants,
      id: new Int32Array(length).fill(-1),
      slot: new Int32Array(length).fill(-1),
      size: new Float64Array(length),
      align: none,
      phase: none,
      nocross: none,
      minAddress: none,
      maxAddress: none,
      flags: new Uint16Array(length),
      flagTexts: [''],
      flagLines: [1],
      result: new Float64Array(length).fill(NO_RESULT),
    };
    for (let row = 0; row < length; row++) this.readRow(columns, row);
    return { ...columns, slotLimit: this.slotLimit };
  }

  private readRow(columns: Omit<CaseOperations, 'slotLimit'>, row: number): void {
    const field = this.lines[row + 1]!.split(',');
    if (field.length !== 4) throw this.bad(row, 'line', `${field.length} fields`, '4 fields');
    const before = columns.seq[row - 1] ?? -1;
    columns.seq[row] = this.number(row, 'seq', field[0]!);
    if (columns.seq[row]! <= before) {
      throw this.bad(row, 'seq', `'${field[0]}'`, `more than the ${before} before it`);
    }
    const op = STACK_OPERATIONS.indexOf(field[1] as OperationName);
    if (op < 0) throw this.bad(row, 'op', `'${field[1]}'`, STACK_OPERATIONS.join(', '));
    columns.op[row] = op;
    columns.size[row] = field[3] === '' ? 0 : this.number(row, 'arg', field[3]!);
    const { role, kind } = ROLES[STACK_OPERATIONS[op]!];
    if (role === Role.none) return;
    const id = this.number(row, 'id', field[2]!);
    columns.id[row] = id;
    columns.slot[row] = this.slotField(row, id, role, kind);
  }

  private slotField(row: number, id: number, role: number, kind: number): number {
    const known = this.living.get(id);
    if (role === Role.begins) {
      if (known !== undefined) throw this.bad(row, 'id', `'${id}', which lives already`, 'a new id');
      const slot = this.unusedSlots.pop() ?? this.slotLimit++;
      this.living.set(id, { slot, kind });
      return slot;
    }
    if (known?.kind !== kind) {
      throw this.bad(row, 'id', `'${id}'`, kind === Kind.stack ? 'a live stack' : 'a live page');
    }
    if (role === Role.ends) {
      this.living.delete(id);
      this.unusedSlots.push(known.slot);
    }
    return known.slot;
  }

  private number(row: number, field: string, text: string): number {
    if (/^\d{1,9}$/.test(text)) return Number(text);
    throw this.bad(row, field, `'${text}'`, 'an integer from 0 to 999999999');
  }

  private bad(row: number, field: string, what: string, allowed: string): InputError {
    return new InputError(`bad value ${what}`, { file: this.file, line: row + 2, field, allowed });
  }
}

import { type Address, NO_ADDRESS } from '../../core/address.js';
import { InputError, InvariantError, MisuseError } from '../../core/errors.js';
import type { GoldenCase, TableRow } from './golden-case.js';
import { type CaseOperations, COUNTING_OPERATIONS, NO_RESULT } from './operations.js';
import type { Oracle, OracleModel } from './oracle.js';

/** Operations on the same arena that are shown before the first difference. */
const HISTORY = 8;

/** What FORMAT.md asks of a case: without them a case that passes would have proved little. */
const REQUIRED_TABLES: readonly string[] = ['checkpoints.csv', 'segments.csv.gz'];

/** First difference between a model and the kernel's code. */
export interface Mismatch {
  /** `seq` of the operation after which it shows. */
  readonly seq: number;
  /** What differs: `result`, or table, row and column. */
  readonly what: string;
  readonly wanted: string;
  readonly got: string;
  /** The operation, the ones before it and the tags around, as text. */
  readonly context: string;
}

/**
 * Replays a case and compares everything that it records, then the same with the oracle's companion.
 * Returns the first difference, or undefined.
 */
export function verifyCase(golden: GoldenCase, oracle: Oracle): Mismatch | undefined {
  const mismatch = new Verification(golden, oracle).run();
  const { companion } = oracle;
  if (mismatch !== undefined || companion?.skipReason(golden) !== undefined) return mismatch;
  if (companion === undefined) return undefined;
  const second = verifyCase(golden, companion);
  return second && { ...second, what: `${companion.name}: ${second.what}` };
}

/** Replays a case up to and including the operation `seq` and returns the tags of every arena as text. */
export function dumpAt(golden: GoldenCase, oracle: Oracle, seq: number): string {
  const { operations } = golden;
  const model = oracle.prepare(golden).start(true);
  const past = operations.seq.findIndex((value) => value > seq);
  const end = past < 0 ? operations.length : past;
  // The dump is also for looking at a state behind a wrong result, so those do not stop it.
  for (let row = 0; row < end; ) row = model.advance(row, end) + 1;
  return operations.arenaNames.map((arena) => model.dump(arena)).join('\n');
}

class Verification {
  private readonly golden: GoldenCase;
  private readonly oracle: Oracle;
  private readonly ops: CaseOperations;
  private readonly model: OracleModel;
  private readonly unmodelled: Readonly<Record<string, string>>;
  /** Rows of each checkpoint table by seq. */
  private readonly checkpoints: readonly { table: string; rows: Map<number, TableRow[]> }[];

  constructor(golden: GoldenCase, oracle: Oracle) {
    this.golden = golden;
    this.oracle = oracle;
    this.ops = golden.operations;
    this.unmodelled = oracle.unmodelled(golden);
    this.model = oracle.prepare(golden).start(true);
    const required = oracle.requiredTables?.(golden) ?? REQUIRED_TABLES;
    this.checkpoints = oracle.checkpointTables
      .filter((table) => required.includes(table) || golden.has(table))
      .map((table) => ({ table, rows: rowsBySeq(golden, table) }));
    for (const table of required) golden.require(table);
  }

  run(): Mismatch | undefined {
    const { ops } = this;
    const before =
      this.compareTables(this.oracle.initialTables, -1) ?? this.compareCheckpoint((ops.seq[0] ?? 1) - 1, -1);
    if (before !== undefined) return before;
    for (let row = 0; row < ops.length; ) {
      const end = this.nextCheckpoint(row) + 1;
      const mismatch = this.advance(row, end) ?? this.compareCheckpoint(ops.seq[end - 1]!, end - 1);
      if (mismatch !== undefined) return mismatch;
      row = end;
    }
    return this.compareTables(this.oracle.finalTables, ops.length - 1);
  }

  /** First row at or behind `row` that a checkpoint follows; the last row if none does. */
  private nextCheckpoint(row: number): number {
    const { seq, length } = this.ops;
    let at = row;
    while (at < length - 1 && !this.checkpoints.some(({ rows }) => rows.has(seq[at]!))) at++;
    return at;
  }

  private advance(from: number, to: number): Mismatch | undefined {
    let reached: number;
    try {
      reached = this.model.advance(from, to);
    } catch (error) {
      // A model that contradicts itself has failed the case; anything else is not about the case.
      if (!(error instanceof InvariantError || error instanceof MisuseError)) throw error;
      return this.mismatch(
        from,
        'the model gave up at or behind this operation',
        'a result',
        error.message,
        [],
      );
    }
    if (reached === to) return undefined;
    const { lastDifference } = this.model;
    if (lastDifference !== undefined) {
      const { what, wanted, got } = lastDifference;
      return this.mismatch(reached, what, wanted, got, []);
    }
    const wanted = this.ops.result[reached]!;
    const got = this.model.lastResult;
    const around = [wanted, got].filter((address) => address >= 0);
    return this.mismatch(
      reached,
      'result',
      this.resultText(reached, wanted),
      this.resultText(reached, got),
      around,
    );
  }

  private compareCheckpoint(seq: number, row: number): Mismatch | undefined {
    for (const { table, rows } of this.checkpoints) {
      for (const wanted of rows.get(seq) ?? []) {
        const got = this.model.checkpoint(table, wanted);
        const column = this.firstDifference(wanted, got);
        if (column === undefined) continue;
        const what = `${table} ${wanted.arena ?? ''} ${wanted.cache ?? ''} ${column}`.replace(/ +/g, ' ');
        return this.mismatch(row, what, wanted[column]!, got[column] ?? '(not modelled)', []);
      }
    }
    return undefined;
  }

  private firstDifference(wanted: TableRow, got: TableRow): string | undefined {
    return Object.keys(wanted)
      .filter((column) => !(column in this.unmodelled) && !KEYS.has(column))
      .find((column) => wanted[column] !== got[column]);
  }

  /** Compares whole tables after the operation in `row`, -1 = before the first. */
  private compareTables(tables: readonly string[], row: number): Mismatch | undefined {
    for (const table of tables.filter((file) => this.golden.has(file))) {
      const wanted = this.golden.text(table).trimEnd().split('\n').slice(1);
      const got = this.model.wholeTable(table);
      const line = wanted.findIndex((text, index) => text !== got[index]);
      if (line >= 0)
        return this.mismatch(row, `${table} row ${line + 1}`, wanted[line]!, got[line] ?? '(none)', []);
      if (got.length > wanted.length) {
        return this.mismatch(row, `${table} row ${wanted.length + 1}`, '(none)', got[wanted.length]!, []);
      }
    }
    return undefined;
  }

  private mismatch(
    row: number,
    what: string,
    wanted: string,
    got: string,
    around: readonly Address[],
  ): Mismatch {
    const seq = row < 0 ? 0 : this.ops.seq[row]!;
    const lines = row < 0 ? ['before the first operation'] : this.history(row);
    const arena = row < 0 ? -1 : this.ops.arena[row]!;
    if (arena >= 0 && around.length > 0) lines.push(this.model.dump(this.ops.arenaNames[arena]!, around));
    return { seq, what, wanted, got, context: lines.join('\n') };
  }

  /** The operation and the last ones before it on the same arena. */
  private history(row: number): string[] {
    const lines: string[] = [];
    for (let at = row; at >= 0 && lines.length <= HISTORY; at--) {
      if (at === row || this.ops.arena[at] === this.ops.arena[row]) lines.unshift(this.operationText(at));
    }
    return lines.map((line, index) => (index === lines.length - 1 ? `> ${line}` : `  ${line}`));
  }

  private operationText(row: number): string {
    const { ops } = this;
    const address = (value: number) => (value === 0 ? '' : ops.space.format(value));
    const fields: readonly (readonly [string, string | number])[] = [
      ['id', ops.id[row]! < 0 ? '' : String(ops.id[row]!)],
      ['size', ops.size[row]!],
      ['align', ops.align[row]!],
      ['phase', ops.phase[row]!],
      ['nocross', ops.nocross[row]!],
      ['minaddr', address(ops.minAddress[row]!)],
      ['maxaddr', address(ops.maxAddress[row]!)],
      ['flags', ops.flagTexts[ops.flags[row]!]!],
    ];
    const shown = fields
      .filter(([, value]) => value !== '' && value !== 0)
      .map(([name, value]) => `${name}=${value}`);
    const arena = ops.arena[row]! < 0 ? '' : ` ${ops.arenaNames[ops.arena[row]!]}`;
    const result = ops.result[row] === NO_RESULT ? '' : ` -> ${this.resultText(row, ops.result[row]!)}`;
    return `${ops.seq[row]} ${ops.opNames[ops.op[row]!]}${arena} ${shown.join(' ')}${result}`;
  }

  private resultText(row: number, result: number): string {
    if (result === NO_ADDRESS) return 'ENOMEM';
    if (COUNTING_OPERATIONS.has(this.ops.opNames[this.ops.op[row]!]!)) return String(result);
    return result === NO_RESULT ? '(nothing)' : this.ops.space.format(result);
  }
}

/** Columns that name a row. */
const KEYS = new Set(['seq', 'arena', 'cache']);

/** Rows of a checkpoint table by seq. @throws InputError for a row that no operation leads to. */
function rowsBySeq(golden: GoldenCase, table: string): Map<number, TableRow[]> {
  const file = golden.path(table);
  const rows = golden.table(table);
  if (rows.length === 0) throw new InputError('no checkpoints', { file });
  const { arenaNames, operations } = golden;
  const reached = new Set(operations.seq).add((operations.seq[0] ?? 1) - 1);
  const bySeq = new Map<number, TableRow[]>();
  rows.forEach((row, index) => {
    const place = { file, line: index + 2 };
    const seq = Number(row.seq);
    if (row.seq === '' || !reached.has(seq)) {
      throw new InputError(`no operation '${row.seq}'`, { ...place, field: 'seq' });
    }
    // Tables of caches name those; their arena may be one that only the oracle knows. Layouts have a table each.
    const namesArena = row.cache === undefined && golden.variants.length === 0;
    if (namesArena && !arenaNames.includes(row.arena!)) {
      throw new InputError(`unknown arena '${row.arena}'`, {
        ...place,
        field: 'arena',
        allowed: arenaNames.join(', '),
      });
    }
    bySeq.set(seq, [...(bySeq.get(seq) ?? []), row]);
  });
  return bySeq;
}

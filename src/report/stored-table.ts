import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { InputError } from '../core/errors.js';
import { attemptIo } from '../core/files.js';
import { textOfCsv } from './csv.js';

/** A column of a stored table, as its data package describes it. */
export interface StoredField {
  readonly name: string;
  readonly type: 'string' | 'integer' | 'number';
  /** As in the contract `Column`; absent for text. */
  readonly unit?: string;
  readonly kind: 'exact' | 'measured';
  readonly better: 'less' | 'more' | 'none';
  readonly description: string;
}

/** What a data package says of a table. */
export interface StoredDescription {
  readonly name: string;
  readonly title: string;
  readonly fields: readonly StoredField[];
  /** sha256 in hex. */
  readonly digest: string;
}

/** Rows from `from` to before `to`, all of one cell. */
export interface CellRows {
  readonly workload: string;
  readonly backend: string;
  readonly seed: number;
  readonly from: number;
  readonly to: number;
}

type StoredColumn = Float64Array | string[];

const CHUNK = 1 << 22;
const LINE_FEED = 10;

/** A table of a folder of results, as columns. */
export class StoredTable {
  private cells: readonly CellRows[] | undefined;

  private constructor(
    readonly path: string,
    readonly description: StoredDescription,
    /** Number of rows. */
    readonly rows: number,
    private readonly columns: readonly StoredColumn[],
  ) {}

  /**
   * Reads a table and holds it against its description.
   * @throws InputError with file, line and field where it is missing, broken, or not what was written.
   */
  static read(path: string, description: StoredDescription): StoredTable {
    const bytes = attemptIo('cannot read the table', path, () => readFileSync(path));
    const rows = new RowReader(path, description.fields, countLines(bytes));
    for (const lines of linesOf(bytes)) rows.append(lines);
    const { columns, count } = rows.finish();
    if (createHash('sha256').update(bytes).digest('hex') !== description.digest) {
      throw new InputError('the table is not the one that was written: its digest differs', {
        file: path,
        allowed: 'the file as kvabench wrote it; `kvabench run --resume` makes it anew from cells/',
      });
    }
    return new StoredTable(path, description, count, columns);
  }

  /** Fields in the order of the file. */
  get fields(): readonly StoredField[] {
    return this.description.fields;
  }

  /** The description of a column, or undefined where the table has none of this name. */
  field(name: string): StoredField | undefined {
    return this.fields.find((field) => field.name === name);
  }

  /** A column of numbers; empty fields are NaN. @throws InputError if there is none of this name, or it is text. */
  numbers(name: string): Float64Array {
    const column = this.column(name);
    if (column instanceof Float64Array) return column;
    throw new InputError('the column holds text, not numbers', { file: this.path, field: name });
  }

  /** A column of text, as it was before it was written. @throws InputError if there is none of this name. */
  texts(name: string): readonly string[] {
    const column = this.column(name);
    if (!(column instanceof Float64Array)) return column;
    throw new InputError('the column holds numbers, not text', { file: this.path, field: name });
  }

  /** The rows of each cell, in the order of the file. */
  byCell(): readonly CellRows[] {
    this.cells ??= cellRows(this.texts('workload'), this.texts('backend'), this.numbers('seed'));
    return this.cells;
  }

  private column(name: string): StoredColumn {
    const index = this.fields.findIndex((field) => field.name === name);
    if (index >= 0) return this.columns[index]!;
    throw new InputError('the column is missing: the results are of another version of kvabench', {
      file: this.path,
      field: name,
      allowed: 'results of this version',
    });
  }
}

/** A cell's rows stand together. */
function cellRows(
  workloads: readonly string[],
  backends: readonly string[],
  seeds: Float64Array,
): CellRows[] {
  const cells: CellRows[] = [];
  for (let from = 0; from < seeds.length; ) {
    const [workload, backend, seed] = [workloads[from]!, backends[from]!, seeds[from]!];
    let to = from + 1;
    while (workloads[to] === workload && backends[to] === backend && seeds[to] === seed) to++;
    cells.push({ workload, backend, seed, from, to });
    from = to;
  }
  return cells;
}

function countLines(bytes: Buffer): number {
  let lines = 0;
  for (let at = bytes.indexOf(LINE_FEED); at >= 0; at = bytes.indexOf(LINE_FEED, at + 1)) lines++;
  return lines;
}

/** Lines of a table, some at a time: a text of the whole could be longer than the engine allows. */
function* linesOf(bytes: Buffer): Generator<string[]> {
  for (let from = 0; from < bytes.length; ) {
    const end = bytes.lastIndexOf(LINE_FEED, from + CHUNK);
    const to = end < from ? bytes.length : end + 1;
    const lines = bytes.toString('utf8', from, to).split('\n');
    if (lines.at(-1) === '') lines.pop();
    yield lines;
    from = to;
  }
}

/**
 * Fields of a record; undefined where a quoted field does not end, or goes on behind its end. Our own tables have tens
 * of megabytes and quotes in most lines, which takes a general reader of CSV several times as long.
 */
function fieldsOf(record: string): string[] | undefined {
  if (!record.includes('"')) return record.split(',');
  const fields: string[] = [];
  for (let at = 0; ; at++) {
    const isQuoted = record[at] === '"';
    const end = isQuoted ? closingQuote(record, at) + 1 : record.indexOf(',', at);
    if (isQuoted && (end === 0 || (end < record.length && record[end] !== ','))) return undefined;
    const text = record.slice(at, end < 0 ? undefined : end);
    fields.push(isQuoted ? text.slice(1, -1).replaceAll('""', '"') : text);
    if (end < 0 || end === record.length) return fields;
    at = end;
  }
}

/** Where the field that starts with a quote at `start` ends with one; -1 if it does not. */
function closingQuote(record: string, start: number): number {
  let at = record.indexOf('"', start + 1);
  while (at >= 0 && record[at + 1] === '"') at = record.indexOf('"', at + 2);
  return at;
}

/** Takes lines in; the first is the head. */
class RowReader {
  private readonly columns: StoredColumn[];
  private readonly interned = new Map<string, string>();
  private lines = 0;
  /** Records so far, the head too. */
  private records = 0;
  /** Lines of a record whose quoted field goes on in the next one. */
  private open = '';

  constructor(
    private readonly file: string,
    private readonly fields: readonly StoredField[],
    most: number,
  ) {
    this.columns = fields.map(({ type }) => (type === 'string' ? [] : new Float64Array(most)));
  }

  append(lines: readonly string[]): void {
    for (const line of lines) {
      this.lines++;
      const record = this.open === '' ? line : this.open + line;
      const fields = fieldsOf(record);
      this.open = fields === undefined ? `${record}\n` : '';
      if (fields === undefined) continue;
      if (this.records++ === 0) this.checkHead(fields);
      else this.addRow(fields);
    }
  }

  finish(): { columns: StoredColumn[]; count: number } {
    if (this.open !== '') throw new InputError('a quoted field does not end', this.place());
    if (this.records === 0) throw new InputError('the table is empty', { file: this.file });
    const count = this.records - 1;
    const columns = this.columns.map((column) =>
      column instanceof Float64Array ? column.subarray(0, count) : column,
    );
    return { columns, count };
  }

  private checkHead(head: readonly string[]): void {
    const at = this.fields.findIndex(({ name }, index) => head[index] !== name);
    const place = { file: this.file, line: 1 };
    if (at >= 0) {
      const allowed = this.fields[at]!.name;
      throw new InputError(`column ${at + 1} is '${head[at] ?? ''}'`, { ...place, allowed });
    }
    if (head.length > this.fields.length) {
      throw new InputError(`unknown column '${head[this.fields.length]}'`, place);
    }
  }

  private addRow(record: readonly string[]): void {
    const { fields, columns } = this;
    if (record.length !== fields.length) {
      throw new InputError(`${record.length} fields instead of ${fields.length}`, this.place());
    }
    const row = this.records - 2;
    for (let index = 0; index < fields.length; index++) {
      const text = record[index]!;
      const column = columns[index]!;
      if (column instanceof Float64Array) column[row] = this.number(text, fields[index]!);
      else column.push(this.intern(text));
    }
  }

  private number(text: string, { name, type }: StoredField): number {
    if (text === '') return Number.NaN;
    const value = Number(text);
    if (Number.isFinite(value) && text.trim() === text) return value;
    const allowed = type === 'integer' ? 'an integer' : 'a number';
    throw new InputError(`'${text}' is no number`, { ...this.place(), field: name, allowed });
  }

  private intern(text: string): string {
    const known = this.interned.get(text);
    if (known !== undefined) return known;
    const plain = textOfCsv(text);
    this.interned.set(text, plain);
    return plain;
  }

  private place(): { file: string; line: number } {
    return { file: this.file, line: this.lines };
  }
}

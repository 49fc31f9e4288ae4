import { parse } from 'csv-parse/sync';
import { InputError } from '../../core/errors.js';
import { GIB, MIB } from '../../core/units.js';
import type { ImportContext, ParsedText, TraceImporter } from '../importer.js';
import { firstLines } from './event-text.js';
import { FleetSchedule } from './fleet-schedule.js';
import { LineParser } from './line-parser.js';

const START = 'creation_time';
const END = 'deletion_time';
/** The published tables have some ten thousand rows; a guest is kept until the end. */
const MAX_ROWS = 1_000_000;
/** A row of the published tables has some 100 bytes. */
const MAX_ROW_BYTES = 4096;

/** Pods of the GPU cluster: cluster-trace-gpu-v2023 of Alibaba. Every row has both times. */
export const alibabaOpenbImporter: TraceImporter = fleetImporter({
  name: 'alibaba-openb',
  summary: 'openb_pod_list of cluster-trace-gpu-v2023 (Alibaba)',
  memory: 'memory_mib',
  unit: MIB,
});

/** Instances of recommendation services: cluster-trace-gpu-v2025 of Alibaba. A time that is not given lies outside. */
export const alibabaDlrmImporter: TraceImporter = fleetImporter({
  name: 'alibaba-dlrm',
  summary: 'disaggregated_DLRM_trace of cluster-trace-gpu-v2025 (Alibaba)',
  memory: 'memory_request',
  unit: GIB,
});

/** A table with a row for each guest, times in seconds. */
interface FleetTable {
  readonly name: string;
  readonly summary: string;
  /** Column of the memory, in `unit` bytes. */
  readonly memory: string;
  readonly unit: number;
}

function columnsOf({ memory }: FleetTable): readonly string[] {
  return [memory, START, END];
}

function fleetImporter(table: FleetTable): TraceImporter {
  return {
    name: table.name,
    version: 2,
    summary: table.summary,
    sniff: (head) => {
      const names = firstLines(head)[0]!.split(',');
      return columnsOf(table).every((column) => names.includes(column));
    },
    start: (context) => new FleetTableParser(table, context),
  };
}

class FleetTableParser extends LineParser {
  private readonly fleet = new FleetSchedule();
  /** Names of the header's columns, empty before it was read. */
  private header: readonly string[] = [];
  private rows = 0;

  constructor(
    private readonly table: FleetTable,
    context: ImportContext,
  ) {
    super(context);
  }

  end(): ParsedText {
    this.splitter.end();
    const origin = this.fleet.emit(this.context);
    return {
      origin: String(origin / 1e9),
      clock: 'seconds',
      cpuCount: 1,
      lines: this.splitter.lines,
      events: { rows: this.rows },
    };
  }

  line(bytes: Uint8Array, start: number, end: number): void {
    if (start === end) return;
    this.context.skips.atLine(bytes, start, end);
    const text = Buffer.from(bytes.subarray(start, Math.min(end, start + MAX_ROW_BYTES))).toString();
    if (this.header.length === 0) {
      this.readHeader(text.replace(/^\ufeff/, '').split(','));
      return;
    }
    if (++this.rows > MAX_ROWS) throw new InputError('has too many rows for a table of guests', this.context);
    const cells = end - start > MAX_ROW_BYTES ? [] : this.cellsOf(text);
    if (cells.length === this.header.length) this.addRow(cells);
    else this.skip('unparsed-line');
  }

  /** @throws InputError if a column that is needed is not there: no row could be read. */
  private readHeader(names: readonly string[]): void {
    const { file } = this.context;
    const needed = columnsOf(this.table);
    const missing = needed.find((name) => !names.includes(name));
    if (missing === undefined) this.header = names;
    else throw new InputError(`has no column '${missing}'`, { file, line: 1, allowed: needed.join(', ') });
  }

  private cellsOf(text: string): readonly string[] {
    const cells = text.split(',');
    // A comma within quotes makes more pieces than there are cells, never fewer.
    if (cells.length < this.header.length || !text.includes('"')) return cells;
    const options = { relax_quotes: true, relax_column_count: true, skip_records_with_error: true };
    return parse(text, options)[0] ?? [];
  }

  private addRow(cells: readonly string[]): void {
    const cell = (name: string) => cells[this.header.indexOf(name)]!;
    const size = decimal(cell(this.table.memory), Number.NaN) * this.table.unit;
    const start = seconds(cell(START), Number.NEGATIVE_INFINITY);
    const end = seconds(cell(END), Number.POSITIVE_INFINITY);
    if (!Number.isSafeInteger(size) || Number.isNaN(start) || Number.isNaN(end)) this.skip('unparsed-line');
    else if (size === 0) this.skip('zero-size-alloc');
    else if (end < start) this.skip('end-before-start');
    else this.fleet.add(start, end, size);
  }
}

const DECIMAL = /^\d{1,15}(\.\d{1,15})?$/;

/** A number of decimal digits, `absent` where there is none, NaN where it is anything else. */
function decimal(text: string, absent: number): number {
  if (text === '') return absent;
  return DECIMAL.test(text) ? Number(text) : Number.NaN;
}

/** Nanoseconds of a cell of seconds, `outside` where it is empty, NaN where it is no number. */
function seconds(text: string, outside: number): number {
  return Math.round(decimal(text, outside) * 1e9);
}

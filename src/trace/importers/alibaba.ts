import { parse } from 'csv-parse/sync';
import { InputError } from '../../core/errors.js';
import { GIB, MIB } from '../../core/units.js';
import type { ImportContext, ParsedText, TextParser, TraceImporter } from '../importer.js';
import { firstLines } from './event-text.js';
import { FleetSchedule } from './fleet-schedule.js';

const START = 'creation_time';
const END = 'deletion_time';
/** The published tables have 2 MiB at most; a row is kept until the end. */
const MAX_TEXT_BYTES = 256 * MIB;

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

function fleetImporter(table: FleetTable): TraceImporter {
  const columns = [table.memory, START, END];
  return {
    name: table.name,
    version: 1,
    summary: table.summary,
    sniff: (head) => {
      const names = firstLines(head)[0]!.split(',');
      return columns.every((column) => names.includes(column));
    },
    start: (context) => new FleetTableParser(table, context),
  };
}

class FleetTableParser implements TextParser {
  private readonly parts: Buffer[] = [];
  private bytes = 0;

  constructor(
    private readonly table: FleetTable,
    private readonly context: ImportContext,
  ) {}

  push(chunk: Uint8Array): void {
    this.bytes += chunk.length;
    if (this.bytes > MAX_TEXT_BYTES) throw new InputError('is too long for a table of guests', this.context);
    this.parts.push(Buffer.from(chunk));
  }

  end(): ParsedText {
    const rows = this.rows();
    const fleet = new FleetSchedule();
    for (const row of rows) this.addRow(row, fleet);
    const origin = fleet.emit(this.context);
    return {
      origin: String(origin / 1e9),
      clock: 'seconds',
      cpuCount: 1,
      lines: rows.length + 1,
      events: { rows: rows.length },
    };
  }

  private rows(): Readonly<Record<string, string>>[] {
    try {
      return parse(Buffer.concat(this.parts), { columns: true, bom: true, relax_column_count: true });
    } catch (error) {
      throw new InputError(`is no table of guests: ${(error as Error).message}`, { file: this.context.file });
    }
  }

  private addRow(row: Readonly<Record<string, string>>, fleet: FleetSchedule): void {
    const bytes = Buffer.from(Object.values(row).join(','));
    this.context.skips.atLine(bytes, 0, bytes.length);
    const size = Number(row[this.table.memory] || Number.NaN) * this.table.unit;
    const start = seconds(row[START], Number.NEGATIVE_INFINITY);
    const end = seconds(row[END], Number.POSITIVE_INFINITY);
    if (!(Number.isSafeInteger(size) && size >= 0 && start >= Number.NEGATIVE_INFINITY && end >= 0)) {
      this.skip('unparsed-line');
    } else if (size === 0) this.skip('zero-size-alloc');
    else if (end < start) this.skip('end-before-start');
    else fleet.add(start, end, size);
  }

  private skip(reason: string): void {
    this.context.skips.add(this.context.skips.row(reason));
  }
}

/** Nanoseconds of a column of seconds, `outside` where it is empty, NaN where the column is absent or no number. */
function seconds(text: string | undefined, outside: number): number {
  if (text === '') return outside;
  return text === undefined ? Number.NaN : Math.round(Number(text) * 1e9);
}

import { NO_ADDRESS } from '../../core/address.js';
import { InputError } from '../../core/errors.js';
import { REQUEST_CLASS_NAMES, REQUEST_OP_NAMES, RequestClass, RequestOp } from '../../core/request.js';
import { ByteNames } from '../byte-names.js';
import {
  type ImportContext,
  MAX_REQUEST_BYTES,
  NameSpace,
  type ParsedText,
  type TraceImporter,
} from '../importer.js';
import { RecordedClock } from '../recorded-clock.js';
import { scanHexAddress, scanInteger } from '../text-scan.js';
import { firstLines } from './event-text.js';
import { LineParser } from './line-parser.js';

/** A table of allocations and frees, for what no other format fits: docs/trace-format.md says what its columns are. */
export const csvImporter: TraceImporter = {
  name: 'csv',
  version: 1,
  summary: 'table with the columns op, object, and any of time, cpu, cls, size, align, site, address',
  sniff: (head) => headerOf(firstLines(head)) !== undefined,
  start: (context) => new CsvParser(context),
};

/** Columns by name; the first two must be there. */
const COLUMNS = ['op', 'object', 'time', 'cpu', 'cls', 'size', 'align', 'site', 'address'] as const;
type Column = (typeof COLUMNS)[number];

const COMMA = 0x2c;
const HASH = 0x23;
const MAX_CPU = 65_535;
const MAX_WORDS = 1000;

/** The first line that is no comment, if it is a header. */
function headerOf(lines: readonly string[]): string[] | undefined {
  const names = lines.find((line) => line !== '' && !line.startsWith('#'))?.split(',');
  return names?.includes('op') && names.includes('object') ? names : undefined;
}

class CsvParser extends LineParser {
  private readonly clock: RecordedClock;
  /** Number of each column in the table, -1 where it has none. */
  private places: Readonly<Record<Column, number>> | undefined;
  private columnCount = 0;
  /** Where each value of the line begins, and one behind the last one's end. */
  private starts = new Int32Array(0);
  private readonly ops = new WordNumbers(REQUEST_OP_NAMES);
  private readonly classes = new WordNumbers(REQUEST_CLASS_NAMES);
  private rows = 0;

  constructor(context: ImportContext) {
    super(context);
    this.clock = new RecordedClock(context.options.tickNs);
  }

  end(): ParsedText {
    this.splitter.end();
    const { origin, ticks } = this.clock;
    const clock = ticks === false ? 'seconds' : `bare integers, ${this.context.options.tickNs} ns each`;
    return { origin, clock, cpuCount: 0, lines: this.splitter.lines, events: { rows: this.rows } };
  }

  line(bytes: Uint8Array, start: number, end: number): void {
    if (start === end || bytes[start] === HASH) return;
    this.context.skips.atLine(bytes, start, end);
    if (this.places === undefined) {
      this.header(Buffer.from(bytes.subarray(start, end)).toString());
      return;
    }
    this.rows++;
    if (!this.cut(bytes, start, end) || !this.row(bytes, this.places)) this.skip('unparsed-line');
  }

  /** @throws InputError if a column is unknown, missing or there twice: it would be misread in every row. */
  private header(line: string): void {
    const names = line.split(',');
    const at = { file: this.context.file, line: this.splitter.lines, allowed: COLUMNS.join(', ') };
    const wrong = names.find((name, index) => !isColumn(name) || names.indexOf(name) !== index);
    if (wrong !== undefined) throw new InputError(`column '${wrong}' is unknown or there twice`, at);
    const missing = COLUMNS.slice(0, 2).find((name) => !names.includes(name));
    if (missing !== undefined) throw new InputError(`has no column '${missing}'`, at);
    this.columnCount = names.length;
    this.starts = new Int32Array(names.length + 1);
    const places = COLUMNS.map((name): [Column, number] => [name, names.indexOf(name)]);
    this.places = Object.fromEntries(places) as Record<Column, number>;
  }

  private cut(bytes: Uint8Array, start: number, end: number): boolean {
    let column = 0;
    this.starts[0] = start;
    for (let at = start; at < end; at++) {
      if (bytes[at] !== COMMA) continue;
      if (++column === this.columnCount) return false;
      this.starts[column] = at + 1;
    }
    this.starts[column + 1] = end + 1;
    return column === this.columnCount - 1;
  }

  private row(bytes: Uint8Array, places: Readonly<Record<Column, number>>): boolean {
    const { event } = this.context.sink;
    const op = this.ops.read(bytes, this.begin(places.op), this.stop(places.op));
    const key = this.integer(bytes, places.object, -1);
    event.cpu = this.integer(bytes, places.cpu, 0);
    if (!(key >= 0 && event.cpu <= MAX_CPU && this.readTime(bytes, places.time))) return false;
    event.pid = -1;
    event.space = NameSpace.object;
    event.key = key;
    event.site = this.site(bytes, places.site);
    event.cls = this.readClass(bytes, places.cls);
    if (event.cls < 0) return false;
    if (op === RequestOp.alloc) return this.allocation(bytes, places);
    if (op === RequestOp.free) this.context.sink.freed();
    else if (op >= 0) this.skip(`not-imported:${REQUEST_OP_NAMES[op]!}`);
    return op >= 0;
  }

  private allocation(bytes: Uint8Array, places: Readonly<Record<Column, number>>): boolean {
    const { event } = this.context.sink;
    event.size = this.integer(bytes, places.size, -1);
    event.align = this.integer(bytes, places.align, 0);
    event.address = this.isEmpty(places.address)
      ? NO_ADDRESS
      : scanHexAddress(bytes, this.begin(places.address), this.stop(places.address));
    event.mayRepeat = false;
    const legible =
      event.size > 0 && event.size <= MAX_REQUEST_BYTES && event.align >= 0 && event.address >= NO_ADDRESS;
    if (legible) this.context.sink.allocated();
    return legible;
  }

  /** Without a column of times they count the rows. */
  private readTime(bytes: Uint8Array, place: number): boolean {
    const { event } = this.context.sink;
    const read = place < 0 || this.clock.read(bytes, this.begin(place), this.stop(place));
    event.timeNs = place < 0 ? (this.rows - 1) * this.context.options.tickNs : this.clock.nowNs;
    return read;
  }

  private readClass(bytes: Uint8Array, place: number): number {
    if (this.isEmpty(place)) return RequestClass.kmem;
    return this.classes.read(bytes, this.begin(place), this.stop(place));
  }

  private site(bytes: Uint8Array, place: number): number {
    return this.isEmpty(place) ? -1 : this.context.sites.idOf(bytes, this.begin(place), this.stop(place));
  }

  private integer(bytes: Uint8Array, place: number, absent: number): number {
    return this.isEmpty(place) ? absent : scanInteger(bytes, this.begin(place), this.stop(place));
  }

  private isEmpty(place: number): boolean {
    return place < 0 || this.begin(place) === this.stop(place);
  }

  private begin(place: number): number {
    return this.starts[place]!;
  }

  private stop(place: number): number {
    return this.starts[place + 1]! - 1;
  }
}

function isColumn(name: string): name is Column {
  return COLUMNS.some((column) => column === name);
}

/** Numbers of words, looked up from their bytes; a number as it is stored will do as well. */
class WordNumbers {
  private readonly words = new ByteNames(MAX_WORDS);
  /** By number of the word. */
  private readonly numbers: number[] = [];

  constructor(private readonly names: readonly string[]) {}

  /** Number of the word in bytes[start, end), -1 if it is none of the names. */
  read(bytes: Uint8Array, start: number, end: number): number {
    const id = this.words.idOf(bytes, start, end);
    if (id === this.numbers.length) this.numbers.push(this.numberOf(this.words.names[id]!));
    return this.numbers[id] ?? -1;
  }

  private numberOf(word: string): number {
    const named = this.names.indexOf(word);
    if (named >= 0 || !/^\d+$/.test(word)) return named;
    return Number(word) < this.names.length ? Number(word) : -1;
  }
}

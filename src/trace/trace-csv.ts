import { InputError, MisuseError } from '../core/errors.js';
import { TraceWriter, type TraceWriterOptions, writtenDescription } from './arrow-writer.js';
import { COLUMNS } from './columns.js';
import { interruptible } from './interruptible.js';
import { type LineHandler, LineSplitter } from './line-splitter.js';
import { parseMetadata } from './metadata-format.js';
import { openText } from './source.js';
import type { Trace, TraceMetadata } from './trace.js';
import { TraceFile } from './trace-file.js';
import { TRACE_CSV_BEGIN } from './trace-forms.js';

/*
 * A trace as text, with nothing lost: comments hold the metadata and, a line each, the call sites; then come the
 * columns of the Arrow file under their own names.
 */
const SITE = '# site ';
const HEADER = COLUMNS.map(({ name }) => name).join(',');

/**
 * Writes a trace as CSV.
 * @throws InputError if the file exists and may not be replaced, or cannot be written; the signal's reason if it gave
 * that up. Then there is no new file.
 */
export async function writeTraceCsv(
  trace: Trace,
  output: string,
  overwrite: boolean,
  signal?: AbortSignal,
): Promise<void> {
  const file = new TraceFile(output, overwrite);
  const write = (text: string) => file.put(Buffer.from(text));
  try {
    const { metadata } = trace;
    write(`${TRACE_CSV_BEGIN}${cellJson({ ...metadata, sites: [] })}\n`);
    write(metadata.sites.map((site) => `${SITE}${cellJson(site)}\n`).join(''));
    write(`${HEADER}\n`);
    for await (const block of interruptible(trace.blocks(), signal)) {
      const columns = COLUMNS.map(({ name }) => block[name]);
      const lines = Array.from({ length: block.length }, (_, row) =>
        columns.map((column) => column[row]).join(','),
      );
      write(`${lines.join('\n')}\n`);
    }
    file.complete();
  } finally {
    file.discard();
  }
}

/**
 * JSON for a comment. Spreadsheets know no comments and cut the line at separators: where a name goes on like a formula
 * behind one, the separator is written as an escape, which JSON reads back as the same character.
 */
function cellJson(value: unknown): string {
  const escaped = (separator: string): string => `\\u00${separator.charCodeAt(0).toString(16)}`;
  return JSON.stringify(value).replaceAll(/"(?:[^"\\]|\\.)*"/g, (text) =>
    text.replaceAll(/[,;](?=\s*[=+\-@＝＋－＠])/g, escaped),
  );
}

/**
 * Reads what writeTraceCsv wrote, changed or not, and writes it as a trace.
 * @throws InputError with the line where it is none, or breaks a rule of traces; the signal's reason if it gave
 * that up. Nothing is written then.
 */
export async function readTraceCsv(
  input: string,
  stdin: NodeJS.ReadableStream,
  output: string,
  options: TraceWriterOptions,
  signal?: AbortSignal,
): Promise<TraceMetadata> {
  const source = await openText(input, stdin);
  try {
    const writer = new TraceWriter(output, options);
    try {
      const reader = new CsvReader(source.file, writer);
      for await (const chunk of interruptible(source.chunks(), signal)) reader.push(chunk);
      return reader.finish();
    } finally {
      writer.discard();
    }
  } finally {
    await source.close();
  }
}

class CsvReader implements LineHandler {
  private readonly splitter = new LineSplitter(this);
  private metadata: TraceMetadata | undefined;
  private readonly sites: string[] = [];
  private headed = false;

  constructor(
    private readonly file: string,
    private readonly writer: TraceWriter,
  ) {}

  push(chunk: Uint8Array): void {
    this.splitter.push(chunk);
  }

  finish(): TraceMetadata {
    this.splitter.end();
    const { metadata, sites } = this;
    if (metadata === undefined || !this.headed)
      throw this.wrong('is no trace as CSV', `${TRACE_CSV_BEGIN}{...}`);
    return this.attempt(() => this.writer.finish({ ...writtenDescription(metadata), sites }));
  }

  line(bytes: Uint8Array, start: number, end: number): void {
    const line = Buffer.from(bytes.subarray(start, end)).toString('utf8');
    if (this.headed) this.row(line);
    else if (line.startsWith(TRACE_CSV_BEGIN))
      this.metadata = parseMetadata(line.slice(TRACE_CSV_BEGIN.length), this.file);
    else if (line.startsWith(SITE)) this.sites.push(this.site(line.slice(SITE.length)));
    else if (line === HEADER && this.metadata !== undefined) this.headed = true;
    else throw this.wrong('is no trace as CSV', `${TRACE_CSV_BEGIN}{...}, ${SITE}"...", ${HEADER}`);
  }

  cutLine(): void {
    throw this.wrong('the last line is cut: it has no line end');
  }

  overlongLine(): void {
    throw this.wrong('a line is longer than 1 MiB');
  }

  private row(line: string): void {
    const texts = line.split(',');
    const values = texts.map((text) => (/^-?\d+$/.test(text) ? Number(text) : Number.NaN));
    if (values.length !== COLUMNS.length || values.some(Number.isNaN)) {
      throw this.wrong('is no row of a trace', `${COLUMNS.length} integers: ${HEADER}`);
    }
    const [timeNs, cpu, op, cls, object, size, constraint, site, address] = values as unknown as Row;
    if (site < -1 || site >= this.sites.length) throw this.wrong(`there is no site ${site}`);
    this.attempt(() => this.writer.append(timeNs, cpu, op, cls, object, size, constraint, site, address));
  }

  private site(text: string): string {
    const quoted = /^"(?:[^"\\]|\\.)*"$/.test(text);
    if (!quoted) throw this.wrong('is no call site', 'a JSON text');
    return this.attempt(() => JSON.parse(text) as string);
  }

  /** The rules of traces are held here against a user's text. */
  private attempt<T>(action: () => T): T {
    try {
      return action();
    } catch (error) {
      if (error instanceof MisuseError || error instanceof SyntaxError) throw this.wrong(error.message);
      throw error;
    }
  }

  private wrong(problem: string, allowed?: string): InputError {
    const at = { file: this.file, line: this.splitter.lines };
    return new InputError(problem, allowed === undefined ? at : { ...at, allowed });
  }
}

type Row = [number, number, number, number, number, number, number, number, number];

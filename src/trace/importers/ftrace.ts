import { ByteNames } from '../byte-names.js';
import type { ImportContext, ParsedText, TextParser, TraceImporter } from '../importer.js';
import { type LineHandler, LineSplitter } from '../line-splitter.js';
import { RecordedClock } from '../recorded-clock.js';
import { startsWith } from '../text-scan.js';
import { DECODERS, Decoded, type Decoder, FtraceEvents } from './ftrace-events.js';
import { FtraceLine } from './ftrace-line.js';

/**
 * ftrace's text: `/sys/kernel/tracing/trace`, `trace_pipe` and `per_cpu/cpuN/trace`, with any of the options that
 * leave process, CPU and time stamp on each line. Format: Documentation/trace/ftrace.rst of Linux; the events'
 * fields: their `format` files in tracefs.
 */
export const ftraceImporter: TraceImporter = {
  name: 'ftrace',
  version: 1,
  summary: 'text of the tracefs files trace and trace_pipe (Linux)',
  sniff: looksLikeFtrace,
  start: (context) => new FtraceParser(context),
};

const HASH = 0x23;
const STACK_TRACE = Uint8Array.from(Buffer.from('<stack trace>'));
/** Kernels have some 2000 events; a text with more names than this is no recording. */
const MAX_EVENT_NAMES = 10_000;

/** First line of what `trace-cmd report` prints: lines alike, but NULL, names and columns are written otherwise. */
const TRACE_CMD_HEADER = /^cpus=\d+$/;

/** The header or the form of the first lines decides: a trace_pipe has no header. */
function looksLikeFtrace(head: Uint8Array): boolean {
  const line = new FtraceLine();
  const lines = Buffer.from(head).toString('latin1').split('\n', 50);
  if (lines[0]!.startsWith('# tracer:')) return true;
  if (TRACE_CMD_HEADER.test(lines[0]!)) return false;
  return lines.some((candidate) => {
    const bytes = Uint8Array.from(Buffer.from(candidate, 'latin1'));
    return line.scan(bytes, 0, bytes.length);
  });
}

class FtraceParser implements TextParser, LineHandler {
  private readonly splitter = new LineSplitter(this);
  private readonly clock: RecordedClock;
  private readonly form = new FtraceLine();
  private readonly fields: FtraceEvents;
  private readonly names = new ByteNames(MAX_EVENT_NAMES);
  /** By number of the event's name. */
  private readonly decoders: (Decoder | undefined)[] = [];
  private readonly counts: number[] = [];
  private readonly notImported: number[] = [];
  private cpuCount = 0;

  constructor(private readonly context: ImportContext) {
    this.clock = new RecordedClock(context.options.tickNs);
    this.fields = new FtraceEvents(context);
  }

  push(chunk: Uint8Array): void {
    this.splitter.push(chunk);
  }

  end(): ParsedText {
    this.splitter.end();
    const { ticks, origin } = this.clock;
    const { tickNs } = this.context.options;
    const clock = ticks === true ? `bare integers, ${tickNs} ns each` : 'seconds';
    const events = Object.fromEntries(this.names.names.map((name, id) => [name, this.counts[id]!]));
    return { origin, clock, cpuCount: this.cpuCount, lines: this.splitter.lines, events };
  }

  line(bytes: Uint8Array, start: number, end: number): void {
    if (start === end) return;
    this.context.skips.atLine(bytes, start, end);
    if (bytes[start] === HASH) this.header(bytes, start, end);
    else if (this.form.scan(bytes, start, end)) this.eventLine(bytes, end);
    else this.otherLine(Buffer.from(bytes.subarray(start, end)).toString('latin1'));
  }

  cutLine(bytes: Uint8Array, start: number, end: number): void {
    this.context.skips.atLine(bytes, start, end);
    this.skip('cut-last-line');
  }

  overlongLine(): void {
    this.skip('overlong-line');
  }

  private eventLine(bytes: Uint8Array, end: number): void {
    const { form, clock, context } = this;
    if (form.nameEnd === end) {
      this.skip(startsWith(bytes, STACK_TRACE, form.nameStart, end) ? 'stack-trace' : 'unparsed-line');
      return;
    }
    const name = this.nameOf(bytes);
    if (name < 0 || !clock.read(bytes, form.stampStart, form.stampEnd)) {
      this.skip('unparsed-line');
      return;
    }
    this.counts[name]!++;
    const { event } = context.sink;
    event.timeNs = clock.nowNs;
    event.cpu = form.cpu;
    event.pid = form.pid;
    this.fields.at(bytes, form.nameEnd + 1, end);
    const decode = this.decoders[name];
    const outcome = decode === undefined ? Decoded.foreign : decode(this.fields);
    if (outcome === Decoded.foreign) context.skips.add(this.notImported[name]!);
    else if (outcome === Decoded.malformed) this.skip('unparsed-line');
  }

  /** Number of the event's name, -1 if there are too many. */
  private nameOf(bytes: Uint8Array): number {
    const id = this.names.idOf(bytes, this.form.nameStart, this.form.nameEnd);
    if (id === this.counts.length) {
      const name = this.names.names[id]!;
      this.counts.push(0);
      this.decoders.push(DECODERS.get(name));
      this.notImported.push(this.context.skips.row(`not-imported:${name}`));
    }
    return id;
  }

  /** Comments: the number of CPUs, and how many events the ring buffer lost before it was read. */
  private header(bytes: Uint8Array, start: number, end: number): void {
    const comment = Buffer.from(bytes.subarray(start, end)).toString('latin1');
    const cpus = /#P:(\d{1,5})\b/.exec(comment);
    if (cpus !== null) this.cpuCount = Number(cpus[1]);
    const entries = /entries-in-buffer\/entries-written: (\d+)\/(\d+)/.exec(comment);
    if (entries === null) return;
    const overwritten = Number(entries[2]) - Number(entries[1]);
    if (overwritten > 0) this.skip('overwritten-events', overwritten);
  }

  /** Lines that do not have the usual form, by the output option that explains them. */
  private otherLine(line: string): void {
    const lost = /^CPU:\d+ \[LOST (\d+) EVENTS\]/.exec(line);
    if (lost !== null) this.skip('lost-events', Number(lost[1]));
    else if (line.startsWith(' => ')) this.skip('stack-trace');
    else if (/^\d+ \d+ \d+ type: \d+/.test(line)) this.skip('option-raw');
    else if (/\d+us[ +!#*@$]?: |\dms \([+-]/.test(line)) this.skip('option-latency-format');
    else if (DECODERS.has(line.slice(0, line.indexOf(':')))) this.skip('option-nocontext-info');
    else this.skip('unparsed-line');
  }

  private skip(reason: string, count = 1): void {
    this.context.skips.add(this.context.skips.row(reason), count);
  }
}

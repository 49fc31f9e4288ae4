import { ByteNames } from '../byte-names.js';
import type { ImportContext, ParsedText } from '../importer.js';
import { RecordedClock } from '../recorded-clock.js';
import { DECODERS, type Decoder, FtraceEvents, REPEATABLE_EVENTS } from './ftrace-events.js';
import { LineParser } from './line-parser.js';
import { Decoded } from './linux-requests.js';

// Copies: V8 reads an imported constant anew each time, and takes one of the module's own as a number.
const { foreign: FOREIGN, malformed: MALFORMED } = Decoded;

/** Kernels have some 2000 events; a text with more names than this is no recording. */
const MAX_EVENT_NAMES = 10_000;
const HASH = 0x23;
/** What the tools write beside events is shorter: a form is not looked for in a longer line, which may take long. */
const MAX_NOTE_BYTES = 1024;

/** The part of a line that all events of a format share. Positions are those of the bytes given to `scan`. */
export interface EventForm {
  readonly pid: number;
  readonly cpu: number;
  readonly stampStart: number;
  readonly stampEnd: number;
  /** The stamp in whole seconds and nanoseconds; the latter -1 where it has yet to be read. */
  readonly seconds: number;
  readonly nanoseconds: number;
  readonly nameStart: number;
  /** Position of the colon behind the event's name, or of the line's end where the name has none. */
  readonly nameEnd: number;
  /** Reads the line in bytes[start, end). Returns whether it has that form. */
  scan(bytes: Uint8Array, start: number, end: number): boolean;
}

/** Whether one of the first lines of a text has a form. */
export function anyLineHas(form: EventForm, lines: readonly string[]): boolean {
  return lines.some((candidate) => {
    const bytes = Uint8Array.from(Buffer.from(candidate, 'latin1'));
    return form.scan(bytes, 0, bytes.length);
  });
}

/** The first lines of a text, for a look at its format. */
export function firstLines(head: Uint8Array): string[] {
  return Buffer.from(head).toString('latin1').split(/\r?\n/, 50);
}

/**
 * Texts of Linux's tracing tools: a line for each event, with process, CPU, stamp, the event's name and fields that
 * the kernel's own print format gave a form. The tools differ in what stands before the name and between the lines.
 */
export abstract class EventText extends LineParser {
  protected cpuCount = 0;
  private readonly clock: RecordedClock;
  private readonly fields: FtraceEvents;
  private readonly names = new ByteNames(MAX_EVENT_NAMES);
  /** By number of the event's name. */
  private readonly decoders: (Decoder | undefined)[] = [];
  private readonly mayRepeat: boolean[] = [];
  private readonly counts: number[] = [];
  private readonly notImported: number[] = [];

  constructor(
    context: ImportContext,
    protected readonly form: EventForm,
  ) {
    super(context);
    this.clock = new RecordedClock(context.options.tickNs);
    this.fields = new FtraceEvents(context);
  }

  /** A line that begins with `#`. */
  protected abstract comment(text: string): void;
  /** A line that has not the form of an event. */
  protected abstract otherLine(text: string): void;
  /** A line of the form whose event has no name. */
  protected abstract namelessLine(bytes: Uint8Array, end: number): void;

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
    if (bytes[start] === HASH) this.comment(latin1(bytes, start, end));
    else if (this.form.scan(bytes, start, end)) this.eventLine(bytes, end);
    else this.otherLine(latin1(bytes, start, end));
  }

  private eventLine(bytes: Uint8Array, end: number): void {
    const { form, context, fields } = this;
    const expected = fields.expectedName(bytes, form.nameStart, end);
    const nameEnd = expected >= 0 ? form.nameStart : form.nameEnd;
    if (nameEnd === end) {
      this.namelessLine(bytes, end);
      return;
    }
    const name = expected >= 0 ? expected : this.nameOf(bytes, nameEnd);
    if (name < 0 || !this.readStamp(bytes)) {
      this.skip('unparsed-line');
      return;
    }
    this.counts[name]!++;
    const { event } = context.sink;
    event.timeNs = this.clock.nowNs;
    event.cpu = form.cpu;
    event.pid = form.pid;
    event.mayRepeat = this.mayRepeat[name]!;
    fields.at(name, form.nameStart, nameEnd + 1, end);
    const decode = this.decoders[name];
    const outcome = decode === undefined ? FOREIGN : decode(fields);
    if (outcome === FOREIGN) context.skips.add(this.notImported[name]!);
    else if (outcome === MALFORMED) this.skip('unparsed-line');
  }

  private readStamp(bytes: Uint8Array): boolean {
    const { clock } = this;
    const { stampStart, stampEnd, seconds, nanoseconds } = this.form;
    if (nanoseconds < 0) return clock.read(bytes, stampStart, stampEnd);
    return clock.readSeconds(bytes, stampStart, stampEnd, seconds, nanoseconds);
  }

  /** Number of the event's name, -1 if there are too many. */
  private nameOf(bytes: Uint8Array, nameEnd: number): number {
    const id = this.names.idOf(bytes, this.form.nameStart, nameEnd);
    if (id === this.counts.length) {
      const name = this.names.names[id]!;
      this.counts.push(0);
      this.decoders.push(DECODERS.get(name));
      this.mayRepeat.push(REPEATABLE_EVENTS.has(name));
      this.notImported.push(this.context.skips.row(`not-imported:${name}`));
    }
    return id;
  }
}

/** The beginning of a line, as much as tells what it is. */
function latin1(bytes: Uint8Array, start: number, end: number): string {
  return Buffer.from(bytes.subarray(start, Math.min(end, start + MAX_NOTE_BYTES))).toString('latin1');
}

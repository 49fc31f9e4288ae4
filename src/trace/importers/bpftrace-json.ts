import type { ImportContext, ParsedText, TraceImporter } from '../importer.js';
import { startsWith } from '../text-scan.js';
import { BpftraceLine } from './bpftrace-line.js';
import { firstLines } from './event-text.js';
import { LineParser } from './line-parser.js';

/** What `bpftrace -f json` prints for such a script: an object a line, each printf's text in one of them. */
export const bpftraceJsonImporter: TraceImporter = {
  name: 'bpftrace-json',
  version: 1,
  summary: 'output of bpftrace -f json for the same script (Linux)',
  sniff: (head) => /^\{"type": "\w+", "data": /.test(firstLines(head)[0]!),
  start: (context) => new BpftraceJsonParser(context),
};

const text = (value: string): Uint8Array => Uint8Array.from(Buffer.from(value));
const PRINTF = text('{"type": "printf", "data": "');
/** The script's line end, as JSON writes it, and the end of the object. */
const PRINTF_END = text('\\n"}');

class BpftraceJsonParser extends LineParser {
  private readonly form: BpftraceLine;

  constructor(context: ImportContext) {
    super(context);
    this.form = new BpftraceLine(context);
  }

  end(): ParsedText {
    this.splitter.end();
    return this.form.result(this.splitter.lines);
  }

  line(bytes: Uint8Array, start: number, end: number): void {
    if (start === end) return;
    this.context.skips.atLine(bytes, start, end);
    const from = start + PRINTF.length;
    const to = end - PRINTF_END.length;
    const printed = startsWith(bytes, PRINTF, start, end) && startsWith(bytes, PRINTF_END, to, end);
    if (printed && this.form.read(bytes, from, to)) return;
    this.otherLine(Buffer.from(bytes.subarray(start, end)).toString());
  }

  private otherLine(line: string): void {
    const type = /^\{"type": "(\w+)"/.exec(line)?.[1];
    const lost = /"type": "lost_events", "data": \{"events": (\d{1,15})\b/.exec(line);
    if (lost !== null) this.skip('lost-events', Number(lost[1]));
    else if (type === undefined || type === 'printf') this.skip('unparsed-line');
    else if (type !== 'attached_probes') this.skip('bpftrace-map');
  }
}

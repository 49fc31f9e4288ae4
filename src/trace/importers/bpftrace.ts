import type { ImportContext, ParsedText, TraceImporter } from '../importer.js';
import { BpftraceLine } from './bpftrace-line.js';
import { firstLines } from './event-text.js';
import { LineParser } from './line-parser.js';

/**
 * What bpftrace prints as text for a script whose printf has the form of BpftraceLine, as docs/capture/kernel-memory.bt
 * has. Buffers are per CPU: lines of several CPUs may be a little out of order. Seen of bpftrace 0.17.
 */
export const bpftraceImporter: TraceImporter = {
  name: 'bpftrace',
  version: 1,
  summary: 'text of a bpftrace script that prints NSECS CPU TID COMM EVENT 0xKEY VALUES (Linux)',
  sniff: looksLikeBpftrace,
  start: (context) => new BpftraceParser(context),
};

function looksLikeBpftrace(head: Uint8Array): boolean {
  return firstLines(head).some((line) => /^\d+ \d+ \d+ \S.* [a-z_]+ 0x[0-9a-f]+( |$)/.test(line));
}

class BpftraceParser extends LineParser {
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
    if (!this.form.read(bytes, start, end))
      this.otherLine(Buffer.from(bytes.subarray(start, end)).toString());
  }

  private otherLine(line: string): void {
    const lost = /^Lost (\d{1,15}) events/.exec(line);
    if (lost !== null) this.skip('lost-events', Number(lost[1]));
    else if (/^@/.test(line)) this.skip('bpftrace-map');
    else if (!/^Attaching \d+ probe/.test(line)) this.skip('unparsed-line');
  }
}

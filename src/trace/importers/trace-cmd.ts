import type { ImportContext, TraceImporter } from '../importer.js';
import { EventText, firstLines } from './event-text.js';
import { FtraceLine } from './ftrace-line.js';

/**
 * What `trace-cmd report` prints, with or without `-R`: lines as in ftrace's text, an instance's name before those of
 * `record -B`, the event's name padded, the call site repeated in front, and NULL as `(nil)`. Seen of trace-cmd 3.1.6.
 */
export const traceCmdImporter: TraceImporter = {
  name: 'trace-cmd',
  version: 1,
  summary: 'text of trace-cmd report (Linux)',
  sniff: (head) => CPUS.test(firstLines(head)[0]!),
  start: (context) => new TraceCmdParser(context),
};

const CPUS = /^cpus=(\d{1,5})$/;
/** Both are written where a CPU's buffer overran, by different readers of the ring buffer. */
const LOST = /^CPU:\d+ \[(?:LOST (\d{1,15}) EVENTS|(\d{1,15}) EVENTS DROPPED|EVENTS DROPPED)\]/;

class TraceCmdParser extends EventText {
  constructor(context: ImportContext) {
    super(context, new FtraceLine());
  }

  protected override comment(): void {}

  protected override namelessLine(): void {
    this.skip('unparsed-line');
  }

  protected override otherLine(line: string): void {
    const lost = LOST.exec(line);
    const cpus = CPUS.exec(line);
    if (cpus !== null) this.cpuCount = Number(cpus[1]);
    else if (lost !== null) this.skip('lost-events', Number(lost[1] ?? lost[2] ?? 1));
    else if (/^CPU \d+ is empty$/.test(line)) return;
    else this.skip(line.startsWith('=> ') ? 'stack-trace' : 'unparsed-line');
  }
}

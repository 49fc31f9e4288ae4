import type { ImportContext, TraceImporter } from '../importer.js';
import { startsWith } from '../text-scan.js';
import { anyLineHas, EventText, firstLines } from './event-text.js';
import { DECODERS } from './ftrace-events.js';
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

const STACK_TRACE = Uint8Array.from(Buffer.from('<stack trace>'));

/** The header or the form of the first lines decides: a trace_pipe has no header. */
function looksLikeFtrace(head: Uint8Array): boolean {
  const lines = firstLines(head);
  return lines[0]!.startsWith('# tracer:') || anyLineHas(new FtraceLine(), lines);
}

class FtraceParser extends EventText {
  constructor(context: ImportContext) {
    super(context, new FtraceLine());
  }

  /** The number of CPUs, and how many events the ring buffer lost before it was read. */
  protected override comment(text: string): void {
    const cpus = /#P:(\d{1,5})\b/.exec(text);
    if (cpus !== null) this.cpuCount = Number(cpus[1]);
    const entries = /entries-in-buffer\/entries-written: (\d{1,15})\/(\d{1,15})\b/.exec(text);
    if (entries === null) return;
    const overwritten = Number(entries[2]) - Number(entries[1]);
    if (overwritten > 0) this.skip('overwritten-events', overwritten);
  }

  protected override namelessLine(bytes: Uint8Array, end: number): void {
    this.skip(startsWith(bytes, STACK_TRACE, this.form.nameStart, end) ? 'stack-trace' : 'unparsed-line');
  }

  /** Lines that do not have the usual form, by the output option that explains them. */
  protected override otherLine(line: string): void {
    const lost = /^CPU:\d+ \[LOST (\d{1,15}) EVENTS\]/.exec(line);
    if (lost !== null) this.skip('lost-events', Number(lost[1]));
    else if (line.startsWith(' => ')) this.skip('stack-trace');
    else if (/^\d+ \d+ \d+ type: \d+/.test(line)) this.skip('option-raw');
    else if (/\dus[ +!#*@$]?: |\dms \([+-]/.test(line)) this.skip('option-latency-format');
    else if (DECODERS.has(line.slice(0, line.indexOf(':')))) this.skip('option-nocontext-info');
    else this.skip('unparsed-line');
  }
}

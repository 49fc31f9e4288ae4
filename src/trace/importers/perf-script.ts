import type { ImportContext, TraceImporter } from '../importer.js';
import { COLON, decimalValue, digitsEnd, isDigit, MAX_PID_DIGITS, SPACE, spacesEnd } from '../text-scan.js';
import { anyLineHas, type EventForm, EventText, firstLines } from './event-text.js';

/**
 * What `perf script` prints of tracepoints, with the fields comm, tid or pid, and time; CPU, header and call chains
 * may be there. Its clock is not ftrace's `mono`. Seen of perf 6.1.
 */
export const perfScriptImporter: TraceImporter = {
  name: 'perf-script',
  version: 1,
  summary: 'text of perf script (Linux)',
  sniff: (head) => anyLineHas(new PerfLine(), firstLines(head)),
  start: (context) => new PerfScriptParser(context),
};

const SLASH = 0x2f;
const POINT = 0x2e;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const MAX_CPU = 65_535;

/** `COMM TID [CPU] STAMP: SYSTEM:NAME:`, with PID/TID for the thread, and the CPU optional. */
class PerfLine implements EventForm {
  pid = 0;
  cpu = 0;
  stampStart = 0;
  stampEnd = 0;
  readonly seconds = 0;
  readonly nanoseconds = -1;
  nameStart = 0;
  nameEnd = 0;

  scan(bytes: Uint8Array, start: number, end: number): boolean {
    // The task's name may hold spaces and digits: the first number that the rest follows is the thread.
    for (let at = spacesEnd(bytes, start, end); at < end; at++) {
      if (!isDigit(bytes[at]!) || bytes[at - 1] !== SPACE) continue;
      const behind = this.scanTask(bytes, at, end);
      if (behind > 0 && this.scanStamp(bytes, behind, end)) return true;
    }
    return false;
  }

  /** Reads `TID` or `PID/TID`, and `[CPU]`; returns the position behind them, -1 if they are not there. */
  private scanTask(bytes: Uint8Array, at: number, end: number): number {
    let first = at;
    let stop = digitsEnd(bytes, at, end);
    if (bytes[stop] === SLASH) {
      first = stop + 1;
      stop = digitsEnd(bytes, first, end);
    }
    if (stop === first || stop - first > MAX_PID_DIGITS || stop >= end || bytes[stop] !== SPACE) return -1;
    this.pid = decimalValue(bytes, first, stop);
    this.cpu = 0;
    const next = spacesEnd(bytes, stop, end);
    if (bytes[next] !== OPEN_BRACKET) return next;
    const cpuEnd = digitsEnd(bytes, next + 1, end);
    if (bytes[cpuEnd] !== CLOSE_BRACKET || cpuEnd === next + 1) return -1;
    this.cpu = decimalValue(bytes, next + 1, cpuEnd);
    return this.cpu <= MAX_CPU ? spacesEnd(bytes, cpuEnd + 1, end) : -1;
  }

  /** Reads `STAMP: SYSTEM:NAME:`. */
  private scanStamp(bytes: Uint8Array, from: number, end: number): boolean {
    const point = digitsEnd(bytes, from, end);
    if (point === from || bytes[point] !== POINT) return false;
    const stop = digitsEnd(bytes, point + 1, end);
    if (bytes[stop] !== COLON || stop >= end) return false;
    const system = spacesEnd(bytes, stop + 1, end);
    const colon = colonOrSpace(bytes, system, end);
    if (colon >= end || bytes[colon] !== COLON) return false;
    const nameEnd = colonOrSpace(bytes, colon + 1, end);
    if (nameEnd >= end || bytes[nameEnd] !== COLON) return false;
    this.stampStart = from;
    this.stampEnd = stop;
    this.nameStart = colon + 1;
    this.nameEnd = nameEnd;
    return nameEnd > colon + 1;
  }
}

function colonOrSpace(bytes: Uint8Array, start: number, end: number): number {
  let at = start;
  while (at < end && bytes[at] !== COLON && bytes[at] !== SPACE) at++;
  return at;
}

class PerfScriptParser extends EventText {
  constructor(context: ImportContext) {
    super(context, new PerfLine());
  }

  /** Of `--header`. */
  protected override comment(text: string): void {
    const cpus = /^# nrcpus avail : (\d{1,5})$/.exec(text);
    if (cpus !== null) this.cpuCount = Number(cpus[1]);
  }

  protected override namelessLine(): void {
    this.skip('unparsed-line');
  }

  protected override otherLine(line: string): void {
    const lost = /PERF_RECORD_LOST(?:_SAMPLES)?\b.*?lost (\d{1,15})\b/.exec(line);
    if (lost !== null) this.skip('lost-events', Number(lost[1]));
    else this.skip(line.startsWith('\t') ? 'stack-trace' : 'unparsed-line');
  }
}

import { RequestClass } from '../../core/request.js';
import {
  type ImportContext,
  MAX_REQUEST_BYTES,
  NameSpace,
  type ParsedText,
  type RecordedEvent,
  type TraceImporter,
} from '../importer.js';
import { SPACE, scanHexAddress, scanInteger } from '../text-scan.js';
import { firstLines } from './event-text.js';
import { LineParser } from './line-parser.js';

/**
 * What mtrace(3) of glibc writes for a program: user space, so the class is malloc. It has neither stamps nor threads:
 * time counts the lines, a nanosecond (`--tick-ns`) each.
 */
export const mtraceImporter: TraceImporter = {
  name: 'mtrace',
  version: 1,
  summary: 'log of mtrace(3) of glibc (MALLOC_TRACE)',
  sniff: (head) => firstLines(head)[0] === '= Start',
  start: (context) => new MtraceParser(context),
};

const AT = 0x40;
const EQUALS = 0x3d;
/** What a line says, by the character in front of the pointer. */
const Sign = { alloc: 0x2b, free: 0x2d, oldPointer: 0x3c, newPointer: 0x3e, failedRealloc: 0x21 } as const;
const NO_POINTER = -1;

class MtraceParser extends LineParser {
  private readonly event: RecordedEvent;
  private readonly counts = { '+': 0, '-': 0, '<': 0, '>': 0, '!': 0 };
  /** Pointer that a realloc gives up: its new one stands in the next line. */
  private oldPointer = NO_POINTER;

  constructor(context: ImportContext) {
    super(context);
    this.event = context.sink.event;
    this.event.cpu = 0;
  }

  end(): ParsedText {
    this.splitter.end();
    if (this.oldPointer !== NO_POINTER) this.skip('incomplete-realloc');
    const clock = `lines, ${this.context.options.tickNs} ns each`;
    const counted = Object.entries(this.counts).filter(([, count]) => count > 0);
    return {
      origin: '0',
      clock,
      cpuCount: 1,
      lines: this.splitter.lines,
      events: Object.fromEntries(counted),
    };
  }

  line(bytes: Uint8Array, start: number, end: number): void {
    if (start === end) return;
    this.context.skips.atLine(bytes, start, end);
    if (bytes[start] === EQUALS) return;
    if (bytes[start] !== AT || !this.request(bytes, start, end)) this.skip('unparsed-line');
  }

  override cutLine(bytes: Uint8Array, start: number, end: number): void {
    this.context.skips.atLine(bytes, start, end);
    if (bytes[start] !== EQUALS) this.skip('cut-last-line');
  }

  /** Reads `@ CALLER SIGN POINTER [SIZE]` from its end: the caller may hold spaces. */
  private request(bytes: Uint8Array, start: number, end: number): boolean {
    const last = wordStart(bytes, start, end);
    const middle = wordStart(bytes, start, last - 1);
    if (middle <= start) return false;
    this.event.timeNs = this.splitter.lines * this.context.options.tickNs;
    const single = last - middle === 2 ? bytes[middle]! : 0;
    const pointer = scanHexAddress(bytes, last, end);
    if (single === Sign.free || single === Sign.oldPointer) {
      if (!(pointer >= 0)) return false;
      this.event.site = this.caller(bytes, start, middle);
      return single === Sign.free ? this.free(pointer) : this.giveUp(pointer);
    }
    const first = wordStart(bytes, start, middle - 1);
    if (first <= start || middle - first !== 2) return false;
    this.event.site = this.caller(bytes, start, first);
    return this.sized(bytes[first]!, scanHexAddress(bytes, middle, end), scanInteger(bytes, last, end));
  }

  /** The events that have a size. */
  private sized(sign: number, pointer: number, size: number): boolean {
    if (!(pointer >= 0 && size >= 0 && size <= MAX_REQUEST_BYTES)) return false;
    if (sign === Sign.failedRealloc) {
      this.counts['!']++;
      this.skip('failed-alloc');
      return true;
    }
    if (sign === Sign.newPointer) return this.reallocated(pointer, size);
    if (sign !== Sign.alloc) return false;
    this.counts['+']++;
    this.allocate(pointer, size);
    return true;
  }

  private giveUp(pointer: number): boolean {
    if (this.oldPointer !== NO_POINTER) this.skip('incomplete-realloc');
    this.counts['<']++;
    this.oldPointer = pointer;
    return true;
  }

  private reallocated(pointer: number, size: number): boolean {
    if (this.oldPointer === NO_POINTER) return false;
    this.counts['>']++;
    this.handFree(this.oldPointer);
    this.oldPointer = NO_POINTER;
    this.allocate(pointer, size);
    return true;
  }

  private free(pointer: number): boolean {
    this.counts['-']++;
    this.handFree(pointer);
    return true;
  }

  private handFree(pointer: number): void {
    const { event } = this;
    event.space = NameSpace.heap;
    event.cls = RequestClass.malloc;
    event.key = pointer;
    this.context.sink.freed();
  }

  private allocate(pointer: number, size: number): void {
    const { event } = this;
    if (size === 0) this.skip('zero-size-as-one-byte');
    event.space = NameSpace.heap;
    event.cls = RequestClass.malloc;
    event.key = pointer;
    event.size = Math.max(1, size);
    event.align = 0;
    event.address = pointer;
    event.mayRepeat = false;
    this.context.sink.allocated();
  }

  /** Number of the caller's text between `@ ` and the space before the sign at `sign`. */
  private caller(bytes: Uint8Array, start: number, sign: number): number {
    return this.context.sites.idOf(bytes, start + 2, Math.max(start + 2, sign - 1));
  }
}

/** Where the last word of bytes[start, end) begins; at most `start` if there is no space before it. */
function wordStart(bytes: Uint8Array, start: number, end: number): number {
  let at = end;
  while (at > start && bytes[at - 1] !== SPACE) at--;
  return at;
}

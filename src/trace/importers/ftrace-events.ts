import type { ImportContext } from '../importer.js';
import {
  after,
  afterLast,
  digitsEnd,
  SPACE,
  scanDecimalAddress,
  scanHexAddress,
  scanInteger,
  startsWith,
} from '../text-scan.js';
import { afterName, FieldName, viewOf, wholeAddress } from '../word-scan.js';
import { type KnownSite, KnownSites } from './known-sites.js';
import { Decoded, LinuxRequests, namesObject } from './linux-requests.js';

/** Reads one event from the bytes that `FtraceEvents.at` was given. */
export type Decoder = (events: FtraceEvents) => Decoded;

// One function for all names of a kind: for each of several, V8 would compile all that it calls once more.
const kmemAlloc: Decoder = (events) => events.kmemAlloc();
const kmemFree: Decoder = (events) => events.kmemFree();

/** Decoders by event name. */
export const DECODERS: ReadonlyMap<string, Decoder> = new Map<string, Decoder>([
  ['kmalloc', kmemAlloc],
  ['kmalloc_node', kmemAlloc],
  ['kmem_cache_alloc', kmemAlloc],
  ['kmem_cache_alloc_node', kmemAlloc],
  ['kfree', kmemFree],
  ['kmem_cache_free', kmemFree],
  ['alloc_vmap_area', (events) => events.vmapAlloc()],
  ['free_vmap_area_noflush', (events) => events.vmapFree()],
  ['purge_vmap_area_lazy', (events) => events.vmapPurge()],
  ['alloc', (events) => events.probeEntry()],
  ['alloc_ret', (events) => events.probeReturn()],
  ['free', (events) => events.probeFree()],
  ['purge', (events) => events.probePurge()],
  ['kstack_alloc', (events) => events.kstackAlloc()],
  ['kstack_free', (events) => events.kstackFree()],
  ['sched_process_fork', (events) => events.fork()],
  ['sched_process_exit', (events) => events.exit()],
  ['mm_page_alloc', (events) => events.pageAlloc()],
  ['mm_page_free', (events) => events.pageFree()],
]);

/** Events that the kernel may write twice in a row: large kmalloc of Linux 6.12. */
export const REPEATABLE_EVENTS: ReadonlySet<string> = new Set(['kmalloc', 'kmalloc_node']);

/** Of a 64-bit address, as the kernel prints pointers. */
const ADDRESS_DIGITS = 16;
const text = (value: string): Uint8Array => Uint8Array.from(Buffer.from(value, 'latin1'));
const CALL_SITE = new FieldName(' call_site=');
const PTR = new FieldName(' ptr=');
const BYTES_REQ = new FieldName(' bytes_req=');
const BYTES_ALLOC = new FieldName(' bytes_alloc=');
const VA_START_DECIMAL = new FieldName(' va_start: ');
const VA_START = new FieldName(' va_start=');
const VA_END = new FieldName(' va_end=');
const ADDR = new FieldName(' addr=');
const SIZE = new FieldName(' size=');
const ALIGN = new FieldName(' align=');
const FAILED = new FieldName(' failed=');
const PID = text(' pid=');
const CHILD_PID = text(' child_pid=');
const STACK = new FieldName(' stack=');
const REFS = new FieldName(' refs=');
const PFN = new FieldName(' pfn=');
const ORDER = new FieldName(' order=');
const PROBE_ENTRY = text(' (alloc_vmap_area+');
const PROBE_RETURN = text(' <- alloc_vmap_area)');
const PROBE_FREE = text(' (free_vmap_area_noflush+');
const PROBE_PURGE = text(' (__purge_vmap_area_lazy+');
const START = new FieldName(' start=');
const END = new FieldName(' end=');
const PURGED = new FieldName(' num_purged=');
const WINDOW_START = new FieldName(' vstart=');
const WINDOW_END = new FieldName(' vend=');
const WAITING_PAGES = new FieldName(' nr_lazy=');
const FAULT = text('(fault)');
/** How trace-cmd and perf print a pointer that is NULL. */
const NIL = text('(nil)');

/**
 * The fields of the events that become requests. Fields are looked for by name, because kernels differ in their
 * order and number; those of scheduler events from the right, because a task's name may look like a field.
 */
export class FtraceEvents extends LinuxRequests {
  private bytes: Uint8Array = new Uint8Array(0);
  private start = 0;
  private end = 0;
  /** The bytes four at a time: many lines lie in the same array. */
  private view = viewOf(this.bytes);
  /** Behind the name of the last field found: fields mostly come in the order in which they are asked for. */
  private cursor = 0;
  private readonly knownSites = new KnownSites();
  /** The call site of the line, where it was known before its fields were looked for. */
  private known: KnownSite | undefined;
  private name = 0;
  private nameStart = 0;
  /** Alignment asked for by each process that is inside alloc_vmap_area (kprobe recordings only). */
  private readonly pendingAlign = new Map<number, number>();
  /** Its window, first address and end, where somebody follows the addresses. */
  private readonly pendingWindow = new Map<number, readonly [number, number]>();
  private readonly kmemSize: FieldName;

  constructor(context: ImportContext) {
    super(context);
    this.kmemSize = context.options.kmemSize === 'requested' ? BYTES_REQ : BYTES_ALLOC;
  }

  /**
   * Number of the event's name, which begins at `nameStart`, where the line is one of a kmem event that was expected;
   * -1 for others.
   */
  expectedName(bytes: Uint8Array, nameStart: number, end: number): number {
    if (bytes !== this.bytes) {
      this.bytes = bytes;
      this.view = viewOf(bytes);
    }
    this.known = this.knownSites.expected(this.view, nameStart, end);
    return this.known === undefined ? -1 : this.known.name;
  }

  /** Says where the fields are: the bytes of the last `expectedName` from `start`, the space behind `NAME:`. */
  at(name: number, nameStart: number, start: number, end: number): void {
    this.name = name;
    this.nameStart = nameStart;
    this.start = start;
    this.end = end;
    this.cursor = start;
    this.event.site = -1;
  }

  kmemAlloc(): Decoded {
    if (this.known !== undefined) return this.knownAlloc(this.known);
    const site = this.field(CALL_SITE);
    const ptr = this.field(PTR);
    const pointer = this.pointerAt(ptr);
    const size = this.integer(this.kmemSize);
    // Only requests that reach the trace give their call site a number.
    if (namesObject(pointer) && size > 0) this.event.site = this.callSite(site, ptr);
    return this.kmemAllocated(pointer, size, this.event.mayRepeat);
  }

  kmemFree(): Decoded {
    if (this.known !== undefined) return this.knownFree(this.known);
    const site = this.field(CALL_SITE);
    const ptr = this.field(PTR);
    const pointer = this.pointerAt(ptr);
    if (namesObject(pointer)) this.event.site = this.callSite(site, ptr);
    return this.kmemFreed(pointer);
  }

  private knownAlloc(site: KnownSite): Decoded {
    const ptr = this.nameStart + site.head.length;
    const whole = wholeAddress(this.view, ptr, this.end);
    const pointer = whole >= 0 ? whole : this.pointerAt(ptr);
    this.cursor = ptr;
    const size = whole >= 0 ? this.knownSize(site, ptr + ADDRESS_DIGITS) : this.integer(this.kmemSize);
    this.passed(site, pointer);
    return this.kmemAllocated(pointer, size, this.event.mayRepeat);
  }

  private knownFree(site: KnownSite): Decoded {
    const pointer = this.pointerAt(this.nameStart + site.head.length);
    this.passed(site, pointer);
    return this.kmemFreed(pointer);
  }

  private passed({ number }: KnownSite, pointer: number): void {
    if (namesObject(pointer)) this.event.site = number;
    this.knownSites.passed(number);
  }

  /** The size behind a pointer of sixteen digits, which mostly is the one that the last line had there. */
  private knownSize(site: KnownSite, from: number): number {
    if (site.sizeText.standAt(this.view, from, this.end)) return site.size;
    const value = this.field(this.kmemSize);
    const size = scanInteger(this.bytes, value, this.end);
    const stop = digitsEnd(this.bytes, value, this.end);
    if (value > from && stop < this.end && this.bytes[stop] === SPACE) {
      site.sizeText.take(this.view, from, stop + 1);
      site.size = size;
    }
    return size;
  }

  vmapAlloc(): Decoded {
    if (this.integer(FAILED) > 0) return this.vmapFailed();
    const decimal = this.field(VA_START_DECIMAL);
    const start = decimal >= 0 ? scanDecimalAddress(this.bytes, decimal, this.end) : this.address(ADDR);
    const size = this.integer(SIZE);
    const align = this.integer(ALIGN);
    if (this.context.areas === undefined) return this.vmapAllocated(start, size, align);
    return this.vmapAllocated(start, size, align, this.address(WINDOW_START), this.address(WINDOW_END));
  }

  vmapFree(): Decoded {
    const start = this.address(VA_START);
    if (this.context.areas === undefined) return this.vmapFreed(start);
    return this.vmapFreed(start, this.address(VA_END) - start, this.integer(WAITING_PAGES));
  }

  /** kprobe on alloc_vmap_area: the arguments. The result comes with probeReturn. */
  probeEntry(): Decoded {
    if (!startsWith(this.bytes, PROBE_ENTRY, this.start, this.end)) return Decoded.foreign;
    const align = this.integer(ALIGN);
    if (!(align >= 0)) return Decoded.malformed;
    const { pid } = this.event;
    this.pendingAlign.set(pid, align);
    if (this.context.areas !== undefined)
      this.pendingWindow.set(pid, [this.address(WINDOW_START), this.address(WINDOW_END)]);
    return Decoded.done;
  }

  /** kretprobe on alloc_vmap_area: the area, or an error pointer whose fields cannot be read. */
  probeReturn(): Decoded {
    const { bytes, start, end, event } = this;
    const arrow = after(bytes, PROBE_RETURN, start, end);
    if (arrow < 0) return Decoded.foreign;
    const align = this.pendingAlign.get(event.pid) ?? 0;
    this.pendingAlign.delete(event.pid);
    if (after(bytes, FAULT, arrow, end) >= 0) return this.vmapFailed();
    const area = this.address(VA_START);
    event.site = this.context.sites.idOf(bytes, start + 2, arrow - PROBE_RETURN.length);
    const window = this.pendingWindow.get(event.pid);
    return this.vmapAllocated(area, this.address(VA_END) - area, align, window?.[0], window?.[1]);
  }

  probeFree(): Decoded {
    if (!startsWith(this.bytes, PROBE_FREE, this.start, this.end)) return Decoded.foreign;
    return this.vmapFree();
  }

  vmapPurge(): Decoded {
    return this.vmapPurged(this.address(START), this.address(END), this.integer(PURGED));
  }

  /** kprobe on __purge_vmap_area_lazy, whose arguments only widen the range of what is purged: all that waits. */
  probePurge(): Decoded {
    if (!startsWith(this.bytes, PROBE_PURGE, this.start, this.end)) return Decoded.foreign;
    return this.vmapPurged(0, Number.POSITIVE_INFINITY, Number.NaN);
  }

  kstackAlloc(): Decoded {
    return this.kstackAllocated(this.address(STACK));
  }

  kstackFree(): Decoded {
    return this.kstackFreed(this.address(STACK), this.integer(REFS));
  }

  fork(): Decoded {
    return this.taskBorn(this.lastInteger(CHILD_PID));
  }

  exit(): Decoded {
    return this.taskDied(this.lastInteger(PID));
  }

  pageAlloc(): Decoded {
    return this.pageAllocated(this.integer(PFN), this.integer(ORDER));
  }

  pageFree(): Decoded {
    return this.pageFreed(this.integer(PFN));
  }

  /** Position of the field's value, -1 if there is no such field. */
  private field(name: FieldName): number {
    let found = afterName(this.view, name, this.cursor, this.end);
    if (found < 0 && this.cursor > this.start) found = afterName(this.view, name, this.start, this.end);
    if (found >= 0) this.cursor = found;
    return found;
  }

  private integer(name: FieldName): number {
    return scanInteger(this.bytes, this.field(name), this.end);
  }

  private lastInteger(name: Uint8Array): number {
    return scanInteger(this.bytes, afterLast(this.bytes, name, this.start, this.end), this.end);
  }

  private address(name: FieldName): number {
    return this.addressAt(this.field(name));
  }

  private addressAt(at: number): number {
    const whole = wholeAddress(this.view, at, this.end);
    return whole >= 0 ? whole : scanHexAddress(this.bytes, at, this.end);
  }

  private pointerAt(ptr: number): number {
    const pointer = this.addressAt(ptr);
    return pointer >= 0 || !startsWith(this.bytes, NIL, ptr, this.end) ? pointer : 0;
  }

  /** Number of the call site's text, which ends where the pointer's field begins; it may hold a space. */
  private callSite(site: number, ptr: number): number {
    const end = ptr - PTR.length;
    if (site < 0 || site >= end) return -1;
    const number = this.context.sites.idOf(this.bytes, site, end);
    if (number < 0) return -1;
    this.knownSites.passed(number);
    this.knownSites.learn(number, this.name, this.view, this.nameStart, ptr);
    return number;
  }
}

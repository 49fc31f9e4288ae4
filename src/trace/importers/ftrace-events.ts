import { RequestClass } from '../../core/request.js';
import {
  type ImportContext,
  MAX_PAGE_ORDER,
  MODULE_SPACE_START,
  NameSpace,
  type RecordedEvent,
} from '../importer.js';
import {
  after,
  afterLast,
  kernelAddress,
  scanDecimalAddress,
  scanHexAddress,
  scanInteger,
  startsWith,
} from '../text-scan.js';

/** What became of an event line. */
export const Decoded = {
  /** Handed on, or left out for a reason that was counted. */
  done: 0,
  /** A field is missing or has no value that makes sense. */
  malformed: 1,
  /** The event has the name of a probe that we know, but is another one. */
  foreign: 2,
} as const;
export type Decoded = (typeof Decoded)[keyof typeof Decoded];

/** Reads one event from the bytes that `FtraceEvents.at` was given. */
export type Decoder = (events: FtraceEvents) => Decoded;

/** Decoders by event name. */
export const DECODERS: ReadonlyMap<string, Decoder> = new Map<string, Decoder>([
  ['kmalloc', (events) => events.kmemAlloc(true)],
  ['kmalloc_node', (events) => events.kmemAlloc(true)],
  ['kmem_cache_alloc', (events) => events.kmemAlloc(false)],
  ['kmem_cache_alloc_node', (events) => events.kmemAlloc(false)],
  ['kfree', (events) => events.kmemFree()],
  ['kmem_cache_free', (events) => events.kmemFree()],
  ['alloc_vmap_area', (events) => events.vmapAlloc()],
  ['free_vmap_area_noflush', (events) => events.vmapFree()],
  ['alloc', (events) => events.probeEntry()],
  ['alloc_ret', (events) => events.probeReturn()],
  ['free', (events) => events.probeFree()],
  ['kstack_alloc', (events) => events.kstackAlloc()],
  ['kstack_free', (events) => events.kstackFree()],
  ['sched_process_fork', (events) => events.fork()],
  ['sched_process_exit', (events) => events.exit()],
  ['mm_page_alloc', (events) => events.pageAlloc()],
  ['mm_page_free', (events) => events.pageFree()],
]);

const text = (value: string): Uint8Array => Uint8Array.from(Buffer.from(value, 'latin1'));
const CALL_SITE = text(' call_site=');
const PTR = text(' ptr=');
const BYTES_REQ = text(' bytes_req=');
const BYTES_ALLOC = text(' bytes_alloc=');
const VA_START_DECIMAL = text(' va_start: ');
const VA_START = text(' va_start=');
const VA_END = text(' va_end=');
const ADDR = text(' addr=');
const SIZE = text(' size=');
const ALIGN = text(' align=');
const FAILED = text(' failed=');
const PID = text(' pid=');
const CHILD_PID = text(' child_pid=');
const STACK = text(' stack=');
const REFS = text(' refs=');
const PFN = text(' pfn=');
const ORDER = text(' order=');
const PROBE_ENTRY = text(' (alloc_vmap_area+');
const PROBE_RETURN = text(' <- alloc_vmap_area)');
const PROBE_FREE = text(' (free_vmap_area_noflush+');
const FAULT = text('(fault)');
const NULL_POINTER = 0;
/** What kmalloc(0) of Linux returns; freeing it does nothing. */
const ZERO_SIZE_POINTER = 16;
/** A task has no bytes, but a request must have some. */
const TASK_BYTES = 1;

/**
 * The fields of the events that become requests. Fields are looked for by name, because kernels differ in their
 * order and number; those of scheduler events from the right, because a task's name may look like a field.
 */
export class FtraceEvents {
  private bytes: Uint8Array = new Uint8Array(0);
  private start = 0;
  private end = 0;
  /** Behind the name of the last field found: fields mostly come in the order in which they are asked for. */
  private cursor = 0;
  private readonly event: RecordedEvent;
  /** Alignment asked for by each process that is inside alloc_vmap_area (kprobe recordings only). */
  private readonly pendingAlign = new Map<number, number>();
  private readonly kmemSize: Uint8Array;
  private readonly rows;

  constructor(private readonly context: ImportContext) {
    this.event = context.sink.event;
    const { skips, options } = context;
    this.kmemSize = options.kmemSize === 'requested' ? BYTES_REQ : BYTES_ALLOC;
    this.rows = {
      freeOfNull: skips.row('free-of-null', 'kmem'),
      freeOfZeroSize: skips.row('free-of-zero-size', 'kmem'),
      zeroSize: skips.row('zero-size-alloc', 'kmem'),
      failedKmem: skips.row('failed-alloc', 'kmem'),
      failedVmap: skips.row('failed-alloc', 'va'),
      failedPage: skips.row('failed-alloc', 'page'),
      stackReferenced: skips.row('stack-still-referenced', 'kstack'),
      moduleRange: skips.row('module-range-not-stored', 'va'),
    };
  }

  /** Says where the fields are: bytes[start, end) begins with the space behind `NAME:`. */
  at(bytes: Uint8Array, start: number, end: number): void {
    this.bytes = bytes;
    this.start = start;
    this.end = end;
    this.cursor = start;
  }

  kmemAlloc(mayRepeat: boolean): Decoded {
    const site = this.field(CALL_SITE);
    const ptr = this.field(PTR);
    const key = scanHexAddress(this.bytes, ptr, this.end);
    const size = this.integer(this.kmemSize);
    if (!(key >= 0 && size >= 0)) return Decoded.malformed;
    if (key === NULL_POINTER) return this.skip(this.rows.failedKmem);
    if (size === 0) return this.skip(this.rows.zeroSize);
    this.event.site = this.callSite(site, ptr);
    return this.allocated(NameSpace.kmem, RequestClass.kmem, key, size, 0, kernelAddress(key), mayRepeat);
  }

  kmemFree(): Decoded {
    const site = this.field(CALL_SITE);
    const ptr = this.field(PTR);
    const key = scanHexAddress(this.bytes, ptr, this.end);
    if (!(key >= 0)) return Decoded.malformed;
    if (key === NULL_POINTER) return this.skip(this.rows.freeOfNull);
    if (key === ZERO_SIZE_POINTER) return this.skip(this.rows.freeOfZeroSize);
    this.event.site = this.callSite(site, ptr);
    return this.freed(NameSpace.kmem, RequestClass.kmem, key);
  }

  vmapAlloc(): Decoded {
    if (this.integer(FAILED) > 0) return this.skip(this.rows.failedVmap);
    const decimal = this.field(VA_START_DECIMAL);
    const start = decimal >= 0 ? scanDecimalAddress(this.bytes, decimal, this.end) : this.address(ADDR);
    this.event.site = -1;
    return this.vmapAllocated(start, this.integer(SIZE), this.integer(ALIGN));
  }

  vmapFree(): Decoded {
    this.event.site = -1;
    return this.freed(NameSpace.vmap, RequestClass.va, this.address(VA_START));
  }

  /** kprobe on alloc_vmap_area: the arguments. The result comes with probeReturn. */
  probeEntry(): Decoded {
    if (!startsWith(this.bytes, PROBE_ENTRY, this.start, this.end)) return Decoded.foreign;
    const align = this.integer(ALIGN);
    if (!(align >= 0)) return Decoded.malformed;
    this.pendingAlign.set(this.event.pid, align);
    return Decoded.done;
  }

  /** kretprobe on alloc_vmap_area: the area, or an error pointer whose fields cannot be read. */
  probeReturn(): Decoded {
    const { bytes, start, end, event } = this;
    const arrow = after(bytes, PROBE_RETURN, start, end);
    if (arrow < 0) return Decoded.foreign;
    const align = this.pendingAlign.get(event.pid) ?? 0;
    this.pendingAlign.delete(event.pid);
    if (after(bytes, FAULT, arrow, end) >= 0) return this.skip(this.rows.failedVmap);
    const area = this.address(VA_START);
    event.site = this.context.sites.idOf(bytes, start + 2, arrow - PROBE_RETURN.length);
    return this.vmapAllocated(area, this.address(VA_END) - area, align);
  }

  probeFree(): Decoded {
    if (!startsWith(this.bytes, PROBE_FREE, this.start, this.end)) return Decoded.foreign;
    return this.vmapFree();
  }

  kstackAlloc(): Decoded {
    const stack = this.address(STACK);
    this.event.site = -1;
    const { threadSize } = this.context.options;
    const address = kernelAddress(stack);
    return this.allocated(NameSpace.kstack, RequestClass.kstack, stack, threadSize, 0, address, false);
  }

  /** The probe fires on each put_task_stack; only the last reference releases the stack. */
  kstackFree(): Decoded {
    if (this.integer(REFS) > 1) return this.skip(this.rows.stackReferenced);
    this.event.site = -1;
    return this.freed(NameSpace.kstack, RequestClass.kstack, this.address(STACK));
  }

  fork(): Decoded {
    const child = this.lastInteger(CHILD_PID);
    this.event.site = -1;
    return this.allocated(NameSpace.task, RequestClass.task, child, TASK_BYTES, 0, -1, false);
  }

  exit(): Decoded {
    this.event.site = -1;
    return this.freed(NameSpace.task, RequestClass.task, this.lastInteger(PID));
  }

  pageAlloc(): Decoded {
    const frame = this.integer(PFN);
    const order = this.integer(ORDER);
    if (!(order <= MAX_PAGE_ORDER)) return Decoded.malformed;
    if (frame === 0) return this.skip(this.rows.failedPage);
    const { pageSize } = this.context.options;
    this.event.site = -1;
    const size = pageSize * 2 ** order;
    return this.allocated(NameSpace.page, RequestClass.page, frame, size, 0, frame * pageSize, false);
  }

  pageFree(): Decoded {
    this.event.site = -1;
    return this.freed(NameSpace.page, RequestClass.page, this.integer(PFN));
  }

  private vmapAllocated(start: number, size: number, align: number): Decoded {
    const { threadSize, guardSize } = this.context.options;
    if (!(start >= 0 && size > 0 && align >= 0)) return Decoded.malformed;
    const forStack = size === threadSize + guardSize && align === threadSize;
    const cls = forStack ? RequestClass.stackArea : RequestClass.va;
    if (start >= MODULE_SPACE_START) this.context.skips.add(this.rows.moduleRange);
    return this.allocated(NameSpace.vmap, cls, start, size, align, kernelAddress(start), false);
  }

  private allocated(
    space: NameSpace,
    cls: number,
    key: number,
    size: number,
    align: number,
    address: number,
    mayRepeat: boolean,
  ): Decoded {
    if (!(key >= 0)) return Decoded.malformed;
    const { event } = this;
    event.space = space;
    event.cls = cls;
    event.key = key;
    event.size = size;
    event.align = align;
    event.address = address;
    event.mayRepeat = mayRepeat;
    this.context.sink.allocated();
    return Decoded.done;
  }

  private freed(space: NameSpace, cls: number, key: number): Decoded {
    if (!(key >= 0)) return Decoded.malformed;
    this.event.space = space;
    this.event.cls = cls;
    this.event.key = key;
    this.context.sink.freed();
    return Decoded.done;
  }

  private skip(row: number): Decoded {
    this.context.skips.add(row);
    return Decoded.done;
  }

  /** Position of the field's value, -1 if there is no such field. */
  private field(name: Uint8Array): number {
    let found = after(this.bytes, name, this.cursor, this.end);
    if (found < 0 && this.cursor > this.start) found = after(this.bytes, name, this.start, this.end);
    if (found >= 0) this.cursor = found;
    return found;
  }

  private integer(name: Uint8Array): number {
    return scanInteger(this.bytes, this.field(name), this.end);
  }

  private lastInteger(name: Uint8Array): number {
    return scanInteger(this.bytes, afterLast(this.bytes, name, this.start, this.end), this.end);
  }

  private address(name: Uint8Array): number {
    return scanHexAddress(this.bytes, this.field(name), this.end);
  }

  /** Number of the call site's text, which ends where the pointer's field begins; it may hold a space. */
  private callSite(site: number, ptr: number): number {
    const end = ptr - PTR.length;
    return site >= 0 && site < end ? this.context.sites.idOf(this.bytes, site, end) : -1;
  }
}

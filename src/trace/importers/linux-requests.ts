import { NO_ADDRESS } from '../../core/address.js';
import { RequestClass } from '../../core/request.js';
import {
  type ImportContext,
  MAX_PAGE_ORDER,
  MAX_REQUEST_BYTES,
  MODULE_SPACE_START,
  NameSpace,
  type RecordedEvent,
} from '../importer.js';
import { kernelAddress } from '../text-scan.js';

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

// Copies: V8 reads an imported constant anew each time, and takes one of the module's own as a number. Those of most events.
const { done: DONE, malformed: MALFORMED } = Decoded;
const { kmem: KMEM_SPACE } = NameSpace;
const { kmem: KMEM_CLASS } = RequestClass;

const NULL_POINTER = 0;
/** What kmalloc(0) of Linux returns; freeing it does nothing. */
const ZERO_SIZE_POINTER = 16;

/** Whether a kmem pointer is that of an object: not NULL, not the zero-size pointer, and legible. */
export function namesObject(pointer: number): boolean {
  return pointer > ZERO_SIZE_POINTER;
}

/** A task has no bytes, but a request must have some. */
const TASK_BYTES = 1;

/**
 * What Linux's events mean as requests, whatever tool wrote them: a number that could not be read is NaN. `event`
 * holds time, CPU, process and call site already; the rest is filled in here.
 */
export class LinuxRequests {
  protected readonly event: RecordedEvent;
  private readonly rows;

  constructor(protected readonly context: ImportContext) {
    this.event = context.sink.event;
    const { skips } = context;
    this.rows = {
      freeOfNull: skips.row('free-of-null', 'kmem'),
      freeOfZeroSize: skips.row('free-of-zero-size', 'kmem'),
      zeroSize: skips.row('zero-size-alloc', 'kmem'),
      failedKmem: skips.row('failed-alloc', 'kmem'),
      failedVmap: skips.row('failed-alloc', 'va'),
      failedPage: skips.row('failed-alloc', 'page'),
      purgeDiffers: skips.row('purged-otherwise', 'va'),
      stackReferenced: skips.row('stack-still-referenced', 'kstack'),
      moduleRange: skips.row('module-range-not-stored', 'va'),
    };
  }

  /** kmalloc or kmem_cache_alloc; `mayRepeat` for the first. */
  protected kmemAllocated(pointer: number, size: number, mayRepeat: boolean): Decoded {
    if (!(pointer >= 0 && size >= 0)) return MALFORMED;
    if (pointer === NULL_POINTER) return this.skip(this.rows.failedKmem);
    if (size === 0) return this.skip(this.rows.zeroSize);
    const { event } = this;
    event.size = size;
    event.align = 0;
    event.address = kernelAddress(pointer);
    event.mayRepeat = mayRepeat;
    return this.allocated(KMEM_SPACE, KMEM_CLASS, pointer);
  }

  protected kmemFreed(pointer: number): Decoded {
    if (pointer === NULL_POINTER) return this.skip(this.rows.freeOfNull);
    if (pointer === ZERO_SIZE_POINTER) return this.skip(this.rows.freeOfZeroSize);
    return this.freed(KMEM_SPACE, KMEM_CLASS, pointer);
  }

  /** The request's window is [from, to), NaN where it is not known. */
  protected vmapAllocated(
    start: number,
    size: number,
    align: number,
    from = Number.NaN,
    to = Number.NaN,
  ): Decoded {
    const { threadSize, guardSize } = this.context.options;
    if (!(start >= 0 && size > 0 && align >= 0)) return MALFORMED;
    this.context.areas?.allocated(start, size, align, from, to);
    const forStack = size === threadSize + guardSize && align === threadSize;
    if (start >= MODULE_SPACE_START) this.context.skips.add(this.rows.moduleRange);
    this.context.unpurged.forget(start);
    this.placed(size, align, kernelAddress(start));
    return this.allocated(NameSpace.vmap, forStack ? RequestClass.stackArea : RequestClass.va, start);
  }

  protected vmapFailed(): Decoded {
    return this.skip(this.rows.failedVmap);
  }

  /**
   * An area was unmapped: Linux uses its addresses again only after a purge. Its bytes and the pages that wait are NaN
   * where they are not known.
   */
  protected vmapFreed(start: number, size = Number.NaN, waiting = Number.NaN): Decoded {
    if (start >= 0) this.context.areas?.freed(start, size, waiting);
    if (this.context.options.freeAt === 'unmap') return this.freed(NameSpace.vmap, RequestClass.va, start);
    if (!(start >= 0)) return MALFORMED;
    this.context.unpurged.add(start);
    return DONE;
  }

  /** A purge of the unmapped areas that begin in [from, to); `count` of them, NaN where the event does not say. */
  protected vmapPurged(from: number, to: number, count: number): Decoded {
    const { unpurged, options, skips } = this.context;
    this.context.areas?.purged(from, to, count);
    if (options.freeAt === 'unmap') return Decoded.foreign;
    const starts = unpurged.take(from, to);
    for (const start of starts) this.freed(NameSpace.vmap, RequestClass.va, start);
    const missing = count - starts.length;
    if (missing !== 0 && !Number.isNaN(count)) skips.add(this.rows.purgeDiffers, Math.abs(missing));
    return DONE;
  }

  protected kstackAllocated(stack: number): Decoded {
    this.placed(this.context.options.threadSize, 0, kernelAddress(stack));
    return this.allocated(NameSpace.kstack, RequestClass.kstack, stack);
  }

  /** The probe fires on each put_task_stack; only the last reference releases the stack. */
  protected kstackFreed(stack: number, references: number): Decoded {
    if (references > 1) return this.skip(this.rows.stackReferenced);
    return this.freed(NameSpace.kstack, RequestClass.kstack, stack);
  }

  protected taskBorn(pid: number): Decoded {
    this.placed(TASK_BYTES, 0, NO_ADDRESS);
    return this.allocated(NameSpace.task, RequestClass.task, pid);
  }

  protected taskDied(pid: number): Decoded {
    return this.freed(NameSpace.task, RequestClass.task, pid);
  }

  protected pageAllocated(frame: number, order: number): Decoded {
    const { pageSize } = this.context.options;
    if (!(order <= MAX_PAGE_ORDER && frame * pageSize <= Number.MAX_SAFE_INTEGER)) return MALFORMED;
    if (frame === 0) return this.skip(this.rows.failedPage);
    this.placed(pageSize * 2 ** order, 0, frame * pageSize);
    return this.allocated(NameSpace.page, RequestClass.page, frame);
  }

  protected pageFreed(frame: number): Decoded {
    return this.freed(NameSpace.page, RequestClass.page, frame);
  }

  private placed(size: number, align: number, address: number): void {
    const { event } = this;
    event.size = size;
    event.align = align;
    event.address = address;
    event.mayRepeat = false;
  }

  private allocated(space: NameSpace, cls: number, key: number): Decoded {
    const { event } = this;
    if (!(key >= 0 && event.size <= MAX_REQUEST_BYTES)) return MALFORMED;
    event.space = space;
    event.cls = cls;
    event.key = key;
    this.context.sink.allocated();
    return DONE;
  }

  private freed(space: NameSpace, cls: number, key: number): Decoded {
    if (!(key >= 0)) return MALFORMED;
    const { event } = this;
    event.space = space;
    event.cls = cls;
    event.key = key;
    this.context.sink.freed();
    return DONE;
  }

  private skip(row: number): Decoded {
    this.context.skips.add(row);
    return DONE;
  }
}

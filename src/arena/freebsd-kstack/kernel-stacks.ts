import { type Address, NO_ADDRESS } from '../../core/address.js';
import { MisuseError } from '../../core/errors.js';
import type { Bytes } from '../../core/units.js';
import { MAX_STACK_PAGES, PAGE_BYTES } from './abi.js';
import { BucketCache, type CurrentCpu, NO_ITEM } from './bucket-cache.js';
import { KernelKva } from './kernel-kva.js';
import { PageDaemon } from './page-daemon.js';
import { NO_FRAME, NO_OBJECT } from './page-frames.js';
import { PhysicalMemory } from './physical-memory.js';
import { createLayout, type LayoutName, type StackLayout } from './stack-layout.js';
import { StackState, StackTable } from './stack-table.js';
import { NO_BLOCK } from './swap-space.js';

/** No stack: address space or memory is exhausted. */
export const NO_STACK = -1;

/** The stack cache holds at most so many stacks, or so many per CPU if that is more. */
const CACHED_STACKS = 128;
const CACHED_STACKS_PER_CPU = 4;

/** A machine and what its kernel does with stacks. */
export interface KernelStacksForm {
  readonly layout: LayoutName;
  /** Pages of a stack by default (kern.kstack_pages). */
  readonly stackPages: number;
  /** Unmapped pages below each. */
  readonly guardPages: number;
  readonly cpus: number;
  /** Page frames. */
  readonly memoryPages: number;
  /** At the start of kernel address space, taken by others. */
  readonly skippedKvaBytes: Bytes;
}

/** What has happened so far; counters only rise. */
export class StackCounters {
  creates = 0;
  /** Creations that a stack of the cache served, without building one. */
  cacheHits = 0;
  built = 0;
  destroyed = 0;
  /** Write locks of objects by the code of kernel stacks. */
  objectLocks = 0;
  swapReads = 0;
  pagesRead = 0;
}

/**
 * Kernel stacks of FreeBSD from creation to exit: the stack cache, building from address space and pages, swapping out
 * and in, under one of the layouts of objects. Stacks are rows of `stacks`.
 * Mirrors vm_thread_new, vm_thread_dispose, kstack_import, kstack_release and vm_thread_stack_create, vm_glue.c, and
 * vm_thread_swapout and vm_thread_swapin, vm_swapout.c [freebsd@f13fa9df05].
 */
export class KernelStacks {
  readonly form: KernelStacksForm;
  readonly stacks = new StackTable();
  readonly counters = new StackCounters();
  /** CPU that requests come from. */
  readonly current: CurrentCpu = { cpu: 0 };
  readonly memory: PhysicalMemory;
  readonly daemon: PageDaemon;
  readonly kva: KernelKva;
  readonly layout: StackLayout;
  readonly cache: BucketCache;

  constructor(form: KernelStacksForm) {
    const { stackPages, guardPages, cpus, memoryPages } = form;
    this.form = form;
    this.memory = new PhysicalMemory(memoryPages, cpus, this.current);
    this.daemon = new PageDaemon(this.memory, this.stacks);
    this.kva = new KernelKva(form.skippedKvaBytes, (stackPages + guardPages) * PAGE_BYTES);
    const { objects } = this.memory;
    const { kva, stacks } = this;
    this.layout = createLayout(form.layout, { kva, objects, stacks, stackPages, guardPages });
    const maximum = Math.max(CACHED_STACKS, CACHED_STACKS_PER_CPU * cpus);
    this.cache = new BucketCache({ itemBytes: stackPages * PAGE_BYTES, cpus, maximum }, this, this.current);
  }

  /**
   * A stack for a new thread, of `pages` pages or, with 0 or 1, of the default size; or NO_STACK.
   * @throws MisuseError if it is to be larger than a stack can be.
   */
  create(pages: number): number {
    const { stackPages } = this.form;
    const wanted = pages <= 1 ? stackPages : pages;
    if (wanted > MAX_STACK_PAGES) throw new MisuseError('a stack is too large', { pages });
    const built = this.counters.built;
    let stack = wanted === stackPages ? this.cache.allocate() : NO_ITEM;
    if (stack === NO_ITEM) stack = this.build(wanted);
    if (stack === NO_STACK) return NO_STACK;
    this.stacks.state[stack] = StackState.live;
    this.counters.creates++;
    if (this.counters.built === built) this.counters.cacheHits++;
    return stack;
  }

  /** The thread is gone. @throws MisuseError unless the stack is live and swapped in. */
  exit(stack: number): void {
    this.requireLive(stack, 0);
    this.stacks.thread[stack]!++;
    if (this.stacks.pages[stack] !== this.form.stackPages) {
      this.destroy(stack);
      return;
    }
    this.stacks.state[stack] = StackState.cached;
    this.cache.free(stack);
  }

  /** The thread is gone, and there was no memory to swap its stack in. @throws MisuseError unless it is swapped out. */
  abandon(stack: number): void {
    this.requireLive(stack, 1);
    this.stacks.thread[stack]!++;
    this.destroy(stack);
  }

  /** Unwires the pages of a stack; they go to the laundry. @throws MisuseError unless it is live and swapped in. */
  swapOut(stack: number): void {
    this.requireLive(stack, 0);
    const { frames, objects } = this.memory;
    this.counters.objectLocks++;
    this.stacks.isSwapped[stack] = 1;
    let frame = objects.find(this.stacks.object[stack]!, this.stacks.pindex[stack]!);
    for (let left = this.stacks.pages[stack]!; left > 0; left--) {
      this.daemon.queues.unwire(frame);
      frame = frames.objectNext[frame]!;
    }
  }

  /**
   * Wires all pages of a stack again and reads those that have left memory; false if there is no memory for them.
   * @throws MisuseError unless the stack is live and swapped out.
   */
  swapIn(stack: number): boolean {
    this.requireLive(stack, 1);
    this.counters.objectLocks++;
    const missing = this.grabPages(stack);
    if (missing < 0) return false;
    if (missing !== 0) this.readMissing(stack, missing);
    this.stacks.isSwapped[stack] = 0;
    return true;
  }

  /** Gives cached stacks back: those of the zone's list, and with `cpus` those of every CPU as well. */
  reap(cpus: boolean): void {
    if (cpus) this.cache.drainCpus();
    else this.cache.drain();
  }

  /** Builds stacks for a bucket of the cache. */
  importItems(into: Int32Array, at: number, count: number): number {
    for (let index = 0; index < count; index++) {
      const stack = this.build(this.form.stackPages);
      if (stack === NO_STACK) return index;
      this.stacks.state[stack] = StackState.cached;
      into[at + index] = stack;
    }
    return count;
  }

  /** Takes a stack apart that leaves the cache. */
  releaseItem(stack: number): void {
    this.destroy(stack);
  }

  private build(pages: number): number {
    const { form, layout, stacks } = this;
    const supply = layout.arenaFor(pages);
    const start: Address = supply.alloc((pages + form.guardPages) * PAGE_BYTES);
    if (start === NO_ADDRESS) return NO_STACK;
    const stack = stacks.create(pages);
    stacks.base[stack] = start + form.guardPages * PAGE_BYTES;
    layout.place(stack);
    this.counters.built++;
    this.counters.objectLocks++;
    if (this.grabPages(stack) >= 0) return stack;
    this.destroy(stack);
    return NO_STACK;
  }

  private destroy(stack: number): void {
    const { form, layout, memory, stacks } = this;
    const object = stacks.object[stack]!;
    const pages = stacks.pages[stack]!;
    this.counters.destroyed++;
    this.counters.objectLocks++;
    this.freePages(stack);
    if (layout.sharedObject === NO_OBJECT) this.daemon.swap.forget(object, memory.objects.size[object]!);
    this.counters.objectLocks += layout.displace(stack);
    const start = stacks.base[stack]! - form.guardPages * PAGE_BYTES;
    layout.arenaFor(pages).free(start, (pages + form.guardPages) * PAGE_BYTES);
    stacks.destroy(stack);
  }

  /**
   * Wires every page of a stack, new ones for those that are not resident. Returns which were not, a bit for each, or -1
   * if memory ran out; then nothing is wired.
   */
  private grabPages(stack: number): number {
    const { memory, stacks } = this;
    const { frames, objects } = memory;
    const object = stacks.object[stack]!;
    const first = stacks.pindex[stack]!;
    const end = first + stacks.pages[stack]!;
    let missing = 0;
    let before = first === 0 ? NO_FRAME : objects.findAtMost(object, first - 1);
    for (let pindex = first; pindex < end; pindex++) {
      let frame = objects.after(object, before);
      if (frame !== NO_FRAME && frames.pindex[frame] === pindex) {
        this.daemon.queues.leave(frame);
      } else {
        frame = memory.allocate(object, pindex, before);
        if (frame === NO_FRAME) return this.letGo(before, pindex - first, missing);
        frames.stack[frame] = stack;
        missing += 2 ** (pindex - first);
      }
      before = frame;
    }
    return missing;
  }

  /** Undoes the grab of `count` pages up to the frame `last`: those marked in `missing` are freed. Returns -1. */
  private letGo(last: number, count: number, missing: number): number {
    const { frames, objects } = this.memory;
    let frame = last;
    for (let index = count - 1; index >= 0; index--) {
      const before = frames.objectPrevious[frame]!;
      if (((missing >>> index) & 1) === 0) this.daemon.queues.unwire(frame);
      else {
        objects.remove(frame);
        this.memory.free(frame);
      }
      frame = before;
    }
    return -1;
  }

  /** Reads the pages of a stack that are marked in `missing`, run by run, as far as their swap blocks are contiguous. */
  private readMissing(stack: number, missing: number): void {
    const { counters, stacks } = this;
    const object = stacks.object[stack]!;
    const first = stacks.pindex[stack]!;
    const pages = stacks.pages[stack]!;
    let lastBlock = NO_BLOCK;
    for (let index = 0; index < pages; index++) {
      if (((missing >>> index) & 1) === 0) {
        lastBlock = NO_BLOCK;
        continue;
      }
      const block = this.daemon.swap.blockOf(object, first + index);
      if (lastBlock === NO_BLOCK || block !== lastBlock + 1) {
        counters.swapReads++;
        counters.objectLocks += this.layout.sharedObject === NO_OBJECT ? 0 : 1;
      }
      counters.pagesRead++;
      lastBlock = block;
    }
  }

  /** Frees the resident pages of a stack, in order of index. */
  private freePages(stack: number): void {
    const { memory, stacks } = this;
    const { frames, objects } = memory;
    const object = stacks.object[stack]!;
    const first = stacks.pindex[stack]!;
    const end = first + stacks.pages[stack]!;
    let frame = objects.after(object, first === 0 ? NO_FRAME : objects.findAtMost(object, first - 1));
    while (frame !== NO_FRAME && frames.pindex[frame]! < end) {
      const after = frames.objectNext[frame]!;
      this.daemon.queues.leave(frame);
      objects.remove(frame);
      memory.free(frame);
      frame = after;
    }
  }

  private requireLive(stack: number, isSwapped: number): void {
    const { state, isSwapped: swapped } = this.stacks;
    if (state[stack] === StackState.live && swapped[stack] === isSwapped) return;
    throw new MisuseError(
      isSwapped === 1 ? 'not a stack that is swapped out' : 'not a live stack in memory',
      {
        stack,
        state: state[stack],
        swapped: swapped[stack],
      },
    );
  }
}

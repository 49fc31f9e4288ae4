import { MAX_STACK_PAGES } from './abi.js';
import { NO_FRAME, type PageFrames, Queue } from './page-frames.js';
import type { StackTable } from './stack-table.js';
import type { VmObjects } from './vm-objects.js';

/** Places of a queue at first; a power of two. */
const FIRST_PLACES = 256;
/** Words of a place: stack and page of it; the thread that had the stack. */
const WORDS = 2;

/** What the places of a queue refer to. */
interface QueuedThings {
  readonly frames: PageFrames;
  readonly objects: VmObjects;
  readonly stacks: StackTable;
}

/** The places of one queue, first in first out: a ring that grows. */
class Places {
  private readonly things: QueuedThings;
  private readonly queue: number;
  private ring = new Int32Array(FIRST_PLACES * WORDS);
  private head = 0;
  private length = 0;

  constructor(things: QueuedThings, queue: number) {
    this.things = things;
    this.queue = queue;
  }

  /** Takes places off up to that of a page that is on the queue, and returns it; or NO_FRAME. */
  take(): number {
    const { ring } = this;
    while (this.length > 0) {
      const place = this.head;
      this.head = (place + WORDS) & (ring.length - 1);
      this.length -= WORDS;
      const frame = this.frameAt(ring[place]!, ring[place + 1]!);
      if (frame !== NO_FRAME) return frame;
    }
    return NO_FRAME;
  }

  append(frame: number): void {
    const { frames, stacks } = this.things;
    if (this.length === this.ring.length) this.grow();
    const place = (this.head + this.length) & (this.ring.length - 1);
    const stack = frames.stack[frame]!;
    this.ring[place] = stack * MAX_STACK_PAGES + frames.pindex[frame]! - stacks.pindex[stack]!;
    this.ring[place + 1] = stacks.thread[stack]!;
    this.length += WORDS;
  }

  /** The page that a place names, if its thread lives and the page is on this queue. */
  private frameAt(page: number, thread: number): number {
    const { frames, objects, stacks } = this.things;
    const stack = Math.floor(page / MAX_STACK_PAGES);
    if (stacks.thread[stack] !== thread) return NO_FRAME;
    const frame = objects.find(stacks.object[stack]!, stacks.pindex[stack]! + (page % MAX_STACK_PAGES));
    return frame !== NO_FRAME && frames.queue[frame] === this.queue ? frame : NO_FRAME;
  }

  private grow(): void {
    const { head, ring } = this;
    this.ring = new Int32Array(ring.length * 2);
    this.ring.set(ring.subarray(head));
    this.ring.set(ring.subarray(0, head), ring.length - head);
    this.head = 0;
  }
}

/**
 * The queues of unwired pages, first in first out, as the vectors have them. A page that is wired again leaves its place
 * behind: a scan passes over it, unless the page has come back to the queue by then, in which case its oldest place
 * counts. The places of a thread's stack end with the thread.
 */
export class PageQueues {
  private readonly frames: PageFrames;
  private readonly laundry: Places;
  private readonly inactive: Places;

  constructor(things: QueuedThings) {
    this.frames = things.frames;
    this.laundry = new Places(things, Queue.laundry);
    this.inactive = new Places(things, Queue.inactive);
  }

  /** The dirty page that is to be written first, or NO_FRAME. */
  takeDirty(): number {
    return this.laundry.take();
  }

  /** The clean page that is to be freed first, or NO_FRAME. */
  takeClean(): number {
    return this.inactive.take();
  }

  /** A stack's page may leave memory; it is dirty. */
  unwire(frame: number): void {
    this.frames.queue[frame] = Queue.laundry;
    this.laundry.append(frame);
  }

  /** A dirty page has been written. */
  clean(frame: number): void {
    this.frames.queue[frame] = Queue.inactive;
    this.inactive.append(frame);
  }

  /** A page is needed again, or not at all. */
  leave(frame: number): void {
    this.frames.queue[frame] = Queue.none;
  }
}

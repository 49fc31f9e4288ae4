import { EventQueue } from '../core/event-queue.js';
import { AliasTable, RandomStream } from '../core/random.js';
import { RequestClass, RequestOp } from '../core/request.js';
import { type Bytes, KIB, MIB, type Nanoseconds, SECOND } from '../core/units.js';
import { drawExponential } from './exponential.js';
import { RequestSource } from './request-source.js';
import { NO_SLOT, SlotPool } from './slot-pool.js';

/** Threads and heap that grow together; see ThreadsAndHeapSource. */
export interface ThreadsAndHeapOptions {
  /** Live at the end of the ramp, and kept. */
  readonly threads: number;
  readonly stackBytes: Bytes;
  /** Stacks of another size, out of 1000. */
  readonly largePerMille: number;
  /** Heap bytes live at the end of the ramp, and kept. */
  readonly heapBytes: Bytes;
  /** Size of every heap object, or 0 for the mixture. */
  readonly unitBytes: Bytes;
  /** Heap objects up to this are kmem, larger ones ranges. */
  readonly largestKmem: Bytes;
  readonly rampNs: Nanoseconds;
  readonly durationNs: Nanoseconds;
  /** Whether threads have lifetimes; each that ends is followed by a new one. */
  readonly churn: boolean;
  /** Mean time between two replacements of heap objects after the ramp; 0: none. */
  readonly replaceNs: Nanoseconds;
  readonly storms: number;
  /** Threads that each storm adds. */
  readonly stormThreads: number;
  /** Time in which a storm's threads are forked, and the same again in which they exit. */
  readonly stormNs: Nanoseconds;
  /** Of 1000 threads of a storm, those that stay. */
  readonly stayPerMille: number;
  /** Contiguous requests of drivers that are loaded after the storms. */
  readonly driverLoads: number;
  readonly driverBytes: Bytes;
  /** Between two pressures on memory; 0: none. */
  readonly pressureNs: Nanoseconds;
  /** Whether all threads exit near the end. */
  readonly drain: boolean;
  readonly cpus: number;
}

/** Mean lifetimes and shares of threads: fork and exit, sessions, daemons (an assumption, spec segkp §6). */
const LIFE_NS: readonly Nanoseconds[] = [SECOND / 2, 60 * SECOND, 36_000 * SECOND];
const LIFE_WEIGHTS = [70, 25, 5];
/** The same as found in a steady state: shares times means. */
const STANDING_WEIGHTS = [35, 1500, 180_000];

/** What larger stacks have beyond the default, and how often: up to 17 pages in all where the default is two. */
const LARGE_EXTRA: readonly Bytes[] = [12 * KIB, 28 * KIB, 60 * KIB];
const LARGE_WEIGHTS = [5, 3, 2];

/** The heap's mixture in three ranges, out of 1000: up to 64 KiB, 128 to 512 KiB, 1 to 4 MiB (spec segkp §5). */
const HEAP_SIZES: readonly (readonly Bytes[])[] = [
  [4, 8, 16, 32, 32, 64].map((kibibytes) => kibibytes * KIB),
  [128, 256, 384, 512].map((kibibytes) => kibibytes * KIB),
  [1, 2, 3, 4].map((mebibytes) => mebibytes * MIB),
];
const HEAP_WEIGHTS = [900, 85, 15];
const SMALLEST_OBJECT = 4 * KIB;
const LARGEST_OBJECT = 4 * MIB;

/** Between two requests of drivers. */
const DRIVER_SPACING: Nanoseconds = SECOND / 1000;

/** Events of the source's own queue. The payload is a thread, or a number. */
const Due = {
  thread: 0,
  heap: 1,
  replace: 2,
  exit: 3,
  storm: 4,
  stormExit: 5,
  driver: 6,
  drain: 7,
  pressure: 8,
} as const;

/** When storms are over, drivers are loaded, and threads drain: in percent of the duration. */
export const PHASES = { stormsBy: 70, drivers: 80, drain: 95 } as const;

/** Slots of threads; behind them lie those of heap objects, and of drivers. */
function threadSlots({ threads, storms, stormThreads }: ThreadsAndHeapOptions): number {
  return Math.max(1, threads + storms * stormThreads);
}

function heapSlots({ heapBytes, unitBytes }: ThreadsAndHeapOptions): number {
  return Math.max(1, Math.floor(heapBytes / (unitBytes === 0 ? SMALLEST_OBJECT : unitBytes)));
}

/** Slots of everything that may live at a time. */
export function slotsOf(options: ThreadsAndHeapOptions): number {
  return threadSlots(options) + heapSlots(options) + options.driverLoads;
}

/** The largest request that the options lead to. */
export function largestOf(options: ThreadsAndHeapOptions): Bytes {
  const { stackBytes, largePerMille, heapBytes, unitBytes, driverLoads, driverBytes } = options;
  const stack = stackBytes + (largePerMille > 0 ? LARGE_EXTRA.at(-1)! : 0);
  const object = unitBytes === 0 ? Math.min(heapBytes, LARGEST_OBJECT) : unitBytes;
  return Math.max(stack, object, driverLoads > 0 ? driverBytes : 0);
}

/** Start of storm `number`, from 0: evenly from the end of the ramp to 70 % of the duration, where the last one starts. */
export function stormStart(options: ThreadsAndHeapOptions, number: number): Nanoseconds {
  const { rampNs, durationNs, storms } = options;
  const last = Math.floor((durationNs * PHASES.stormsBy) / 100);
  return last - Math.floor(((last - rampNs) / storms) * (storms - 1 - number));
}

/**
 * Threads and heap that grow together, in proportion, to their targets; whatever can no longer be had is refused then. On the
 * plateau threads end and are followed by others, and random heap objects make room for new ones; storms fork many threads
 * that soon exit, in random order, but for those that stay; drivers ask for large contiguous ranges; in the end all
 * threads exit. Memory pressure may come now and then. So the population is the same whatever is granted.
 *
 * Sizes of stacks, lifetimes, heap objects, storms and CPUs are drawn from streams of their own.
 */
export class ThreadsAndHeapSource extends RequestSource {
  private readonly queue = new EventQueue();
  private readonly threads: SlotPool;
  private readonly objects: SlotPool;
  private readonly generation: Int32Array;
  private readonly objectBytes: Float64Array;
  private readonly firstObject: number;
  private readonly kindAtFirst = new AliasTable(STANDING_WEIGHTS);
  private readonly kindOfNext = new AliasTable(LIFE_WEIGHTS);
  private readonly largeSize = new AliasTable(LARGE_WEIGHTS);
  private readonly range = new AliasTable(HEAP_WEIGHTS);
  private readonly stacks: RandomStream;
  private readonly lifetimes: RandomStream;
  private readonly sizes: RandomStream;
  private readonly victims: RandomStream;
  private readonly storms: RandomStream;
  private readonly cpus: RandomStream;
  private heapLive = 0;
  private drivers = 0;
  /** What the present event still has to ask for: a successor, room and an object of so many bytes, the end of all threads. */
  private wantsThread = false;
  private wantedBytes = 0;
  private isDraining = false;

  constructor(
    private readonly options: ThreadsAndHeapOptions,
    seed: number,
  ) {
    super();
    const stream = (name: string): RandomStream => new RandomStream(seed, `threads-and-heap/${name}`);
    this.firstObject = threadSlots(options);
    this.threads = new SlotPool(this.firstObject);
    this.objects = new SlotPool(heapSlots(options));
    this.generation = new Int32Array(this.firstObject);
    this.objectBytes = new Float64Array(heapSlots(options));
    this.stacks = stream('stack');
    this.lifetimes = stream('lifetime');
    this.sizes = stream('size');
    this.victims = stream('victim');
    this.storms = stream('storm');
    this.cpus = stream('cpu');
    this.prepare();
  }

  next(): boolean {
    const { queue } = this;
    while (!this.continueEvent()) {
      if (queue.length === 0) return false;
      this.time = queue.firstTime;
      const due = queue.firstKind;
      const payload = queue.firstPayload;
      const generation = queue.firstHandler;
      queue.pop();
      if (this.handle(due, payload, generation)) return true;
    }
    return true;
  }

  /** Queues the first event of each process. */
  private prepare(): void {
    const { options } = this;
    if (options.threads > 0) this.at(this.threadTime(1), Due.thread, 1);
    if (options.heapBytes > 0) this.at(0, Due.heap, 0);
    if (options.heapBytes > 0 && options.replaceNs > 0) this.at(options.rampNs, Due.replace, 0);
    for (let storm = 0; storm < options.storms; storm++) this.at(stormStart(options, storm), Due.storm, 1);
    if (options.driverLoads > 0) this.at(this.phase(PHASES.drivers), Due.driver, 0);
    if (options.pressureNs > 0) this.at(options.pressureNs, Due.pressure, 0);
    if (options.drain) this.at(this.phase(PHASES.drain), Due.drain, 0);
  }

  /** Goes on with the present event; false when it is done. */
  private continueEvent(): boolean {
    if (this.isDraining) {
      if (this.threads.live > 0) return this.end(this.threads.pick(this.storms));
      this.isDraining = false;
    }
    if (this.wantsThread) {
      this.wantsThread = false;
      return this.create(this.kindOfNext);
    }
    return this.wantedBytes > 0 && this.makeRoom();
  }

  /** Whether the event became a request. */
  private handle(due: number, payload: number, generation: number): boolean {
    switch (due) {
      case Due.thread:
        if (payload < this.options.threads) this.at(this.threadTime(payload + 1), Due.thread, payload + 1);
        return this.create(this.kindAtFirst);
      case Due.heap:
        return this.grow();
      case Due.replace:
        return this.replace();
      case Due.exit:
      case Due.stormExit:
        if (this.generation[payload] !== generation) return false;
        this.wantsThread = due === Due.exit;
        return this.end(payload);
      case Due.storm:
        return this.forkInStorm(payload);
      case Due.driver:
        return this.loadDriver();
      case Due.pressure:
        return this.press();
      default:
        this.isDraining = true;
        return false;
    }
  }

  /** Queues an event, unless it lies behind the end. */
  private at(time: Nanoseconds, due: number, payload: number, generation = 0): void {
    if (time <= this.options.durationNs) this.queue.push(time, 0, generation, due, payload);
  }

  private phase(percent: number): Nanoseconds {
    return Math.floor((this.options.durationNs * percent) / 100);
  }

  private threadTime(number: number): Nanoseconds {
    return Math.floor((this.options.rampNs / this.options.threads) * number);
  }

  /** The stack of a thread whose kind of life is drawn, if threads have lives. */
  private create(kinds: AliasTable): boolean {
    const slot = this.fork();
    if (this.options.churn && slot !== NO_SLOT) {
      const life = drawExponential(this.lifetimes, LIFE_NS[kinds.draw(this.lifetimes)]!);
      this.at(this.time + life, Due.exit, slot, this.generation[slot]!);
    }
    return slot !== NO_SLOT;
  }

  /** The request for a new thread's stack. */
  private fork(): number {
    const slot = this.threads.take();
    if (slot === NO_SLOT) return NO_SLOT;
    const { stackBytes, largePerMille } = this.options;
    const isLarge = largePerMille > 0 && this.stacks.below(1000) < largePerMille;
    const extra = isLarge ? LARGE_EXTRA[this.largeSize.draw(this.stacks)]! : 0;
    this.ask(slot, RequestClass.kstack, stackBytes + extra);
    return slot;
  }

  private end(slot: number): boolean {
    this.threads.release(slot);
    this.generation[slot]!++;
    return this.giveBack(slot);
  }

  /** An object of the ramp: the next one comes when the heap should have the bytes that then live. */
  private grow(): boolean {
    const { heapBytes, rampNs } = this.options;
    const size = this.drawSize();
    if (this.heapLive + size > heapBytes) return false;
    this.addObject(size);
    this.at(Math.floor((rampNs / heapBytes) * this.heapLive), Due.heap, 0);
    return true;
  }

  private replace(): boolean {
    this.at(this.time + drawExponential(this.victims, this.options.replaceNs), Due.replace, 0);
    this.wantedBytes = this.drawSize();
    return this.makeRoom();
  }

  /** Frees one random object, or allocates the wanted one if it fits below the target. */
  private makeRoom(): boolean {
    const size = this.wantedBytes;
    if (this.heapLive + size <= this.options.heapBytes) {
      this.wantedBytes = 0;
      return this.addObject(size);
    }
    if (this.objects.live === 0) {
      this.wantedBytes = 0;
      return false;
    }
    const object = this.objects.pick(this.victims);
    this.objects.release(object);
    this.heapLive -= this.objectBytes[object]!;
    return this.giveBack(this.firstObject + object);
  }

  private addObject(size: Bytes): boolean {
    const object = this.objects.take();
    if (object === NO_SLOT) return false;
    this.heapLive += size;
    this.objectBytes[object] = size;
    const cls = size > this.options.largestKmem ? RequestClass.va : RequestClass.kmem;
    return this.ask(this.firstObject + object, cls, size);
  }

  private drawSize(): Bytes {
    const { unitBytes } = this.options;
    if (unitBytes > 0) return unitBytes;
    const sizes = HEAP_SIZES[this.range.draw(this.sizes)]!;
    return sizes[this.sizes.below(sizes.length)]!;
  }

  /** The `number`-th thread of a storm: it exits at a random time of the second half, unless it is one that stays. */
  private forkInStorm(number: number): boolean {
    const { stormThreads, stormNs, stayPerMille } = this.options;
    const spacing = Math.floor(stormNs / stormThreads);
    if (number < stormThreads) this.at(this.time + spacing, Due.storm, number + 1);
    const slot = this.fork();
    if (slot === NO_SLOT) return false;
    const stays = this.storms.below(1000) < stayPerMille;
    const left = stormNs - (number - 1) * spacing;
    const exit = this.time + left + this.storms.below(stormNs);
    if (!stays) this.at(exit, Due.stormExit, slot, this.generation[slot]!);
    return true;
  }

  private loadDriver(): boolean {
    const { driverLoads, driverBytes } = this.options;
    const slot = this.firstObject + this.objects.limit + this.drivers++;
    if (this.drivers < driverLoads) this.at(this.time + DRIVER_SPACING, Due.driver, 0);
    return this.ask(slot, RequestClass.va, driverBytes);
  }

  private press(): boolean {
    this.at(this.time + this.options.pressureNs, Due.pressure, 0);
    this.op = RequestOp.reclaim;
    this.chooseCpu();
    return true;
  }

  private ask(slot: number, cls: RequestClass, size: Bytes): boolean {
    this.op = RequestOp.alloc;
    this.object = slot;
    this.cls = cls;
    this.size = size;
    this.chooseCpu();
    return true;
  }

  private giveBack(slot: number): boolean {
    this.op = RequestOp.free;
    this.object = slot;
    this.chooseCpu();
    return true;
  }

  private chooseCpu(): void {
    this.cpu = this.options.cpus === 1 ? 0 : this.cpus.below(this.options.cpus);
  }
}

import { EventQueue } from '../core/event-queue.js';
import { AliasTable, RandomStream } from '../core/random.js';
import { RequestClass, RequestOp } from '../core/request.js';
import type { Bytes, Nanoseconds } from '../core/units.js';
import { drawExponential } from './exponential.js';
import type { KmemObjects } from './kmem-objects.js';
import { RequestSource } from './request-source.js';
import { NO_SLOT, SlotPool } from './slot-pool.js';

/** A kernel heap under load; see KmemSource. */
export interface KmemOptions {
  readonly objects: readonly KmemObjects[];
  /** Mean lifetimes, short, medium, long. */
  readonly lifeNs: readonly Nanoseconds[];
  /** Mean population of objects, large buffers not counted. */
  readonly live: number;
  /** Time in which the first population is made. */
  readonly rampNs: Nanoseconds;
  /** The run ends then; what lives is left. */
  readonly durationNs: Nanoseconds;
  /** Load changes after each of these; 0: never. */
  readonly phaseNs: Nanoseconds;
  /** Arrivals in every other phase, in percent of those in the first. */
  readonly phasePercent: number;
  readonly cpus: number;
  /** Of 100 objects, this many are freed on another CPU than the one that allocated them. */
  readonly migratePercent: number;
  readonly largeBytes: Bytes;
  /** Large buffers that are kept; 0: none. */
  readonly largeCount: number;
  /** Mean time between two large buffers. */
  readonly largeEveryNs: Nanoseconds;
  /** Time between two pressures on memory; 0: none. */
  readonly pressureNs: Nanoseconds;
  /** Share of the large buffers that are given up under pressure. */
  readonly pressurePercent: number;
}

const Kind = { ramp: 0, arrival: 1, death: 2, large: 3, pressure: 4 } as const;

/** First population: weights are rounded to this many parts, exact in every engine. */
const PARTS = 2 ** 32;

/** Mean time between two arrivals that keeps the population, by Little's law. */
export function meanKmemInterval({ objects, lifeNs, live }: KmemOptions): number {
  const weights = objects.reduce((sum, { weight }) => sum + weight, 0);
  const lives = objects.reduce((sum, { weight, life }) => sum + weight * lifeNs[life]!, 0);
  return lives / weights / live;
}

/** Slots of objects, then those of the large buffers. */
export function kmemSlots(options: KmemOptions): number {
  return objectSlots(options) + options.largeCount;
}

/** Twice the mean population of the busiest phase, and 1000: chance alone never gets there. */
function objectSlots({ live, phaseNs, phasePercent }: KmemOptions): number {
  const busiest = phaseNs === 0 ? live : Math.ceil((live * Math.max(100, phasePercent)) / 100);
  return 2 * busiest + 1000;
}

/**
 * Objects of a kernel heap. They arrive in a Poisson process, each of a cache of the preset, and live exponentially
 * with the mean of their cache; the rate keeps the mean population. The first population has the mixture of a
 * steady state, where long lives count for more. The load changes with the phases. An object may be freed on another
 * CPU than it was allocated on.
 *
 * Beside them a cache of large buffers, as the ARC of ZFS with its records of 128 KiB, grows to its target and then
 * gives up its oldest buffer for each new one. Under pressure it gives up a share of its buffers at once, the oldest
 * first, and all caches are asked to give back what they hold.
 *
 * Caches, lifetimes, arrivals, CPUs and large buffers are drawn from streams of their own.
 */
export class KmemSource extends RequestSource {
  private readonly queue = new EventQueue();
  private readonly slots: SlotPool;
  private readonly cpuOf: Uint16Array;
  private readonly interval: number;
  private readonly arriving: AliasTable;
  private readonly first: AliasTable;
  private readonly caches: RandomStream;
  private readonly lifetimes: RandomStream;
  private readonly arrivals: RandomStream;
  private readonly cpuStream: RandomStream;
  private readonly larges: RandomStream;
  private ramped = 0;
  /** Slot of the first large buffer. They are used in a ring; `oldest` counts from there. */
  private readonly firstLarge: number;
  private oldest = 0;
  private largeLive = 0;
  /** What the present event still has to ask for. */
  private evictions = 0;
  private wantsLarge = false;
  private wantsReclaim = false;

  constructor(
    private readonly options: KmemOptions,
    seed: number,
  ) {
    super();
    const stream = (name: string): RandomStream => new RandomStream(seed, `kmem/${name}`);
    this.cls = RequestClass.kmem;
    this.firstLarge = objectSlots(options);
    this.slots = new SlotPool(this.firstLarge);
    this.cpuOf = new Uint16Array(kmemSlots(options));
    this.interval = meanKmemInterval(options);
    this.arriving = new AliasTable(options.objects.map(({ weight }) => weight));
    this.first = lengthBiased(options);
    this.caches = stream('cache');
    this.lifetimes = stream('lifetime');
    this.arrivals = stream('arrival');
    this.cpuStream = stream('cpu');
    this.larges = stream('large');
    this.schedule(0, Kind.ramp);
    this.schedule(options.rampNs, Kind.arrival);
    if (options.largeCount > 0) this.schedule(0, Kind.large);
    if (options.pressureNs > 0) this.schedule(options.pressureNs, Kind.pressure);
  }

  next(): boolean {
    while (!this.continueEvent()) {
      const { queue } = this;
      if (!(queue.firstTime <= this.options.durationNs)) return false;
      this.time = queue.firstTime;
      const kind = queue.firstKind;
      const slot = queue.firstPayload;
      queue.pop();
      if (this.handle(kind, slot)) return true;
    }
    return true;
  }

  /** Asks for what is left of the present event; false when nothing is. */
  private continueEvent(): boolean {
    if (this.evictions > 0) return this.evict();
    if (this.wantsLarge) return this.allocateLarge();
    if (!this.wantsReclaim) return false;
    this.wantsReclaim = false;
    this.op = RequestOp.reclaim;
    this.cpu = this.anyCpu();
    return true;
  }

  /** Whether the event made a request. */
  private handle(kind: number, slot: number): boolean {
    switch (kind) {
      case Kind.ramp:
        return this.ramp();
      case Kind.arrival:
        this.schedule(this.time + this.drawInterval(), Kind.arrival);
        return this.allocate(this.arriving.draw(this.caches));
      case Kind.death:
        return this.die(slot);
      case Kind.large:
        return this.beginLarge();
      default:
        return this.beginPressure();
    }
  }

  private ramp(): boolean {
    const { live, rampNs } = this.options;
    this.ramped++;
    if (this.ramped < live) this.schedule(Math.floor((this.ramped * rampNs) / live), Kind.ramp);
    return this.allocate(this.first.draw(this.caches));
  }

  /** An arrival that finds all slots taken is not made: false. */
  private allocate(cache: number): boolean {
    const slot = this.slots.take();
    if (slot === NO_SLOT) return false;
    const { bytes, life } = this.options.objects[cache]!;
    const age = drawExponential(this.lifetimes, this.options.lifeNs[life]!);
    this.queue.push(this.time + age, 0, 0, Kind.death, slot);
    return this.allocateIn(slot, bytes);
  }

  private die(slot: number): boolean {
    const { cpus, migratePercent } = this.options;
    const cpu = this.cpuOf[slot]!;
    const migrates = cpus > 1 && this.cpuStream.below(100) < migratePercent;
    this.cpu = migrates ? (cpu + 1 + this.cpuStream.below(cpus - 1)) % cpus : cpu;
    this.op = RequestOp.free;
    this.object = slot;
    this.slots.release(slot);
    return true;
  }

  private beginLarge(): boolean {
    const { largeEveryNs, largeCount } = this.options;
    this.schedule(this.time + drawExponential(this.larges, largeEveryNs), Kind.large);
    this.wantsLarge = true;
    if (this.largeLive === largeCount) this.evictions = 1;
    return this.continueEvent();
  }

  private beginPressure(): boolean {
    const { pressureNs, pressurePercent } = this.options;
    this.schedule(this.time + pressureNs, Kind.pressure);
    this.evictions = Math.ceil((this.largeLive * pressurePercent) / 100);
    this.wantsReclaim = true;
    return this.continueEvent();
  }

  private allocateLarge(): boolean {
    this.wantsLarge = false;
    const place = (this.oldest + this.largeLive++) % this.options.largeCount;
    return this.allocateIn(this.firstLarge + place, this.options.largeBytes);
  }

  private evict(): boolean {
    this.op = RequestOp.free;
    this.object = this.firstLarge + this.oldest;
    this.cpu = this.anyCpu();
    this.oldest = (this.oldest + 1) % this.options.largeCount;
    this.largeLive--;
    this.evictions--;
    return true;
  }

  private allocateIn(slot: number, bytes: Bytes): boolean {
    this.op = RequestOp.alloc;
    this.object = slot;
    this.size = bytes;
    this.cpu = this.anyCpu();
    this.cpuOf[slot] = this.cpu;
    return true;
  }

  private anyCpu(): number {
    return this.options.cpus === 1 ? 0 : this.cpuStream.below(this.options.cpus);
  }

  private drawInterval(): Nanoseconds {
    const { phaseNs, phasePercent } = this.options;
    const isOther = phaseNs > 0 && Math.floor(this.time / phaseNs) % 2 === 1;
    return drawExponential(this.arrivals, isOther ? (this.interval * 100) / phasePercent : this.interval);
  }

  private schedule(time: Nanoseconds, kind: number): void {
    this.queue.push(time, 0, 0, kind, NO_SLOT);
  }
}

/** Chances of the caches in a steady state: arrivals times lifetime. */
function lengthBiased({ objects, lifeNs }: KmemOptions): AliasTable {
  const lives = objects.map(({ weight, life }) => weight * lifeNs[life]!);
  const total = lives.reduce((sum, value) => sum + value, 0);
  return new AliasTable(lives.map((value) => Math.floor((value / total) * PARTS)));
}

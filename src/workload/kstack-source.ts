import { EventQueue } from '../core/event-queue.js';
import { AliasTable, RandomStream } from '../core/random.js';
import { RequestClass, RequestOp } from '../core/request.js';
import type { Bytes, Nanoseconds } from '../core/units.js';
import { drawExponential } from './exponential.js';
import { RequestSource } from './request-source.js';
import { NO_SLOT, SlotPool } from './slot-pool.js';

/** Kinds of threads whose lifetimes are drawn: share of the arrivals, and mean lifetime. */
export interface ThreadLife {
  /** Out of the sum of all shares. */
  readonly share: number;
  readonly meanNs: Nanoseconds;
}

/** Threads of a system; see KstackSource. */
export interface KstackOptions {
  readonly stackBytes: Bytes;
  /** Stacks of another size, out of 1000. */
  readonly largePerMille: number;
  /** Live at most; a creation above it does not take place. */
  readonly maxThreads: number;
  readonly daemons: number;
  /** Threads that come and go: mean population. 0: none. */
  readonly threads: number;
  /** Request, session and service threads. */
  readonly lives: readonly [ThreadLife, ThreadLife, ThreadLife];
  readonly rampNs: Nanoseconds;
  /** Mean number of threads that arrive together; 1 is a Poisson process. */
  readonly burst: number;
  /** Between the threads of a burst, of a storm, of a pool that changes. */
  readonly spacingNs: Nanoseconds;
  readonly pools: number;
  readonly poolMin: number;
  readonly poolMax: number;
  readonly poolEveryNs: Nanoseconds;
  /** Threads of a fork storm; 0: none. */
  readonly stormThreads: number;
  readonly stormEveryNs: Nanoseconds;
  readonly stormLifeNs: Nanoseconds;
  /** Mean time between swap-outs; 0: none. */
  readonly swapEveryNs: Nanoseconds;
  /** Mean time that a stack stays swapped out. */
  readonly swapLifeNs: Nanoseconds;
  readonly durationNs: Nanoseconds;
  /** The source ends with this many creations; 0: no limit. */
  readonly creations: number;
  readonly cpus: number;
}

/** Events of the source's own queue. The payload is a thread, a pool, or a number of threads. */
const Due = {
  daemon: 0,
  ramp: 1,
  arrival: 2,
  burst: 3,
  storm: 4,
  stormFork: 5,
  poolResize: 6,
  poolStep: 7,
  poolRetire: 8,
  exit: 9,
  swapOut: 10,
  swapIn: 11,
} as const;

/** Kinds of threads. The first three are `lives`; from `session` on a thread may be idle and be swapped out. */
const Kind = { request: 0, session: 1, service: 2, pooled: 3, daemon: 4, storm: 5 } as const;

/** Large stacks are these multiples of the default, with these weights. */
const LARGE_MULTIPLES = [2, 4, 8];
const LARGE_WEIGHTS = [5, 3, 2];

/** The largest stack that the options lead to. */
export function largestStack({ stackBytes, largePerMille }: KstackOptions): Bytes {
  return largePerMille === 0 ? stackBytes : stackBytes * LARGE_MULTIPLES.at(-1)!;
}

/** Mean time between two arrivals (bursts count once) that keeps the population, by Little's law. */
export function meanArrivalInterval({ threads, lives, burst }: KstackOptions): number {
  const shares = lives.reduce((sum, { share }) => sum + share, 0);
  const meanLife = lives.reduce((sum, { share, meanNs }) => sum + (share / shares) * meanNs, 0);
  return (meanLife * burst) / threads;
}

/**
 * Creations and exits of kernel threads, and swapping of idle stacks. Daemons start with the system and stay. Threads
 * of three kinds, by their mean lifetimes, arrive in a Poisson process of bursts; lifetimes are exponential, and the
 * arrival rate keeps the mean population. The first population, created during the ramp, has the mixture of kinds that
 * a system has in its steady state, where long lives count for more: so the steady state begins with the end of the
 * ramp. Pools change their size to a random one from time to time. Fork storms come regularly.
 *
 * A stack that is swapped out comes back after a while, or when its thread exits, for a thread must run to do so.
 * Every kind of draw has a stream of its own.
 */
export class KstackSource extends RequestSource {
  private readonly queue = new EventQueue();
  private readonly slots: SlotPool;
  private readonly kind: Uint8Array;
  private readonly bytes: Float64Array;
  private readonly isOut: Uint8Array;
  /** Changes when a thread exits and when its stack goes out, so that a swap-in that is out of date is known. */
  private readonly generation: Int32Array;
  private readonly poolMembers: Int32Array;
  private readonly poolSize: Int32Array;
  private readonly poolTarget: Int32Array;
  private readonly poolIsChanging: Uint8Array;
  private readonly arrivalInterval: number;
  private readonly kindOfArrival: AliasTable;
  private readonly kindAtFirst: AliasTable;
  private readonly largeSize = new AliasTable(LARGE_WEIGHTS);
  private readonly arrivals: RandomStream;
  private readonly lifetimes: RandomStream;
  private readonly sizes: RandomStream;
  private readonly cpus: RandomStream;
  private readonly pools: RandomStream;
  private readonly storms: RandomStream;
  private readonly swaps: RandomStream;
  private created = 0;

  constructor(
    private readonly options: KstackOptions,
    seed: number,
  ) {
    super();
    const { maxThreads, pools, poolMax, lives } = options;
    const stream = (name: string): RandomStream => new RandomStream(seed, `kstack/${name}`);
    this.cls = RequestClass.kstack;
    this.slots = new SlotPool(maxThreads);
    this.kind = new Uint8Array(maxThreads);
    this.bytes = new Float64Array(maxThreads);
    this.isOut = new Uint8Array(maxThreads);
    this.generation = new Int32Array(maxThreads);
    this.poolMembers = new Int32Array(pools * poolMax);
    this.poolSize = new Int32Array(pools);
    this.poolTarget = new Int32Array(pools);
    this.poolIsChanging = new Uint8Array(pools);
    this.arrivalInterval = meanArrivalInterval(options);
    this.kindOfArrival = new AliasTable(lives.map(({ share }) => share));
    this.kindAtFirst = lengthBiased(lives);
    this.arrivals = stream('arrival');
    this.lifetimes = stream('lifetime');
    this.sizes = stream('size');
    this.cpus = stream('cpu');
    this.pools = stream('pool');
    this.storms = stream('storm');
    this.swaps = stream('swap');
    this.prepare();
  }

  next(): boolean {
    const { queue } = this;
    const { creations } = this.options;
    while (queue.length > 0 && (creations === 0 || this.created < creations)) {
      this.time = queue.firstTime;
      const due = queue.firstKind;
      const payload = queue.firstPayload;
      const generation = queue.firstHandler;
      queue.pop();
      if (this.handle(due, payload, generation)) return true;
    }
    return false;
  }

  /** Queues the first event of each process. */
  private prepare(): void {
    const { daemons, threads, pools, stormThreads, stormEveryNs, swapEveryNs } = this.options;
    if (daemons > 0) this.after(0, Due.daemon, 1);
    for (let pool = 0; pool < pools; pool++) this.after(0, Due.poolResize, pool);
    if (threads > 0) {
      this.after(this.rampTime(1), Due.ramp, 1);
      this.after(drawExponential(this.arrivals, this.arrivalInterval), Due.arrival, 0);
    }
    if (stormThreads > 0) this.after(stormEveryNs, Due.storm, 0);
    if (swapEveryNs > 0) this.after(drawExponential(this.swaps, swapEveryNs), Due.swapOut, 0);
  }

  /** Whether the event became a request. */
  private handle(due: number, payload: number, generation: number): boolean {
    switch (due) {
      case Due.daemon:
        return this.startDaemon(payload);
      case Due.ramp:
        return this.fillUp(payload);
      case Due.arrival:
        return this.arrive();
      case Due.burst:
        return this.followBurst(payload);
      case Due.storm:
        return this.beginStorm();
      case Due.stormFork:
        return this.forkInStorm(payload);
      case Due.poolResize:
        return this.resizePool(payload);
      case Due.poolStep:
        return this.stepPool(payload);
      case Due.poolRetire:
        return this.retireLast(payload);
      case Due.exit:
        return this.exit(payload);
      case Due.swapOut:
        return this.swapOut();
      default:
        return this.swapIn(payload, generation);
    }
  }

  /** Queues an event, unless it lies behind the end. */
  private after(delay: Nanoseconds, due: number, payload: number, generation = 0): void {
    const time = this.time + delay;
    if (time <= this.options.durationNs) this.queue.push(time, 0, generation, due, payload);
  }

  private startDaemon(number: number): boolean {
    if (number < this.options.daemons) this.after(this.options.spacingNs, Due.daemon, number + 1);
    return this.create(Kind.daemon) !== NO_SLOT;
  }

  private fillUp(number: number): boolean {
    if (number < this.options.threads) {
      this.after(this.rampTime(number + 1) - this.time, Due.ramp, number + 1);
    }
    return this.createMortal(this.kindAtFirst.draw(this.lifetimes));
  }

  private rampTime(number: number): Nanoseconds {
    const { rampNs, threads } = this.options;
    return Math.floor((rampNs / threads) * number);
  }

  private arrive(): boolean {
    const { burst, spacingNs } = this.options;
    this.after(drawExponential(this.arrivals, this.arrivalInterval), Due.arrival, 0);
    const others = burst === 1 ? 0 : this.arrivals.below(2 * burst - 1);
    if (others > 0) this.after(spacingNs, Due.burst, others);
    return this.createMortal(this.kindOfArrival.draw(this.lifetimes));
  }

  private followBurst(left: number): boolean {
    if (left > 1) this.after(this.options.spacingNs, Due.burst, left - 1);
    return this.createMortal(this.kindOfArrival.draw(this.lifetimes));
  }

  private beginStorm(): boolean {
    const { stormThreads, stormEveryNs } = this.options;
    this.after(stormEveryNs, Due.storm, 0);
    return this.forkInStorm(stormThreads);
  }

  private forkInStorm(left: number): boolean {
    const { spacingNs, stormLifeNs } = this.options;
    if (left > 1) this.after(spacingNs, Due.stormFork, left - 1);
    const slot = this.create(Kind.storm);
    if (slot === NO_SLOT) return false;
    this.after(drawExponential(this.storms, stormLifeNs), Due.exit, slot);
    return true;
  }

  private resizePool(pool: number): boolean {
    const { poolMin, poolMax, poolEveryNs } = this.options;
    this.after(drawExponential(this.pools, poolEveryNs), Due.poolResize, pool);
    this.poolTarget[pool] = poolMin + this.pools.below(poolMax - poolMin + 1);
    if (this.poolIsChanging[pool] === 1) return false;
    this.poolIsChanging[pool] = 1;
    return this.stepPool(pool);
  }

  /** Starts or retires one worker, and goes on after a while until the pool has its size or there may be no thread. */
  private stepPool(pool: number): boolean {
    const size = this.poolSize[pool]!;
    const target = this.poolTarget[pool]!;
    if (size === target) {
      this.poolIsChanging[pool] = 0;
      return false;
    }
    if (size > target) {
      this.after(this.options.spacingNs, Due.poolStep, pool);
      return this.retireAny(pool);
    }
    const slot = this.create(Kind.pooled);
    if (slot === NO_SLOT) {
      this.poolIsChanging[pool] = 0;
      return false;
    }
    this.after(this.options.spacingNs, Due.poolStep, pool);
    this.poolMembers[pool * this.options.poolMax + size] = slot;
    this.poolSize[pool] = size + 1;
    return true;
  }

  private retireAny(pool: number): boolean {
    const { poolMembers } = this;
    const first = pool * this.options.poolMax;
    const last = first + this.poolSize[pool]! - 1;
    const chosen = first + this.pools.below(this.poolSize[pool]!);
    const slot = poolMembers[chosen]!;
    poolMembers[chosen] = poolMembers[last]!;
    poolMembers[last] = slot;
    return this.retireLast(pool);
  }

  private retireLast(pool: number): boolean {
    const last = pool * this.options.poolMax + this.poolSize[pool]! - 1;
    const slot = this.poolMembers[last]!;
    if (this.isOut[slot] === 1) {
      this.after(0, Due.poolRetire, pool);
      return this.bringIn(slot);
    }
    this.poolSize[pool]!--;
    return this.end(slot);
  }

  /** A thread whose lifetime is drawn. */
  private createMortal(kind: number): boolean {
    const slot = this.create(kind);
    if (slot === NO_SLOT) return false;
    this.after(drawExponential(this.lifetimes, this.options.lives[kind]!.meanNs), Due.exit, slot);
    return true;
  }

  /** Makes the request for a new thread's stack; NO_SLOT if there may be no more threads. */
  private create(kind: number): number {
    const slot = this.slots.take();
    if (slot === NO_SLOT) return NO_SLOT;
    this.created++;
    this.kind[slot] = kind;
    this.bytes[slot] = this.options.stackBytes;
    if (this.sizes.below(1000) < this.options.largePerMille) {
      this.bytes[slot] = this.options.stackBytes * LARGE_MULTIPLES[this.largeSize.draw(this.sizes)]!;
    }
    this.request(RequestOp.alloc, slot);
    return slot;
  }

  /** A thread ends its life by itself. Its slot still has the life that this event was made for. */
  private exit(slot: number): boolean {
    if (this.isOut[slot] === 0) return this.end(slot);
    this.after(0, Due.exit, slot);
    return this.bringIn(slot);
  }

  private end(slot: number): boolean {
    this.slots.release(slot);
    this.generation[slot]!++;
    return this.request(RequestOp.free, slot);
  }

  /** An idle thread's stack goes out, if the thread that is looked at is idle. */
  private swapOut(): boolean {
    const { swapEveryNs, swapLifeNs } = this.options;
    this.after(drawExponential(this.swaps, swapEveryNs), Due.swapOut, 0);
    if (this.slots.live === 0) return false;
    const slot = this.slots.pick(this.swaps);
    const kind = this.kind[slot]!;
    if (this.isOut[slot] === 1 || kind === Kind.request || kind === Kind.storm) return false;
    this.isOut[slot] = 1;
    this.after(drawExponential(this.swaps, swapLifeNs), Due.swapIn, slot, ++this.generation[slot]!);
    return this.request(RequestOp.swapOut, slot);
  }

  private swapIn(slot: number, generation: number): boolean {
    return this.isOut[slot] === 1 && this.generation[slot] === generation && this.bringIn(slot);
  }

  private bringIn(slot: number): boolean {
    this.isOut[slot] = 0;
    return this.request(RequestOp.swapIn, slot);
  }

  private request(op: RequestOp, slot: number): boolean {
    this.op = op;
    this.object = slot;
    this.size = this.bytes[slot]!;
    this.cpu = this.options.cpus === 1 ? 0 : this.cpus.below(this.options.cpus);
    return true;
  }
}

/** Draws the kind of a thread that is found in the steady state: shares times mean lifetimes. */
function lengthBiased(lives: readonly ThreadLife[]): AliasTable {
  const weights = lives.map(({ share, meanNs }) => share * meanNs);
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return new AliasTable(weights.map((weight) => Math.floor((weight / total) * 2 ** 40)));
}

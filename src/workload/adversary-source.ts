import { type RequestClass, RequestOp } from '../core/request.js';
import type { Bytes, Nanoseconds } from '../core/units.js';
import { RequestSource } from './request-source.js';
import { SlotPool } from './slot-pool.js';
import { SteadyPace } from './steady-pace.js';

/** A program against placement policies; see AdversarySource. */
export interface AdversaryOptions {
  /** Class of every request. */
  readonly cls: RequestClass;
  /** `robson`: sizes 1, 2, 4, … up to the largest; `checkerboard`: 1, then the largest at once. */
  readonly pattern: 'robson' | 'checkerboard';
  /** Smallest size. */
  readonly unitBytes: Bytes;
  /** Largest size in units: of `robson` a power of two, at least 2. */
  readonly largestUnits: number;
  /** Units that are live at most: M. */
  readonly liveUnits: number;
  readonly meanIntervalNs: Nanoseconds;
  /** Each operation is on any of these CPUs with the same chance. */
  readonly cpus: number;
}

/**
 * Robson's program against every placement policy, in a form that does not see addresses.
 *
 * Phase 0 allocates M objects of one unit. Phase i first frees all objects but those that cover an address
 * ≡ f_i (mod 2^i), where f_i is f_(i−1) or f_(i−1) + 2^(i−1), whichever keeps more room blocked, and then allocates
 * objects of 2^i units until M units are live. Below the highest survivor no hole has 2^i units, so that each new
 * object lies above all others.
 *
 * Robson lets the program see each address. This one takes them to be those of a policy that carves an empty arena
 * from its low end: first fit and best fit do, for as long as no hole fits. They need M·(½·log2 n + 1) − n + 1 units
 * of address space for n = `largestUnits`, if M is a multiple of n, and no allocator could do with less if it saw the
 * whole program [Robson74]. A policy that places otherwise meets a program that was not made for it: the program that
 * follows its addresses is out of reach of an open-loop workload, so that its figure is no bound for it.
 *
 * `checkerboard` stops after phase 1 and asks for the largest size there: half of M is free and of no use.
 *
 * Only time and CPU are drawn, see SteadyPace; the requests are the same for every seed.
 */
export class AdversarySource extends RequestSource {
  private readonly pace: SteadyPace;
  private readonly slots: SlotPool;
  /** By slot, in units: where first fit puts the object, and its size. */
  private readonly start: Float64Array;
  private readonly units: Float64Array;
  /** Live slots in ascending order of address. */
  private readonly order: Int32Array;
  private count = 0;
  private liveUnits = 0;
  /** Size that the present phase allocates. */
  private phaseUnits = 1;
  /** Survivors of the present phase cover an address ≡ offset (mod period). */
  private period = 1;
  private offset = 0;
  /** While objects are freed: the next one to look at, and how many were kept. */
  private scanned = 0;
  private kept = 0;
  private isFreeing = false;

  constructor(
    private readonly options: AdversaryOptions,
    seed: number,
  ) {
    super();
    const limit = options.liveUnits;
    this.cls = options.cls;
    this.pace = new SteadyPace(options.meanIntervalNs, options.cpus, seed, 'adversary');
    this.slots = new SlotPool(limit);
    this.start = new Float64Array(limit);
    this.units = new Float64Array(limit);
    this.order = new Int32Array(limit);
  }

  next(): boolean {
    for (;;) {
      if (this.isFreeing && this.freeNext()) return true;
      if (this.liveUnits + this.phaseUnits <= this.options.liveUnits) return this.allocate();
      if (this.phaseUnits === this.options.largestUnits) return false;
      this.beginPhase();
    }
  }

  private allocate(): boolean {
    const slot = this.slots.take();
    this.start[slot] = this.top();
    this.units[slot] = this.phaseUnits;
    this.order[this.count++] = slot;
    this.liveUnits += this.phaseUnits;
    this.op = RequestOp.alloc;
    this.size = this.phaseUnits * this.options.unitBytes;
    return this.ask(slot);
  }

  private beginPhase(): void {
    const { pattern, largestUnits } = this.options;
    const step = this.period;
    this.period *= 2;
    if (this.blocked(this.offset + step) > this.blocked(this.offset)) this.offset += step;
    this.phaseUnits = pattern === 'robson' ? this.period : largestUnits;
    this.scanned = 0;
    this.kept = 0;
    this.isFreeing = true;
  }

  /** Frees the next object that is not to survive; when all have been looked at, returns false. */
  private freeNext(): boolean {
    while (this.scanned < this.count) {
      const slot = this.order[this.scanned++]!;
      if (this.covers(slot, this.offset)) this.order[this.kept++] = slot;
      else {
        this.slots.release(slot);
        this.liveUnits -= this.units[slot]!;
        this.op = RequestOp.free;
        return this.ask(slot);
      }
    }
    this.count = this.kept;
    this.isFreeing = false;
    return false;
  }

  private ask(slot: number): boolean {
    this.object = slot;
    this.pace.step(this);
    return true;
  }

  /** End of the highest object. */
  private top(): number {
    if (this.count === 0) return 0;
    const highest = this.order[this.count - 1]!;
    return this.start[highest]! + this.units[highest]!;
  }

  /** Whether the object lies on an address ≡ offset (mod period). */
  private covers(slot: number, offset: number): boolean {
    const start = this.start[slot]!;
    const rest = (start - offset) % this.period;
    const ahead = rest === 0 ? 0 : rest > 0 ? this.period - rest : -rest;
    return ahead < this.units[slot]!;
  }

  /** Units that survivors at this offset keep from requests of `period` units beyond their own. */
  private blocked(offset: number): number {
    let sum = 0;
    for (let i = 0; i < this.count; i++) {
      const slot = this.order[i]!;
      if (this.covers(slot, offset)) sum += this.period - this.units[slot]!;
    }
    return sum;
  }
}

/** Operations of a program, counted by running it: the seed decides about times and CPUs only. */
export function countOperations(options: AdversaryOptions): number {
  const generator = new AdversarySource(options, 1);
  let count = 0;
  while (generator.next()) count++;
  return count;
}

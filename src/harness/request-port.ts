import type { Backend } from '../backend/contract.js';
import { NO_ADDRESS } from '../core/address.js';
import { MisuseError } from '../core/errors.js';
import {
  BROADER_CLASS,
  REQUEST_CLASS_NAMES,
  RequestOp,
  type RequestPort,
  UNCONSTRAINED,
} from '../core/request.js';
import type { Bytes, Nanoseconds } from '../core/units.js';
import { RequestFigures } from '../probe/request-figures.js';
import { Outcome } from '../probe/request-work.js';

/** What the port knows of an object slot. */
const SlotState = { never: 0, live: 1, failed: 2, unserved: 3, freed: 4 } as const;
const STATE_NAMES = Object.keys(SlotState);

const NOT_SERVED = 255;
const LARGEST_SIZE = 2 ** 53;
const TWO_32 = 2 ** 32;

/** Limits of what a workload may pass, and whether figures are kept. */
export interface PortOptions {
  /** Object slots are below this. */
  readonly objectLimit: number;
  /** CPU numbers are below this. */
  readonly cpus: number;
  /** Rows of the constraint table. */
  readonly constraints: number;
  /** False only when the replay itself is timed: then figures and placement digest stay at their start. */
  readonly recording: boolean;
  /** Simulated time; without it, lifetimes are 0. */
  readonly clock?: Clock;
}

/** What knows the simulated time. */
export interface Clock {
  readonly now: Nanoseconds;
}

const STOPPED: Clock = { now: 0 };

/**
 * The only way from a workload to a backend. It remembers what each object was given, so that a free needs the object
 * alone; refuses caller mistakes before they reach a model; keeps the running figures; and digests every address that
 * the backend answered, so that two runs with equal digests placed every object alike.
 *
 * Columns, a row per object slot: state, class, constraint, size (bytes), address, and while recording the
 * footprint and the time of the grant. Nothing is allocated per request.
 */
export class CheckedPort implements RequestPort {
  readonly figures = new RequestFigures();
  private readonly backend: Backend;
  private readonly objectLimit: number;
  private readonly cpus: number;
  private readonly constraints: number;
  private readonly recording: boolean;
  /** The class as which each class is served, or NOT_SERVED. */
  private readonly servedAs: Uint8Array;
  private readonly state: Uint8Array;
  /** What each slot holds, for recorders; meaningful for slots whose object is live. */
  readonly cls: Uint8Array;
  readonly size: Float64Array;
  readonly address: Float64Array;
  private readonly constraint: Int32Array;
  private readonly footprint: Float64Array;
  private readonly grantedAt: Float64Array;
  private readonly clock: Clock;
  private placementA = 0x811c9dc5 | 0;
  private placementB = 0x2b992ddf;

  constructor(backend: Backend, options: PortOptions) {
    this.backend = backend;
    this.objectLimit = options.objectLimit;
    this.cpus = options.cpus;
    this.constraints = options.constraints;
    this.recording = options.recording;
    this.servedAs = BROADER_CLASS.map((broader, cls) => {
      if (backend.serves.includes(cls)) return cls;
      return backend.serves.includes(broader) ? broader : NOT_SERVED;
    });
    this.state = new Uint8Array(options.objectLimit);
    this.cls = new Uint8Array(options.objectLimit);
    this.constraint = new Int32Array(options.objectLimit);
    this.size = new Float64Array(options.objectLimit);
    this.address = new Float64Array(options.objectLimit);
    this.footprint = new Float64Array(options.recording ? options.objectLimit : 0);
    this.grantedAt = new Float64Array(options.recording ? options.objectLimit : 0);
    this.clock = options.clock ?? STOPPED;
  }

  /** Digest of all answers so far in their order, 16 hex digits: equal placements have equal digests. */
  get placementDigest(): string {
    const words = [this.placementA, this.placementB];
    return words.map((word) => (word >>> 0).toString(16).padStart(8, '0')).join('');
  }

  /**
   * Asks the backend for an object; a class that it does not tell apart it serves as the broader one.
   * @throws MisuseError for an argument out of range or an object that is live.
   */
  alloc(object: number, asked: number, size: Bytes, constraint: number, cpu: number): boolean {
    this.checkAlloc(object, asked, size, constraint, cpu);
    const cls = this.servedAs[asked]!;
    this.cls[object] = cls;
    this.size[object] = size;
    if (cls === NOT_SERVED) {
      this.state[object] = SlotState.unserved;
      if (this.recording) this.figures.unserved++;
      return false;
    }
    this.constraint[object] = constraint;
    if (this.recording) this.figures.work.begin(this.backend);
    const address = this.backend.alloc(cls, size, constraint, cpu);
    this.address[object] = address;
    this.state[object] = address === NO_ADDRESS ? SlotState.failed : SlotState.live;
    if (this.recording) this.recordAlloc(object);
    return address !== NO_ADDRESS;
  }

  /**
   * Frees an object; one whose allocation failed is counted and skipped.
   * @throws MisuseError for an argument out of range or an object that was never allocated or is freed already.
   */
  free(object: number, cpu: number): void {
    this.checkObject(object, cpu);
    const state = this.state[object]!;
    this.state[object] = SlotState.freed;
    if (state === SlotState.live) {
      const cls = this.cls[object]!;
      const size = this.size[object]!;
      if (this.recording) this.figures.work.begin(this.backend);
      this.backend.free(cls, this.address[object]!, size, this.constraint[object]!, cpu);
      if (this.recording) this.recordFree(object);
      return;
    }
    if (state === SlotState.never || state === SlotState.freed) {
      this.state[object] = state;
      this.refuseFree('free of an object that is not allocated', object, cpu);
    }
    if (!this.recording) return;
    if (state === SlotState.failed) this.figures.skippedFrees++;
    else this.figures.unserved++;
  }

  /**
   * Does something to a live object that leaves it alive.
   * @throws MisuseError for an argument out of range or an object that was never allocated or is freed already.
   */
  act(object: number, op: number, amount: Bytes, cpu: number): void {
    this.checkObject(object, cpu);
    const state = this.state[object]!;
    const known = op >= RequestOp.swapOut && op <= RequestOp.deflate;
    const fits = amount >= 1 && amount <= this.size[object]! && Math.floor(amount) === amount;
    if (!(known && fits) || state === SlotState.never || state === SlotState.freed) {
      throw new MisuseError('bad action', { object, op, amount, cpu, ...this.limits(object) });
    }
    if (state !== SlotState.live || this.backend.act === undefined) {
      if (this.recording) this.figures.skippedActions++;
      return;
    }
    this.backend.act(op, this.cls[object]!, this.address[object]!, this.size[object]!, amount, cpu);
    if (this.recording) this.figures.actions++;
  }

  /** Has every cache of the backend give back what it can. @throws MisuseError for a CPU out of range. */
  reclaim(cpu: number): void {
    if (!(cpu >>> 0 === cpu && cpu < this.cpus)) this.refuseFree('CPU out of range', 0, cpu);
    this.backend.reap();
    if (this.recording) this.figures.actions++;
  }

  private checkObject(object: number, cpu: number): void {
    if (!(object >>> 0 === object && object < this.objectLimit))
      this.refuseFree('object out of range', object, cpu);
    if (!(cpu >>> 0 === cpu && cpu < this.cpus)) this.refuseFree('CPU out of range', object, cpu);
  }

  // The two that follow take the slot instead of its doubles: a double passed to a function is boxed.
  private recordAlloc(object: number): void {
    const { figures } = this;
    const size = this.size[object]!;
    const address = this.address[object]!;
    this.digest(object);
    figures.sizes.record(this.cls[object]!, size);
    const outcome = address === NO_ADDRESS ? Outcome.refused : Outcome.granted;
    figures.work.end(this.backend, this.cls[object]!, outcome);
    if (address === NO_ADDRESS) {
      figures.failures++;
      figures.refusals.record(this.backend, this.cls[object]!, size, this.constraint[object]!);
      return;
    }
    figures.allocs++;
    figures.liveObjects++;
    figures.liveBytes += size;
    const footprint = this.backend.footprint(this.cls[object]!, size);
    this.footprint[object] = footprint;
    this.grantedAt[object] = this.clock.now;
    figures.footprintBytes += footprint;
    if (figures.liveObjects > figures.peakLiveObjects) figures.peakLiveObjects = figures.liveObjects;
    if (figures.liveBytes > figures.peakLiveBytes) figures.peakLiveBytes = figures.liveBytes;
    if (figures.footprintBytes > figures.peakFootprintBytes) {
      figures.peakFootprintBytes = figures.footprintBytes;
    }
  }

  private recordFree(object: number): void {
    const { figures } = this;
    const size = this.size[object]!;
    figures.work.end(this.backend, this.cls[object]!, Outcome.freed);
    figures.lifetimes.record(this.cls[object]!, this.clock.now - this.grantedAt[object]!);
    figures.frees++;
    figures.liveObjects--;
    figures.liveBytes -= size;
    figures.footprintBytes -= this.footprint[object]!;
  }

  /** Mixes both halves of an address into two 32-bit lanes (multiply, then fold the high bits down). */
  private digest(object: number): void {
    const address = this.address[object]!;
    const low = address | 0;
    const high = (address / TWO_32) | 0;
    let a = Math.imul(this.placementA ^ low, 0x01000193);
    a = Math.imul(a ^ (a >>> 15) ^ high, 0x01000193);
    this.placementA = a ^ (a >>> 13);
    let b = Math.imul(this.placementB ^ high, 0x5bd1e995);
    b = Math.imul(b ^ (b >>> 13) ^ low, 0x5bd1e995);
    this.placementB = b ^ (b >>> 15);
  }

  private checkAlloc(object: number, cls: number, size: Bytes, constraint: number, cpu: number): void {
    let problem = '';
    if (!(object >>> 0 === object && object < this.objectLimit)) problem = 'object out of range';
    else if (this.state[object] === SlotState.live) problem = 'allocation of an object that is live';
    else if (!(cls >>> 0 === cls && cls < REQUEST_CLASS_NAMES.length)) problem = 'unknown request class';
    else if (!(size >= 1 && size <= LARGEST_SIZE && Math.floor(size) === size)) {
      problem = 'size is no integer from 1 to 2^53';
    } else if (
      !(constraint >= UNCONSTRAINED && constraint < this.constraints && (constraint | 0) === constraint)
    ) {
      problem = 'constraint out of range';
    } else if (!(cpu >>> 0 === cpu && cpu < this.cpus)) problem = 'CPU out of range';
    if (problem !== '') this.refuseAlloc(problem, object, cls, size, constraint, cpu);
  }

  private refuseAlloc(
    problem: string,
    object: number,
    cls: number,
    size: Bytes,
    constraint: number,
    cpu: number,
  ): never {
    throw new MisuseError(problem, { object, cls, size, constraint, cpu, ...this.limits(object) });
  }

  private refuseFree(problem: string, object: number, cpu: number): never {
    throw new MisuseError(problem, { object, cpu, ...this.limits(object) });
  }

  private limits(object: number): Record<string, unknown> {
    const state = STATE_NAMES[this.state[object] ?? -1] ?? 'none';
    return { state, objectLimit: this.objectLimit, cpus: this.cpus, constraints: this.constraints };
  }
}

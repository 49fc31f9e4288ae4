import { EventQueue } from '../core/event-queue.js';
import { RandomStream } from '../core/random.js';
import { RequestClass, RequestOp, UNCONSTRAINED } from '../core/request.js';
import { type Bytes, MIB, type Nanoseconds, roundDown, roundUp } from '../core/units.js';
import { drawExponential } from './exponential.js';
import type { GuestObserver, GuestStep } from './guest-life.js';
import { type GuestMix, GuestSizes } from './guest-sizes.js';
import { RequestSource } from './request-source.js';
import { NO_SLOT, SlotPool } from './slot-pool.js';

/** A fleet of virtual machines on one host; see GuestSource. */
export interface GuestOptions {
  readonly mix: GuestMix;
  /** Memory of the host. */
  readonly hostBytes: Bytes;
  /** Guests have at most this share of it, in per cent. */
  readonly fill: number;
  readonly maxGuests: number;
  readonly arrivalNs: Nanoseconds;
  /** Short lives, in per cent; the others are long. */
  readonly shortPercent: number;
  readonly shortLifeNs: Nanoseconds;
  readonly longLifeNs: Nanoseconds;
  /** Memory above this is a segment of its own; 0: one segment. */
  readonly splitBytes: Bytes;
  readonly romBytes: Bytes;
  readonly framebufferBytes: Bytes;
  /** Guests that have a frame buffer, in per cent. */
  readonly framebufferPercent: number;
  readonly releaseOrder: 'low-first' | 'high-first';
  /** Sizes are multiples of it; above 4 KiB so are addresses. */
  readonly pageBytes: Bytes;
  /** Guests that start with a device, in per cent. */
  readonly devicePercent: number;
  /** Mean times between such events anywhere in the fleet; 0: none. */
  readonly attachEveryNs: Nanoseconds;
  readonly balloonEveryNs: Nanoseconds;
  readonly hotplugEveryNs: Nanoseconds;
  readonly unplugEveryNs: Nanoseconds;
  /** Most devices that a guest has at a time. */
  readonly mostDevices: number;
  /** Attaches and plugs to running guests that fail at their last step and are rolled back, in per cent. */
  readonly attachFailurePercent: number;
  readonly plugFailurePercent: number;
  readonly balloonPercent: number;
  readonly dimmBytes: Bytes;
  /** Most DIMMs that a guest gets. */
  readonly dimms: number;
  readonly durationNs: Nanoseconds;
  readonly cpus: number;
}

/** Segments of a guest; DIMMs follow. Slot of a segment: guest × segments per guest + segment. */
const Segment = { low: 0, high: 1, rom: 2, framebuffer: 3, dimm: 4 } as const;

/** Guest memory behind pages of this size needs no alignment of its own. */
const SMALL_PAGE = 4096;

/**
 * Events of the source's own queue. From `boot` on they are jobs: the payload is a guest, the step counts. From `join`
 * on they are about the guest's last DIMM, which is shared with each of its devices, or taken from them and freed.
 */
const Due = {
  arrival: 0,
  hotplug: 1,
  unplug: 2,
  device: 3,
  balloon: 4,
  end: 5,
  boot: 6,
  attach: 7,
  detach: 8,
  inflate: 9,
  deflate: 10,
  destroy: 11,
  join: 12,
  remove: 13,
} as const;

/** Steps of a job come before new events of the same time. */
const Order = { job: 0, event: 1 } as const;

const State = { none: 0, running: 1, busy: 2 } as const;

/** What becomes of an attach or plug: it stays, is rolled back at once, or belongs to the start of its guest. */
const Course = { stays: 0, fails: 1, atStart: 2 } as const;

/** Memory that a segment may share with a device or a balloon. */
function isMemory(segment: number): boolean {
  return segment !== Segment.rom && segment !== Segment.framebuffer;
}

/**
 * Virtual machines that come and go on one host, each a few guest requests in the order of bhyve's arena era on
 * illumos: memory above 3 GiB first, then that below, boot ROM, frame buffer; freed by number: low, high, ROM, frame
 * buffer, DIMMs. Arrivals are a Poisson process; one that finds too little memory left on the host does not take place.
 * Lifetimes are a mixture of two exponential ones.
 *
 * A device that is passed through (VFIO) concerns all memory of its guest, DIMMs that are plugged in later included,
 * and keeps the balloon from moving; it is taken away before its guest ends. An attach or plug that fails is there for
 * no time: all of its requests are taken back at once. The DIMM plugged last is unplugged first. A balloon takes a
 * share of each memory segment, all at once, and gives it back at its next turn.
 */
export class GuestSource extends RequestSource {
  private readonly queue = new EventQueue();
  private readonly guests: SlotPool;
  private readonly segments: number;
  private readonly capBytes: Bytes;
  private usedBytes = 0;
  private readonly sizesOfGuests: GuestSizes;
  /** Per guest. */
  private readonly state: Uint8Array;
  private readonly devicesOf: Uint8Array;
  private readonly course: Uint8Array;
  private readonly isInflated: Uint8Array;
  private readonly isEnding: Uint8Array;
  private readonly dimmsOf: Uint16Array;
  /** Per slot: size of the segment, 0 where the guest has none; and what the balloon holds of it. */
  private readonly bytes: Float64Array;
  private readonly balloon: Float64Array;
  private readonly arrivals: RandomStream;
  private readonly sizes: RandomStream;
  private readonly lifetimes: RandomStream;
  private readonly devices: RandomStream;
  private readonly balloons: RandomStream;
  private readonly plugs: RandomStream;
  private readonly unplugs: RandomStream;
  private readonly choices: RandomStream;
  private readonly failures: RandomStream;
  private readonly cpus: RandomStream;

  constructor(
    private readonly options: GuestOptions,
    seed: number,
    private readonly observer?: GuestObserver,
  ) {
    super();
    const { maxGuests, dimms, hostBytes, fill, mix, pageBytes } = options;
    const stream = (name: string): RandomStream => new RandomStream(seed, `guest/${name}`);
    this.cls = RequestClass.guest;
    this.constraint = pageBytes > SMALL_PAGE ? 0 : UNCONSTRAINED;
    this.guests = new SlotPool(maxGuests);
    this.segments = segmentsPerGuest(dimms);
    this.capBytes = Math.floor((hostBytes / 100) * fill);
    this.sizesOfGuests = new GuestSizes(mix, hostBytes);
    this.state = new Uint8Array(maxGuests);
    this.devicesOf = new Uint8Array(maxGuests);
    this.course = new Uint8Array(maxGuests);
    this.isInflated = new Uint8Array(maxGuests);
    this.isEnding = new Uint8Array(maxGuests);
    this.dimmsOf = new Uint16Array(maxGuests);
    this.bytes = new Float64Array(maxGuests * this.segments);
    this.balloon = new Float64Array(maxGuests * this.segments);
    this.arrivals = stream('arrival');
    this.sizes = stream('size');
    this.lifetimes = stream('lifetime');
    this.devices = stream('device');
    this.balloons = stream('balloon');
    this.plugs = stream('hotplug');
    this.unplugs = stream('unplug');
    this.choices = stream('choice');
    this.failures = stream('failure');
    this.cpus = stream('cpu');
    this.prepare();
  }

  next(): boolean {
    const { queue } = this;
    while (queue.length > 0) {
      this.time = queue.firstTime;
      const due = queue.firstKind;
      const guest = queue.firstPayload;
      const step = queue.firstHandler;
      queue.pop();
      if (due >= Due.boot ? this.work(due, guest, step) : this.begin(due, guest)) return true;
    }
    return false;
  }

  private prepare(): void {
    const { arrivalNs, attachEveryNs, balloonEveryNs, hotplugEveryNs, unplugEveryNs } = this.options;
    this.after(drawExponential(this.arrivals, arrivalNs), Due.arrival, 0);
    if (attachEveryNs > 0) this.after(drawExponential(this.devices, attachEveryNs), Due.device, 0);
    if (balloonEveryNs > 0) this.after(drawExponential(this.balloons, balloonEveryNs), Due.balloon, 0);
    if (hotplugEveryNs > 0) this.after(drawExponential(this.plugs, hotplugEveryNs), Due.hotplug, 0);
    if (unplugEveryNs > 0) this.after(drawExponential(this.unplugs, unplugEveryNs), Due.unplug, 0);
  }

  /** Queues an event, unless it lies behind the end. */
  private after(delay: Nanoseconds, due: number, guest: number): void {
    const time = this.time + delay;
    if (time <= this.options.durationNs) this.queue.push(time, Order.event, 0, due, guest);
  }

  /** Queues a step of a job for this very time. */
  private step(due: number, guest: number, step: number): void {
    this.queue.push(this.time, Order.job, step, due, guest);
  }

  /** What begins a job; whether it became a request itself. */
  private begin(due: number, guest: number): boolean {
    switch (due) {
      case Due.arrival:
        return this.arrive();
      case Due.hotplug:
        return this.plugIn();
      case Due.unplug:
        return this.unplug();
      case Due.device:
        return this.moveDevice();
      case Due.balloon:
        return this.moveBalloon();
      default:
        return this.end(guest);
    }
  }

  private arrive(): boolean {
    this.after(drawExponential(this.arrivals, this.options.arrivalNs), Due.arrival, 0);
    const memory = roundUp(this.sizesOfGuests.draw(this.sizes), this.options.pageBytes);
    const hasFramebuffer = this.sizes.below(100) < this.options.framebufferPercent;
    const guest = this.usedBytes + memory > this.capBytes ? NO_SLOT : this.guests.take();
    if (guest === NO_SLOT) return false;
    this.layOut(guest, memory, hasFramebuffer);
    this.usedBytes += memory;
    this.state[guest] = State.busy;
    return this.work(Due.boot, guest, 0);
  }

  /** Sizes of the segments; those that the guest does not have are 0. */
  private layOut(guest: number, memory: Bytes, hasFramebuffer: boolean): void {
    const { splitBytes, romBytes, framebufferBytes, pageBytes } = this.options;
    const first = guest * this.segments;
    const low = splitBytes === 0 ? memory : Math.min(memory, splitBytes);
    this.bytes[first + Segment.low] = low;
    this.bytes[first + Segment.high] = memory - low;
    this.bytes[first + Segment.rom] = roundUp(romBytes, pageBytes);
    this.bytes[first + Segment.framebuffer] = hasFramebuffer ? roundUp(framebufferBytes, pageBytes) : 0;
  }

  /** A random guest that is not in the middle of something, or NO_SLOT. */
  private pick(stream: RandomStream): number {
    if (this.guests.live === 0) return NO_SLOT;
    const guest = this.guests.pick(stream);
    return this.state[guest] === State.running ? guest : NO_SLOT;
  }

  private plugIn(): boolean {
    const { hotplugEveryNs, dimms, dimmBytes } = this.options;
    this.after(drawExponential(this.plugs, hotplugEveryNs), Due.hotplug, 0);
    const guest = this.pick(this.plugs);
    const fits = this.usedBytes + dimmBytes <= this.capBytes;
    if (guest === NO_SLOT || this.dimmsOf[guest]! >= dimms || !fits) return false;
    const segment = Segment.dimm + this.dimmsOf[guest]!++;
    this.bytes[guest * this.segments + segment] = dimmBytes;
    this.usedBytes += dimmBytes;
    if (this.failsOf(this.options.plugFailurePercent)) this.course[guest] = Course.fails;
    this.step(Due.join, guest, 0);
    return this.request(RequestOp.alloc, guest, segment, dimmBytes);
  }

  private unplug(): boolean {
    this.after(drawExponential(this.unplugs, this.options.unplugEveryNs), Due.unplug, 0);
    const guest = this.pick(this.unplugs);
    if (guest === NO_SLOT || this.dimmsOf[guest] === 0) return false;
    return this.workOnDimm(Due.remove, guest, 0);
  }

  private moveDevice(): boolean {
    const { attachEveryNs, mostDevices, attachFailurePercent } = this.options;
    this.after(drawExponential(this.devices, attachEveryNs), Due.device, 0);
    const guest = this.pick(this.devices);
    if (guest === NO_SLOT || this.isInflated[guest] === 1) return false;
    const held = this.devicesOf[guest]!;
    const detaches = held > 0 && (held === mostDevices || this.choices.below(2) === 0);
    if (detaches) return this.work(Due.detach, guest, 0);
    if (this.failsOf(attachFailurePercent)) this.course[guest] = Course.fails;
    return this.work(Due.attach, guest, 0);
  }

  private failsOf(percent: number): boolean {
    return percent > 0 && this.failures.below(100) < percent;
  }

  private moveBalloon(): boolean {
    this.after(drawExponential(this.balloons, this.options.balloonEveryNs), Due.balloon, 0);
    const guest = this.pick(this.balloons);
    if (guest === NO_SLOT || this.devicesOf[guest]! > 0) return false;
    return this.work(this.isInflated[guest] === 1 ? Due.deflate : Due.inflate, guest, 0);
  }

  private end(guest: number): boolean {
    this.isEnding[guest] = 1;
    return this.work(this.devicesOf[guest]! > 0 ? Due.detach : Due.destroy, guest, 0);
  }

  /** Makes the request of a job's first step from `step` on that has one; the steps behind it follow. */
  private work(due: number, guest: number, step: number): boolean {
    if (due >= Due.join) return this.workOnDimm(due, guest, step);
    this.state[guest] = State.busy;
    for (let at = step; at < this.segments; at++) {
      const segment = this.segmentAt(due, at);
      if (this.bytes[guest * this.segments + segment]! > 0 && this.perform(due, guest, segment)) {
        this.step(due, guest, at + 1);
        return true;
      }
    }
    return this.finish(due, guest);
  }

  /** Gives the last DIMM to a device at each step, or takes it from one; then the job is done. */
  private workOnDimm(due: number, guest: number, step: number): boolean {
    const segment = Segment.dimm + this.dimmsOf[guest]! - 1;
    const size = this.bytes[guest * this.segments + segment]!;
    this.state[guest] = State.busy;
    if (step < this.devicesOf[guest]!) {
      this.step(due, guest, step + 1);
      return this.request(due === Due.join ? RequestOp.attach : RequestOp.detach, guest, segment, size);
    }
    this.state[guest] = State.running;
    return due === Due.join ? this.finishPlug(guest, size) : this.finishUnplug(guest, segment, size);
  }

  private finishPlug(guest: number, size: Bytes): boolean {
    const fails = this.course[guest] === Course.fails;
    this.tell('plug', guest, size, 0, fails);
    return fails && this.workOnDimm(Due.remove, guest, 0);
  }

  private finishUnplug(guest: number, segment: number, size: Bytes): boolean {
    if (this.course[guest] === Course.stays) this.tell('unplug', guest, size, 0, false);
    this.course[guest] = Course.stays;
    this.dimmsOf[guest]!--;
    return this.perform(Due.destroy, guest, segment);
  }

  /** The segment that a step is about: high memory is allocated before low, and on demand freed before it. */
  private segmentAt(due: number, step: number): number {
    const swapped = due === Due.boot || (due === Due.destroy && this.options.releaseOrder === 'high-first');
    return swapped && step <= Segment.high ? Segment.high - step : step;
  }

  private perform(due: number, guest: number, segment: number): boolean {
    const slot = guest * this.segments + segment;
    const size = this.bytes[slot]!;
    switch (due) {
      case Due.boot:
        return this.request(RequestOp.alloc, guest, segment, size);
      case Due.attach:
        return isMemory(segment) && this.request(RequestOp.attach, guest, segment, size);
      case Due.detach:
        return isMemory(segment) && this.request(RequestOp.detach, guest, segment, size);
      case Due.inflate:
        return isMemory(segment) && this.inflate(guest, segment);
      case Due.deflate:
        return this.deflate(guest, segment);
      default:
        this.bytes[slot] = 0;
        this.balloon[slot] = 0;
        if (isMemory(segment)) this.usedBytes -= size;
        return this.request(RequestOp.free, guest, segment, size);
    }
  }

  private inflate(guest: number, segment: number): boolean {
    const slot = guest * this.segments + segment;
    const { balloonPercent, pageBytes } = this.options;
    const amount = roundDown(Math.floor((this.bytes[slot]! / 100) * balloonPercent), pageBytes);
    this.balloon[slot] = amount;
    return amount > 0 && this.request(RequestOp.inflate, guest, segment, amount);
  }

  private deflate(guest: number, segment: number): boolean {
    const slot = guest * this.segments + segment;
    const amount = this.balloon[slot]!;
    this.balloon[slot] = 0;
    return amount > 0 && this.request(RequestOp.deflate, guest, segment, amount);
  }

  /** The end of a job; what it leads to may be a request. */
  private finish(due: number, guest: number): boolean {
    this.state[guest] = State.running;
    if (due === Due.boot) return this.settle(guest);
    if (due === Due.attach) return this.finishAttach(guest);
    if (due === Due.detach) return this.finishDetach(guest);
    if (due === Due.inflate) this.isInflated[guest] = 1;
    if (due === Due.deflate) this.isInflated[guest] = 0;
    if (due === Due.destroy) this.forget(guest);
    return false;
  }

  /** A guest that has booted gets its device and its time to live. */
  private settle(guest: number): boolean {
    const { shortPercent, shortLifeNs, longLifeNs, devicePercent } = this.options;
    const isShort = this.lifetimes.below(100) < shortPercent;
    this.after(drawExponential(this.lifetimes, isShort ? shortLifeNs : longLifeNs), Due.end, guest);
    const hasDevice = this.devices.below(100) < devicePercent;
    const first = guest * this.segments;
    const memory = this.bytes[first + Segment.low]! + this.bytes[first + Segment.high]!;
    this.tell('start', guest, memory, hasDevice ? 1 : 0, false);
    if (hasDevice) this.course[guest] = Course.atStart;
    return hasDevice && this.work(Due.attach, guest, 0);
  }

  private finishAttach(guest: number): boolean {
    const course = this.course[guest];
    this.devicesOf[guest]!++;
    if (course !== Course.atStart) this.tell('attach', guest, 0, 0, course === Course.fails);
    if (course === Course.fails) return this.work(Due.detach, guest, 0);
    this.course[guest] = Course.stays;
    return false;
  }

  private finishDetach(guest: number): boolean {
    const isEnding = this.isEnding[guest] === 1;
    const isRollback = this.course[guest] === Course.fails;
    this.devicesOf[guest]!--;
    this.course[guest] = Course.stays;
    // To a guest that ends only its stop happens.
    if (!isEnding && !isRollback) this.tell('detach', guest, 0, 0, false);
    return isEnding && this.end(guest);
  }

  private tell(step: GuestStep, guest: number, bytes: Bytes, devices: number, fails: boolean): void {
    this.observer?.see(this.time, step, guest, bytes, devices, fails);
  }

  private forget(guest: number): void {
    this.tell('stop', guest, 0, 0, false);
    this.state[guest] = State.none;
    this.isInflated[guest] = 0;
    this.isEnding[guest] = 0;
    this.dimmsOf[guest] = 0;
    this.guests.release(guest);
  }

  private request(op: RequestOp, guest: number, segment: number, size: Bytes): boolean {
    this.op = op;
    this.object = guest * this.segments + segment;
    this.size = size;
    this.cpu = this.options.cpus === 1 ? 0 : this.cpus.below(this.options.cpus);
    return true;
  }
}

/** Object slots of a guest. */
export function segmentsPerGuest(dimms: number): number {
  return Segment.dimm + dimms;
}

/** Bytes of a boot ROM and of a frame buffer of bhyve. */
export const BHYVE_SEGMENT: Bytes = 16 * MIB;

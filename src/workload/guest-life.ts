import type { Bytes, Nanoseconds } from '../core/units.js';

/** What happens to a guest, as the process that runs it sees it. */
export type GuestStep = 'start' | 'attach' | 'detach' | 'plug' | 'unplug' | 'stop';

/** One step in the life of a guest. */
export interface GuestMoment {
  readonly time: Nanoseconds;
  readonly step: GuestStep;
  /** Numbers are used again after a stop. */
  readonly guest: number;
  /** Memory at a start, size of the DIMM at a plug or unplug; otherwise 0. */
  readonly bytes: Bytes;
  /** Devices that the guest starts with; otherwise 0. */
  readonly devices: number;
  /** Whether an attach or plug failed at its last step and was taken back at once. */
  readonly fails: boolean;
}

/** Whoever wants to know what becomes of guests while their requests are made. */
export interface GuestObserver {
  see(time: Nanoseconds, step: GuestStep, guest: number, bytes: Bytes, devices: number, fails: boolean): void;
}

/** Kinds of devices that are passed through. */
export const DEVICE_KINDS = ['pci', 'mdev', 'vdpa', 'nvme'] as const;
export type DeviceKind = (typeof DEVICE_KINDS)[number];

/** Architectures of fleets. */
export const FLEET_ARCHITECTURES = ['x86_64', 'ppc64le', 'aarch64', 's390x'] as const;
export type FleetArchitecture = (typeof FLEET_ARCHITECTURES)[number];

/** What all guests of a fleet have in common, where their locked-memory limits are followed. */
export interface FleetFacts {
  readonly arch: FleetArchitecture;
  readonly deviceKind: DeviceKind;
  readonly hasViommu: boolean;
  /** Limit of a process before anything sets it. */
  readonly initialLimit: Bytes;
  /** maxMemory in multiples of the memory at boot; 0: none. */
  readonly maxMemory: number;
  /** Bytes of the DIMMs that a guest may get: its maxMemory, where it has one, has room for them. */
  readonly dimmRoom: Bytes;
}

/** Guests whose lives can be told apart from their requests: the same for every backend. */
export interface GuestFleet {
  readonly facts: FleetFacts;
  /** Begins anew at each call. */
  life(): GuestLife;
}

/** The steps of all guests of a fleet in time order, as far as they are asked for. */
export interface GuestLife {
  /** The next moment that is not after `until`; undefined where there is none yet. */
  next(until: Nanoseconds): GuestMoment | undefined;
}

/** A source that tells an observer what becomes of its guests; see RequestSource. */
interface ObservedSource {
  readonly time: Nanoseconds;
  next(): boolean;
}

/**
 * Runs a source beside the one whose requests a backend gets, for the moments alone. It reads one request ahead, so
 * moments wait here until they are due. Unlike requests they are few, and are objects.
 */
export class SourceLife implements GuestLife, GuestObserver {
  private readonly waiting: GuestMoment[] = [];
  private taken = 0;
  private hasEnded = false;
  private readonly source: ObservedSource;

  constructor(makeSource: (observer: GuestObserver) => ObservedSource) {
    this.source = makeSource(this);
  }

  see(
    time: Nanoseconds,
    step: GuestStep,
    guest: number,
    bytes: Bytes,
    devices: number,
    fails: boolean,
  ): void {
    this.waiting.push({ time, step, guest, bytes, devices, fails });
  }

  next(until: Nanoseconds): GuestMoment | undefined {
    if (this.taken === this.waiting.length) {
      this.waiting.length = 0;
      this.taken = 0;
    }
    while (this.waiting.length === 0 && !this.hasEnded && this.source.time <= until) {
      this.hasEnded = !this.source.next();
    }
    const moment = this.waiting[this.taken];
    if (moment === undefined || moment.time > until) return undefined;
    this.taken++;
    return moment;
  }
}

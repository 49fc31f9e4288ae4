import type { Nanoseconds } from '../core/units.js';
import { FleetLimits } from '../memlock/fleet-limits.js';
import { alignedForStart, type GuestDefinition, type Kib, PLAIN_GUEST } from '../memlock/guest-definition.js';
import type { GuestEvent } from '../memlock/process-limit.js';
import { RULE_SETS } from '../memlock/rule-sets.js';
import type {
  DeviceKind,
  FleetFacts,
  GuestFleet,
  GuestLife,
  GuestMoment,
  GuestStep,
} from '../workload/guest-life.js';

/** The count of a definition that a kind of device is in. */
const COUNTS = {
  pci: 'pciVfio',
  mdev: 'mdev',
  vdpa: 'vdpaInterfaces',
  nvme: 'nvmeDisks',
} as const satisfies Readonly<Record<DeviceKind, keyof GuestDefinition>>;

/**
 * Locked-memory limits of a workload's guests under every rule set of libvirt. They follow the workload alone, whatever a
 * backend did with its requests. Nothing happens until somebody asks for figures of a time.
 */
export class GuestLimits {
  /** One per rule set, oldest rules first. */
  readonly fleets: readonly FleetLimits[];
  /** Steps so far; rolled-back ones are counted apart. */
  readonly steps: Record<GuestStep, number> = { start: 0, attach: 0, detach: 0, plug: 0, unplug: 0, stop: 0 };
  failedAttaches = 0;
  failedPlugs = 0;
  private readonly facts: FleetFacts;
  private readonly life: GuestLife;

  /** `end` is when the workload ends, and with it the account. */
  constructor(
    fleet: GuestFleet,
    readonly end: Nanoseconds,
  ) {
    this.facts = fleet.facts;
    this.life = fleet.life();
    this.fleets = RULE_SETS.map((rules) => new FleetLimits(rules, BigInt(fleet.facts.initialLimit)));
  }

  /** Goes on to a time, which may not be before that of the last call, or to the end of the workload. */
  advance(time: Nanoseconds): void {
    const until = Math.min(time, this.end);
    for (let moment = this.life.next(until); moment !== undefined; moment = this.life.next(until)) {
      this.count(moment);
      this.live(moment);
    }
    for (const fleet of this.fleets) fleet.advance(until);
  }

  private count({ step, fails }: GuestMoment): void {
    if (!fails) this.steps[step]++;
    else if (step === 'attach') this.failedAttaches++;
    else this.failedPlugs++;
  }

  private live(moment: GuestMoment): void {
    const { time, guest, step } = moment;
    for (const fleet of this.fleets) {
      fleet.advance(time);
      if (step === 'start') fleet.start(guest, definitionOf(this.facts, moment));
      else if (step === 'stop') fleet.stop(guest);
      else fleet.apply(guest, eventOf(this.facts.deviceKind, moment));
    }
  }
}

/** The definition of a guest that starts; a pseries guest has a host bridge more for each PCI device that it starts with. */
function definitionOf(facts: FleetFacts, { bytes, devices }: GuestMoment): GuestDefinition {
  const initial = kibOf(bytes);
  const room = initial + kibOf(facts.dimmRoom);
  const multiple = initial * BigInt(facts.maxMemory);
  const most = multiple > room ? multiple : room;
  return alignedForStart({
    ...PLAIN_GUEST,
    arch: facts.arch,
    initial,
    maxMemory: facts.maxMemory === 0 ? 0n : most,
    hasViommu: facts.hasViommu,
    [COUNTS[facts.deviceKind]]: devices,
    phbs: facts.deviceKind === 'pci' ? 1 + devices : 1,
  });
}

function eventOf(kind: DeviceKind, { step, bytes, fails }: GuestMoment): GuestEvent {
  if (step === 'plug') return { kind: 'attach_dimm', size: kibOf(bytes), isLate: fails };
  if (step === 'unplug') return { kind: 'detach_dimm', size: kibOf(bytes) };
  return { kind: step === 'attach' ? `attach_${kind}` : `detach_${kind}`, isLate: fails };
}

/** Rounded up, as libvirt reads lengths. */
function kibOf(bytes: number): Kib {
  return BigInt(Math.ceil(bytes / 1024));
}

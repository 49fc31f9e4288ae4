import { InputError } from '../core/errors.js';
import { unknownName } from '../core/suggest.js';
import { alignment, type GuestDefinition, type Kib, roundUpTo } from './guest-definition.js';
import { limitWhereNeeded, memlockLimit } from './memlock-limit.js';
import type { RuleSet } from './rule-sets.js';

/** What can happen to a running guest. A `late` failure comes after the limit was set for it. */
export type GuestEvent =
  | { readonly kind: DeviceEvent; readonly isLate?: boolean }
  | { readonly kind: 'attach_dimm' | 'detach_dimm'; readonly size: Kib; readonly isLate?: boolean };

export const DEVICE_EVENTS = [
  'attach_pci',
  'detach_pci',
  'attach_mdev',
  'detach_mdev',
  'attach_vdpa',
  'detach_vdpa',
  'attach_nvme',
  'detach_nvme',
] as const;
type DeviceEvent = (typeof DEVICE_EVENTS)[number];

/** The count that a device event changes. */
type DeviceCount = 'pciVfio' | 'mdev' | 'vdpaInterfaces' | 'nvmeDisks';

const COUNTS: Readonly<Record<string, DeviceCount>> = {
  pci: 'pciVfio',
  mdev: 'mdev',
  vdpa: 'vdpaInterfaces',
  nvme: 'nvmeDisks',
};

/**
 * RLIMIT_MEMLOCK of a QEMU process, event by event, as a rule set moves it (qemu_process.c, qemu_hotplug.c and
 * qemuDomainAdjustMaxMemLock).
 */
export class ProcessLimit {
  /** Bytes that the process may lock; UNLIMITED stands for no limit. */
  limit: bigint;
  /** The limit that will be restored, bytes; 0 = none was saved. */
  original = 0n;

  /** Launches the guest in a process whose limit is `initial` bytes. Nothing is saved at launch, in any release. */
  constructor(
    public guest: GuestDefinition,
    private readonly rules: RuleSet,
    initial: bigint,
  ) {
    const needed = this.needed;
    this.limit = needed > 0n ? needed : initial;
  }

  /** What the definition needs as it is, bytes; 0 = nothing. */
  get needed(): bigint {
    return memlockLimit(this.guest, this.rules).bytes;
  }

  /** @throws InputError where something is detached that is not there. */
  apply(event: GuestEvent): void {
    const isLate = event.isLate === true;
    if (event.kind === 'attach_dimm') this.attachDimm(event.size, isLate);
    else if (event.kind === 'detach_dimm') this.detachDimm(event.size);
    else this.applyDevice(event.kind, isLate);
  }

  private applyDevice(kind: DeviceEvent, isLate: boolean): void {
    const [action, device] = kind.split('_') as [string, keyof typeof COUNTS];
    const count = COUNTS[device]!;
    if (action === 'attach') this.attach(count, isLate);
    else this.detach(count);
  }

  private attach(count: DeviceCount, isLate: boolean): void {
    const before = this.guest;
    this.guest = { ...before, [count]: before[count] + 1 };
    if (count === 'pciVfio' && this.rules.attachesWithoutNeed) {
      this.limit = limitWhereNeeded(before, this.rules, 'VFIO').bytes;
    } else if (this.isAdjustedFor(count)) {
      this.adjust();
    }
    if (!isLate) return;
    this.guest = before;
    if (this.rules.rollsBack && this.isAdjustedFor(count)) this.adjust();
  }

  private detach(count: DeviceCount): void {
    const left = this.guest[count] - 1;
    if (left < 0) throw new InputError(`nothing of ${count} is attached`, { field: 'event' });
    this.guest = { ...this.guest, [count]: left };
    // Mediated and vDPA devices never adjust the limit when they go, in any release.
    const isSeen =
      count === 'pciVfio' ? this.rules.lowersOnDetach : count === 'nvmeDisks' && this.rules.adjustsForNvme;
    if (isSeen) this.adjust();
  }

  private attachDimm(size: Kib, isLate: boolean): void {
    const before = this.guest;
    this.guest = { ...before, dimms: [...before.dimms, roundUpTo(size, alignment(before))] };
    this.adjust();
    if (!isLate) return;
    this.guest = before;
    this.adjust();
  }

  private detachDimm(size: Kib): void {
    const { dimms } = this.guest;
    const index = dimms.lastIndexOf(roundUpTo(size, alignment(this.guest)));
    if (index < 0) throw new InputError(`no DIMM of ${size} KiB is plugged`, { field: 'event' });
    this.guest = { ...this.guest, dimms: dimms.filter((_, other) => other !== index) };
    this.adjust();
  }

  private isAdjustedFor(count: DeviceCount): boolean {
    switch (count) {
      case 'pciVfio':
        return true;
      case 'mdev':
        return this.rules.adjustsForMdev;
      case 'vdpaInterfaces':
        return this.rules.adjustsForVdpa;
      case 'nvmeDisks':
        return this.rules.adjustsForNvme;
    }
  }

  /** Moves the limit to what the definition needs now, by the rule of the time. */
  private adjust(): void {
    const needed = this.needed;
    if (needed > 0n) {
      if (this.rules.adjust === 'raise and restore' && this.limit >= needed) return;
      if (this.rules.adjust !== 'set' && this.original === 0n) this.original = this.limit;
      this.limit = needed;
    } else if (this.rules.adjust !== 'set' && this.original > 0n) {
      this.limit = this.original;
      this.original = 0n;
    }
  }
}

/** @throws InputError for what is no event. */
export function requireDeviceEvent(name: string): DeviceEvent {
  const found = DEVICE_EVENTS.find((event) => event === name);
  if (found !== undefined) return found;
  throw unknownName('event', name, [...DEVICE_EVENTS, 'attach_dimm', 'detach_dimm'], { field: '--events' });
}

import { FleetLimits, type LimitSums } from '../../src/memlock/fleet-limits.js';
import type { Kib } from '../../src/memlock/guest-definition.js';
import { type GuestEvent, ProcessLimit } from '../../src/memlock/process-limit.js';
import { replaceHidden, replaceMethod } from './mutation.js';
import type { Mutant } from './vmem-mutants.js';

type Attach = (this: ProcessLimit, count: string, isLate: boolean) => void;
type Dimm = (this: ProcessLimit, size: Kib, isLate: boolean) => void;
type Plain = (this: ProcessLimit) => void;
interface Member {
  readonly process: ProcessLimit;
  readonly share: LimitSums;
}
type Account = (this: FleetLimits, member: Member) => void;

/** Lives of processes with one mistake each. */
export const PROCESS_MUTANTS: readonly Mutant[] = [
  {
    mistake: 'the limit is not set for an attach',
    apply: () =>
      replaceHidden<Attach>(
        ProcessLimit,
        'attach',
        (original) =>
          function (count, isLate) {
            const { limit } = this;
            original.call(this, count, isLate);
            this.limit = limit;
          },
      ),
  },
  {
    mistake: 'an attach that fails late leaves the device in the definition',
    apply: () =>
      replaceHidden<Attach>(
        ProcessLimit,
        'attach',
        (original) =>
          function (count) {
            original.call(this, count, false);
          },
      ),
  },
  {
    mistake: 'a DIMM is plugged without a look at the limit',
    apply: () =>
      replaceHidden<Dimm>(
        ProcessLimit,
        'attachDimm',
        (original) =>
          function (size, isLate) {
            const { limit, original: saved } = this;
            original.call(this, size, isLate);
            Object.assign(this, { limit, original: saved });
          },
      ),
  },
  {
    mistake: 'a DIMM is unplugged without a look at the limit',
    apply: () =>
      replaceHidden<Dimm>(
        ProcessLimit,
        'detachDimm',
        (original) =>
          function (size, isLate) {
            const { limit, original: saved } = this;
            original.call(this, size, isLate);
            Object.assign(this, { limit, original: saved });
          },
      ),
  },
  {
    mistake: 'the original limit is forgotten',
    apply: () =>
      replaceHidden<Plain>(
        ProcessLimit,
        'adjust',
        (original) =>
          function () {
            original.call(this);
            this.original = 0n;
          },
      ),
  },
  {
    mistake: 'a limit that is lowered is saved as the original',
    apply: () =>
      replaceHidden<Plain>(
        ProcessLimit,
        'adjust',
        (original) =>
          function () {
            const { limit } = this;
            original.call(this);
            if (this.limit !== limit && this.original > 0n) this.original = limit;
          },
      ),
  },
];

/** Accounts of fleets with one mistake each. */
export const FLEET_MUTANTS: readonly Mutant[] = [
  {
    mistake: 'a guest that stops stays in the sums',
    apply: () =>
      replaceMethod(
        FleetLimits,
        'stop',
        (original) =>
          function (this: FleetLimits, guest: number) {
            const before = { ...this.now };
            original.call(this, guest);
            Object.assign(this.now, before);
          },
      ),
  },
  {
    mistake: 'byte-hours are rounded up',
    apply: () =>
      replaceMethod(
        FleetLimits,
        'byteHours',
        (original) =>
          function (this: FleetLimits, name: keyof LimitSums) {
            return original.call(this, name) + 1n;
          },
      ),
  },
  {
    mistake: 'time stands still after an hour',
    apply: () =>
      replaceMethod(
        FleetLimits,
        'advance',
        (original) =>
          function (this: FleetLimits, time: number) {
            original.call(this, Math.min(time, 3_600_000_000_000));
          },
      ),
  },
  {
    mistake: 'a failed attach is a refused one',
    apply: () =>
      replaceMethod(
        FleetLimits,
        'apply',
        (original) =>
          function (this: FleetLimits, guest: number, event: GuestEvent) {
            original.call(this, guest, event);
            if (event.isLate === true) this.refused.attach++;
          },
      ),
  },
  {
    mistake: 'refusals of plugs are counted as attaches',
    apply: () =>
      replaceMethod(
        FleetLimits,
        'apply',
        (original) =>
          function (this: FleetLimits, guest: number, event: GuestEvent) {
            original.call(this, guest, event);
            this.refused.attach += this.refused.plug;
            this.refused.plug = 0;
          },
      ),
  },
  {
    mistake: 'excess is what exceeds locked memory, not need',
    apply: () =>
      replaceHidden<Account>(
        FleetLimits,
        'account',
        (original) =>
          function (member) {
            original.call(this, member);
            const excess = member.share.limit - member.share.locked;
            this.now.excess += excess - member.share.excess;
            member.share.excess = excess;
          },
      ),
  },
  {
    mistake: 'a guest with a device has idle excess',
    apply: () =>
      replaceHidden<Account>(
        FleetLimits,
        'account',
        (original) =>
          function (member) {
            original.call(this, member);
            this.now.idleExcess += member.share.excess - member.share.idleExcess;
            member.share.idleExcess = member.share.excess;
          },
      ),
  },
  {
    mistake: 'the initial limit is no need',
    apply: () =>
      replaceHidden<Account>(
        FleetLimits,
        'account',
        (original) =>
          function (member) {
            original.call(this, member);
            const { needed } = member.process;
            this.now.needed += needed - member.share.needed;
            member.share.needed = needed;
          },
      ),
  },
  {
    mistake: 'a guest counts each time that it has an excess',
    apply: () =>
      replaceHidden<Account>(
        FleetLimits,
        'account',
        (original) =>
          function (member) {
            Object.assign(member, { hadExcess: false });
            original.call(this, member);
          },
      ),
  },
];

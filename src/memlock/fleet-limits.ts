import { MisuseError } from '../core/errors.js';
import type { Nanoseconds } from '../core/units.js';
import type { GuestDefinition } from './guest-definition.js';
import { lockedMemory } from './locked-memory.js';
import { type GuestEvent, ProcessLimit } from './process-limit.js';
import type { RuleSet } from './rule-sets.js';

const NS_PER_HOUR = 3_600_000_000_000n;

/** Bytes of all processes together. */
export interface LimitSums {
  /** What they may lock. */
  limit: bigint;
  /** What their definitions need by the rules, or the initial limit where that is more. */
  needed: bigint;
  locked: bigint;
  /** Limit beyond what is needed. */
  excess: bigint;
  /** The same of guests without a device. */
  idleExcess: bigint;
}

/** Operations after which more would be locked than may be. */
export interface RefusedOperations {
  start: number;
  attach: number;
  plug: number;
}

const SUMS = ['limit', 'needed', 'locked', 'excess', 'idleExcess'] as const;

/** A process and what it adds to the sums. */
interface Member {
  readonly process: ProcessLimit;
  readonly share: LimitSums;
  hadExcess: boolean;
}

/**
 * The limits of all guests of a host under one rule set, over time. A guest goes on after an operation that would be
 * refused, as if its process had the right to lock whatever it wants: so each rule set sees the same life.
 */
export class FleetLimits {
  readonly now = noSums();
  readonly refused: RefusedOperations = { start: 0, attach: 0, plug: 0 };
  /** Largest excess of all processes together at any time, bytes. */
  excessPeak = 0n;
  /** Guests that had an excess at some time. */
  guestsWithExcess = 0;
  private readonly members = new Map<number, Member>();
  /** Byte-nanoseconds up to `time`. */
  private readonly integrals = noSums();
  private time: Nanoseconds = 0;

  /** Each process begins with a limit of `initial` bytes. */
  constructor(
    readonly rules: RuleSet,
    private readonly initial: bigint,
  ) {}

  /** Guests that run. */
  get guests(): number {
    return this.members.size;
  }

  /** Lets time pass; @throws MisuseError where it would go back. */
  advance(time: Nanoseconds): void {
    if (time < this.time) throw new MisuseError('time goes back', { time, now: this.time });
    const passed = BigInt(time - this.time);
    this.time = time;
    for (const name of SUMS) this.integrals[name] += this.now[name] * passed;
  }

  /** A sum over time up to the last advance, in whole byte-hours. */
  byteHours(name: keyof LimitSums): bigint {
    return this.integrals[name] / NS_PER_HOUR;
  }

  /** @throws MisuseError if a guest of that number runs. */
  start(guest: number, definition: GuestDefinition): void {
    if (this.members.has(guest)) throw new MisuseError('start of a guest that runs', { guest });
    const process = new ProcessLimit(definition, this.rules, this.initial);
    const member = { process, share: noSums(), hadExcess: false };
    this.members.set(guest, member);
    this.account(member);
    if (isRefused(member, 0n)) this.refused.start++;
  }

  /** @throws MisuseError if no guest of that number runs, @throws InputError as ProcessLimit.apply. */
  apply(guest: number, event: GuestEvent): void {
    const member = this.memberOf(guest);
    const before = member.share.locked;
    member.process.apply(event);
    this.account(member);
    if (isRefused(member, before)) this.refused[event.kind === 'attach_dimm' ? 'plug' : 'attach']++;
  }

  /** @throws MisuseError if no guest of that number runs. */
  stop(guest: number): void {
    const { share } = this.memberOf(guest);
    for (const name of SUMS) this.now[name] -= share[name];
    this.members.delete(guest);
  }

  private memberOf(guest: number): Member {
    const member = this.members.get(guest);
    if (member === undefined) throw new MisuseError('event of a guest that does not run', { guest });
    return member;
  }

  /** Puts what a member is now in the place of what it was. */
  private account(member: Member): void {
    const { share, process } = member;
    const { limit, needed: need, guest } = process;
    const needed = larger(need, this.initial);
    const excess = larger(limit - needed, 0n);
    const idleExcess = hasDevice(guest) ? 0n : excess;
    const next: LimitSums = { limit, needed, locked: lockedMemory(guest), excess, idleExcess };
    for (const name of SUMS) {
      this.now[name] += next[name] - share[name];
      share[name] = next[name];
    }
    this.excessPeak = larger(this.excessPeak, this.now.excess);
    if (excess > 0n && !member.hadExcess) {
      member.hadExcess = true;
      this.guestsWithExcess++;
    }
  }
}

/** Whether the process has to lock more than before, and more than it may. */
function isRefused({ share }: Member, lockedBefore: bigint): boolean {
  return share.locked > lockedBefore && share.locked > share.limit;
}

function hasDevice({ pciVfio, mdev, nvmeDisks, vdpaInterfaces }: GuestDefinition): boolean {
  return pciVfio + mdev + nvmeDisks + vdpaInterfaces > 0;
}

function noSums(): LimitSums {
  return { limit: 0n, needed: 0n, locked: 0n, excess: 0n, idleExcess: 0n };
}

function larger(a: bigint, b: bigint): bigint {
  return a > b ? a : b;
}

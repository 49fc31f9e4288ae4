import { Value } from '@sinclair/typebox/value';
import { describe, expect, it } from 'vitest';
import { REQUEST_OP_NAMES } from '../../src/core/request.js';
import { GIB, SECOND } from '../../src/core/units.js';
import { combinationWorkload } from '../../src/workload/combination.js';
import type { Parameters } from '../../src/workload/definition.js';
import { guest } from '../../src/workload/guest.js';
import type { GuestMoment } from '../../src/workload/guest-life.js';
import { type GuestOptions, GuestSource } from '../../src/workload/guest-source.js';
import { inputErrorOf } from '../support/input-error.js';

const HOUR = 3600 * SECOND;

/** Guests of 256 MiB to 16 GiB to which everything happens. */
const BUSY: GuestOptions = {
  mix: 'odd',
  hostBytes: 64 * GIB,
  fill: 90,
  maxGuests: 230,
  arrivalNs: 120 * SECOND,
  shortPercent: 100,
  shortLifeNs: HOUR,
  longLifeNs: HOUR,
  splitBytes: 3 * GIB,
  romBytes: 2 ** 24,
  framebufferBytes: 2 ** 24,
  framebufferPercent: 50,
  releaseOrder: 'low-first',
  pageBytes: 4096,
  devicePercent: 30,
  attachEveryNs: HOUR / 30,
  attachFailurePercent: 20,
  mostDevices: 3,
  balloonEveryNs: HOUR / 20,
  balloonPercent: 25,
  hotplugEveryNs: HOUR / 30,
  plugFailurePercent: 20,
  unplugEveryNs: HOUR / 40,
  dimmBytes: GIB / 2,
  dimms: 4,
  durationNs: 100 * HOUR,
  cpus: 2,
};
const SEGMENTS = 8;

interface Request {
  readonly time: number;
  readonly op: string;
  readonly guest: number;
  readonly segment: number;
  readonly size: number;
}

/** Requests and moments of one source in the order of their making. */
function observed(changes: Partial<GuestOptions> = {}): (Request | GuestMoment)[] {
  const all: (Request | GuestMoment)[] = [];
  const observer = {
    see: (
      time: number,
      step: GuestMoment['step'],
      who: number,
      bytes: number,
      devices: number,
      fails: boolean,
    ) => {
      all.push({ time, step, guest: who, bytes, devices, fails });
    },
  };
  const source = new GuestSource({ ...BUSY, ...changes }, 1, observer);
  while (source.next()) {
    const { time, op, object, size } = source;
    const [who, segment] = [Math.floor(object / SEGMENTS), object % SEGMENTS];
    all.push({ time, op: REQUEST_OP_NAMES[op]!, guest: who, segment, size });
  }
  return all;
}

const isMoment = (each: Request | GuestMoment): each is GuestMoment => 'step' in each;
const kindOf = ({ step, fails }: GuestMoment): string => `${step}${fails ? ' fails' : ''}`;

/** Memory that a guest has and how many devices each piece of it is shared with, from its requests alone. */
class Ledger {
  readonly size = new Map<number, number>();
  readonly sharers = new Map<number, number>();

  take({ op, segment, size }: Request): void {
    if (segment === 2 || segment === 3) return;
    const sharers = this.sharers.get(segment) ?? 0;
    if (op === 'alloc') this.size.set(segment, size);
    if (op === 'attach') this.sharers.set(segment, sharers + 1);
    if (op === 'detach') this.sharers.set(segment, sharers - 1);
    if (op !== 'free') return;
    expect(sharers).toBe(0);
    this.size.delete(segment);
    this.sharers.delete(segment);
  }
}

describe('the life of guests', () => {
  const all = observed();
  const moments = all.filter(isMoment);

  it('has every step, and attaches and plugs that fail', () => {
    const counts = new Map<string, number>();
    for (const moment of moments) counts.set(kindOf(moment), (counts.get(kindOf(moment)) ?? 0) + 1);
    expect([...counts.keys()].sort()).toEqual(
      ['attach', 'attach fails', 'detach', 'plug', 'plug fails', 'start', 'stop', 'unplug'].sort(),
    );
    for (const count of counts.values()) expect(count).toBeGreaterThan(50);
  });

  it('agrees with the requests: memory and devices of each guest, whenever time goes on', () => {
    const ledgers = new Map<number, Ledger>();
    const told = new Map<number, { memory: number; devices: number }>();
    let checks = 0;
    for (const [index, each] of all.entries()) {
      if (isMoment(each)) {
        const known = told.get(each.guest) ?? { memory: 0, devices: 0 };
        if (each.step === 'start') Object.assign(known, { memory: each.bytes, devices: each.devices });
        if (!each.fails && each.step === 'attach') known.devices++;
        if (each.step === 'detach') known.devices--;
        if (!each.fails && each.step === 'plug') known.memory += each.bytes;
        if (each.step === 'unplug') known.memory -= each.bytes;
        told.set(each.guest, known);
        if (each.step === 'stop') told.delete(each.guest);
      } else {
        const ledger = ledgers.get(each.guest) ?? new Ledger();
        ledgers.set(each.guest, ledger);
        ledger.take(each);
      }
      if (all[index + 1]?.time === each.time) continue;
      const ledger = ledgers.get(each.guest)!;
      const memory = [...ledger.size.values()].reduce((sum, size) => sum + size, 0);
      expect(memory).toBe(told.get(each.guest)?.memory ?? 0);
      for (const segment of ledger.size.keys()) {
        expect(ledger.sharers.get(segment) ?? 0).toBe(told.get(each.guest)!.devices);
        checks++;
      }
    }
    expect(checks).toBeGreaterThan(1000);
  });

  it('has as many devices as are allowed, no more, and two before one is gone', () => {
    const devices = new Map<number, number>();
    let most = 0;
    for (const { step, guest: who, devices: first, fails } of moments) {
      if (step === 'start') devices.set(who, first);
      if (step === 'attach' && !fails) devices.set(who, devices.get(who)! + 1);
      if (step === 'detach') devices.set(who, devices.get(who)! - 1);
      most = Math.max(most, devices.get(who)!);
    }
    expect(most).toBe(3);
  });

  it('takes back at once what fails: each attach with a detach, a plug with a free', () => {
    for (const [index, each] of all.entries()) {
      if (!isMoment(each) || !each.fails) continue;
      const same = all.filter(
        (other): other is Request =>
          !isMoment(other) && other.time === each.time && other.guest === each.guest,
      );
      const count = (op: string) => same.filter((request) => request.op === op).length;
      expect(count('attach'), `${index}`).toBe(count('detach'));
      expect(count('attach') + count('alloc')).toBeGreaterThan(0);
      expect(count('alloc')).toBe(each.step === 'plug' ? 1 : 0);
      expect(count('free')).toBe(count('alloc'));
    }
  });

  it('makes the same requests with and without an observer', () => {
    const source = new GuestSource(BUSY, 1);
    for (const request of all.filter((each): each is Request => !isMoment(each))) {
      expect(source.next()).toBe(true);
      expect([source.time, source.object, source.size]).toEqual([
        request.time,
        request.guest * SEGMENTS + request.segment,
        request.size,
      ]);
    }
    expect(source.next()).toBe(false);
  });
});

describe('the guest workload', () => {
  const make = (overrides: Parameters) =>
    guest.create(Value.Default(guest.parameters, { ...overrides }) as Parameters, 1);

  it('has its guests followed only where it is asked to', () => {
    expect(make({}).guests).toBeUndefined();
    expect(make({}).provenance.memlock).toBeUndefined();
    const { guests, provenance } = make({ memlock: 'ppc64le', device_kind: 'mdev', viommu: true, dimms: 2 });
    expect(guests?.facts).toEqual({
      arch: 'ppc64le',
      deviceKind: 'mdev',
      hasViommu: true,
      initialLimit: 65_536,
      maxMemory: 4,
      dimmRoom: 2 * GIB,
    });
    expect(provenance.memlock).toEqual(guests?.facts);
  });

  it('tells the same life however time is cut up, and nothing of later times', () => {
    const { guests } = make({ memlock: 'x86_64', duration: 10 * HOUR });
    const [whole, cut] = [guests!.life(), guests!.life()];
    const told: GuestMoment[] = [];
    for (let until = 0; until <= 10 * HOUR; until += HOUR / 7) {
      for (let moment = cut.next(until); moment !== undefined; moment = cut.next(until)) {
        expect(moment.time).toBeLessThanOrEqual(until);
        expect(moment.time).toBeGreaterThan(until - HOUR / 7);
        told.push(moment);
      }
    }
    for (const moment of told) expect(whole.next(Number.POSITIVE_INFINITY)).toEqual(moment);
    expect(told.length).toBeGreaterThan(100);
  });

  it('is refused as a part of several where its guests are to be followed', () => {
    const part = {
      name: 'fleet',
      phases: [{ start: 0 }],
      keep: true,
      create: () => make({ memlock: 'x86_64' }),
    };
    expect(inputErrorOf(() => combinationWorkload('both', [part], 1))).toContain(
      "part 'fleet': memlock: limits of guests cannot be followed here (allowed: none in a workload of several parts)",
    );
  });
});

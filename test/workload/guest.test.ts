import { createHash } from 'node:crypto';
import { Value } from '@sinclair/typebox/value';
import { describe, expect, it } from 'vitest';
import { RandomStream } from '../../src/core/random.js';
import { REQUEST_OP_NAMES } from '../../src/core/request.js';
import { GIB, MIB, SECOND } from '../../src/core/units.js';
import type { Parameters } from '../../src/workload/definition.js';
import { guest } from '../../src/workload/guest.js';
import { GUEST_MIXES, GuestSizes } from '../../src/workload/guest-sizes.js';
import { type GuestOptions, GuestSource } from '../../src/workload/guest-source.js';
import { inputErrorOf } from '../support/input-error.js';

const HOUR = 3600 * SECOND;

/** Guests of 256 MiB to 16 GiB that come and go, and nothing else. */
const QUIET: GuestOptions = {
  mix: 'odd',
  hostBytes: 64 * GIB,
  fill: 90,
  maxGuests: 230,
  arrivalNs: 60 * SECOND,
  shortPercent: 100,
  shortLifeNs: HOUR,
  longLifeNs: HOUR,
  splitBytes: 3 * GIB,
  romBytes: 16 * MIB,
  framebufferBytes: 16 * MIB,
  framebufferPercent: 50,
  releaseOrder: 'low-first',
  pageBytes: 4096,
  devicePercent: 0,
  attachEveryNs: 0,
  balloonEveryNs: 0,
  hotplugEveryNs: 0,
  unplugEveryNs: 0,
  mostDevices: 1,
  attachFailurePercent: 0,
  plugFailurePercent: 0,
  balloonPercent: 25,
  dimmBytes: GIB,
  dimms: 4,
  durationNs: 100 * HOUR,
  cpus: 2,
};
const SEGMENTS = 8;

interface Step {
  readonly time: number;
  readonly op: string;
  readonly guest: number;
  readonly segment: number;
  readonly size: number;
}

function steps(changes: Partial<GuestOptions> = {}, seed = 1): Step[] {
  const source = new GuestSource({ ...QUIET, ...changes }, seed);
  const found: Step[] = [];
  while (source.next()) {
    const { time, op, object, size } = source;
    const [guest, segment] = [Math.floor(object / SEGMENTS), object % SEGMENTS];
    found.push({ time, op: REQUEST_OP_NAMES[op]!, guest, segment, size });
  }
  expect(source.next()).toBe(false);
  return found;
}

/** Runs of steps of one kind on one guest, as `alloc 1,0,2`. */
function runs(list: readonly Step[]): string[] {
  const found: string[] = [];
  for (const [index, step] of list.entries()) {
    const before = list[index - 1];
    const goesOn = before?.time === step.time && before.guest === step.guest && before.op === step.op;
    if (goesOn) found[found.length - 1] += `,${step.segment}`;
    else found.push(`${step.op} ${step.segment}`);
  }
  return found;
}

describe('guests that come and go', () => {
  it('are allocated high, low, ROM, frame buffer, and freed by number', () => {
    const seen = new Set(runs(steps()));
    expect([...seen].sort()).toEqual([
      'alloc 0,2',
      'alloc 0,2,3',
      'alloc 1,0,2',
      'alloc 1,0,2,3',
      'free 0,1,2',
      'free 0,1,2,3',
      'free 0,2',
      'free 0,2,3',
    ]);
    expect(new Set(runs(steps({ releaseOrder: 'high-first' })))).toContain('free 1,0,2,3');
    expect(steps({ splitBytes: 0 }).every(({ segment }) => segment !== 1)).toBe(true);
  });

  it('have 3 GiB below and the rest above', () => {
    for (const { op, segment, size } of steps()) {
      if (op === 'alloc' && segment === 0) expect(size).toBeLessThanOrEqual(3 * GIB);
      if (segment >= 2) expect(size).toBe(16 * MIB);
    }
  });

  it('fill the host up to their share of it and never beyond', () => {
    let used = 0;
    let most = 0;
    for (const { op, segment, size } of steps({ hotplugEveryNs: HOUR / 10 })) {
      if (segment !== 2 && segment !== 3) used += op === 'alloc' ? size : -size;
      most = Math.max(most, used);
    }
    expect(most).toBeLessThanOrEqual(0.9 * 64 * GIB);
    expect(most).toBeGreaterThan(0.8 * 64 * GIB);
  });

  it('are refused above their number', () => {
    expect(Math.max(...steps({ maxGuests: 3 }).map(({ guest }) => guest))).toBe(2);
  });

  it('have sizes and addresses in large pages where those are asked for', () => {
    const source = new GuestSource({ ...QUIET, pageBytes: GIB, dimmBytes: GIB }, 1);
    while (source.next()) expect([source.size % GIB, source.constraint]).toEqual([0, 0]);
    expect(new GuestSource(QUIET, 1).constraint).toBe(-1);
  });
});

describe('devices, balloons and DIMMs', () => {
  const busy = steps({
    devicePercent: 30,
    attachEveryNs: HOUR / 20,
    balloonEveryNs: HOUR / 20,
    hotplugEveryNs: HOUR / 20,
  });

  it('all happen', () => {
    expect(new Set(busy.map(({ op }) => op))).toEqual(
      new Set(['alloc', 'free', 'attach', 'detach', 'inflate', 'deflate']),
    );
  });

  it('keep to their rules', () => {
    const sizes = new Map<string, number>();
    const attached = new Set<string>();
    const balloons = new Map<string, number>();
    for (const { op, guest, segment, size } of busy) {
      const key = `${guest}.${segment}`;
      const name = (other: string) => other.startsWith(`${guest}.`);
      if (op === 'alloc') sizes.set(key, size);
      else expect(sizes.has(key)).toBe(true);
      if (op === 'attach' || op === 'detach') {
        expect(size).toBe(sizes.get(key));
        expect([2, 3]).not.toContain(segment);
        expect([...balloons.keys()].some(name)).toBe(false);
        expect(attached.has(key)).toBe(op === 'detach');
        if (op === 'attach') attached.add(key);
        else attached.delete(key);
      }
      if (op === 'inflate') {
        expect(Math.abs(size / sizes.get(key)! - 0.25)).toBeLessThan(0.01);
        expect([...attached].some(name)).toBe(false);
        expect(balloons.has(key)).toBe(false);
        balloons.set(key, size);
      }
      if (op === 'deflate') {
        expect(balloons.get(key)).toBe(size);
        balloons.delete(key);
      }
      if (op === 'free') {
        expect(attached.has(key)).toBe(false);
        balloons.delete(key);
        sizes.delete(key);
      }
    }
  });

  it('attach a DIMM at once to a device that is there', () => {
    const plugged = busy.filter(({ op, segment }) => op === 'alloc' && segment >= 4);
    const followed = plugged.filter((dimm) => {
      const next = busy[busy.indexOf(dimm) + 1];
      return next?.op === 'attach' && next.segment === dimm.segment && next.time === dimm.time;
    });
    expect(followed.length).toBeGreaterThan(10);
    expect(followed.length).toBeLessThan(plugged.length);
  });

  it('leave arrivals as they are, for their streams are their own', () => {
    const boots = (list: readonly Step[]) =>
      list.filter(({ op, segment }) => op === 'alloc' && segment === 2).map(({ time }) => time);
    expect(boots(steps({ balloonEveryNs: HOUR / 20 }))).toEqual(boots(steps()));
  });
});

describe('requests of what earlier releases had too', () => {
  it.each([
    ['quiet', {}, '0730256d400f478c'],
    [
      'busy',
      { devicePercent: 30, attachEveryNs: HOUR / 20, balloonEveryNs: HOUR / 20, hotplugEveryNs: HOUR / 20 },
      '65e0b12808c1d408',
    ],
  ] as const)('are the same to the bit: %s', (_what, changes, digest) => {
    const hash = createHash('sha256');
    for (const { time, op, guest, segment, size } of steps(changes)) {
      hash.update(`${time} ${op} ${guest} ${segment} ${size}\n`);
    }
    expect(hash.digest('hex').slice(0, 16)).toBe(digest);
  });
});

describe('guest sizes', () => {
  it.each(GUEST_MIXES)('%s has the shares that it should have', (mix) => {
    const sizes = new GuestSizes(mix, 64 * GIB);
    const stream = new RandomStream(1, 'test');
    const counts = new Map<number, number>();
    for (let draw = 0; draw < 100_000; draw++) {
      const size = sizes.draw(stream);
      const key = mix === 'odd' ? Math.floor(Math.log2(size / MIB)) : size / GIB;
      counts.set(key, (counts.get(key) ?? 0) + 1);
    }
    const expected = {
      east1: [
        [1, 0.22],
        [2, 0.437],
        [4, 0.161],
        [64, 0.0015],
      ],
      topo: [
        [4, 0.1388],
        [64, 0.2415],
        [192, 0.0018],
      ],
      odd: [8, 9, 10, 11, 12, 13].map((octave) => [octave, 1 / 6]),
    }[mix] as [number, number][];
    for (const [key, share] of expected) {
      const deviation = Math.sqrt((share * (1 - share)) / 100_000);
      expect(Math.abs(counts.get(key)! / 100_000 - share), `${mix} ${key}`).toBeLessThan(4 * deviation);
    }
    expect(Math.min(...counts.keys())).toBe(mix === 'odd' ? 8 : GuestSizes.smallest(mix) / GIB);
  });
});

describe('the guest workload', () => {
  const make = (overrides: Parameters) =>
    guest.create(Value.Default(guest.parameters, { ...overrides }) as Parameters, 1);

  it('aligns addresses to large pages', () => {
    expect(make({ page_size: '2MiB' }).constraints).toMatchObject({
      length: 1,
      align: Float64Array.of(2 * MIB),
    });
    expect(make({}).constraints.length).toBe(0);
  });

  it.each([
    [{ ram: GIB }, 'ram: no guest fits into 1073741824 bytes (allowed: so much that 90 % of it'],
    [{ ram: GIB, mix: 'odd' }, 'ram: 1073741824 bytes (allowed: at least 2 GiB for the mix odd)'],
    [{ arrival: 2 * HOUR, duration: HOUR }, 'arrival: no guest ever arrives (allowed: at most the duration'],
    [
      { dimm_size: 5 * MIB, page_size: '2MiB' },
      'dimm_size: 5242880 bytes (allowed: multiples of the page size',
    ],
    [{ split: GIB / 2, page_size: '1GiB' }, 'split: 536870912 bytes (allowed: multiples'],
    [{ dimm_size: 300 * GIB }, 'dimm_size: 322122547200 bytes (allowed: at most ram'],
  ])('refuses %j', (overrides, message) => {
    expect(inputErrorOf(() => make(overrides))).toContain(message);
  });
});

import { Value } from '@sinclair/typebox/value';
import { describe, expect, it } from 'vitest';
import { InputError } from '../../src/core/errors.js';
import { Simulation } from '../../src/core/simulation.js';
import { KIB, SECOND } from '../../src/core/units.js';
import type { Parameters } from '../../src/workload/definition.js';
import { kmem } from '../../src/workload/kmem.js';
import { KMEM_PRESETS, Life } from '../../src/workload/kmem-objects.js';

const LARGE = 128 * KIB;
/** A small population that is steady from the ramp on, without anything else. */
const STEADY: Parameters = {
  live: 2000,
  short_life: 2e7,
  medium_life: 5e7,
  long_life: 1e9,
  ramp: 1e8,
  duration: 2.5e9,
  phase: 0,
  large_live: 0,
  pressure_every: 0,
};

interface Request {
  readonly time: number;
  readonly kind: 'alloc' | 'free' | 'reclaim';
  readonly object: number;
  readonly size: number;
  readonly cpu: number;
}

function make(overrides: Parameters, seed = 1) {
  return kmem.create(Value.Default(kmem.parameters, { ...overrides }) as Parameters, seed);
}

function requests(overrides: Parameters, seed = 1): Request[] {
  const workload = make(overrides, seed);
  const simulation = new Simulation(workload.cpus);
  const list: Request[] = [];
  const sizes = new Map<number, number>();
  workload.start(simulation, {
    alloc(object, _cls, size, _constraint, cpu) {
      list.push({ time: simulation.now, kind: 'alloc', object, size, cpu });
      sizes.set(object, size);
      return true;
    },
    free: (object, cpu) =>
      void list.push({ time: simulation.now, kind: 'free', object, size: sizes.get(object)!, cpu }),
    act: () => expect.unreachable('a heap has no other actions'),
    reclaim: (cpu) => void list.push({ time: simulation.now, kind: 'reclaim', object: -1, size: 0, cpu }),
  });
  simulation.run();
  return list;
}

/** Mean number of live objects of the sizes that `counts` says, between two times. */
function meanLive(
  list: readonly Request[],
  from: number,
  to: number,
  counts = (_size: number) => true,
): number {
  let live = 0;
  let last = 0;
  let sum = 0;
  for (const { time, kind, size } of list) {
    const [start, end] = [Math.max(from, last), Math.min(to, time)];
    if (end > start) sum += live * (end - start);
    last = time;
    if (kind !== 'reclaim' && counts(size)) live += kind === 'alloc' ? 1 : -1;
  }
  return sum / (Math.min(last, to) - from);
}

describe('the population', () => {
  it.each(Object.keys(KMEM_PRESETS))('of %s is at its mean from the ramp on', (preset) => {
    const list = requests({ ...STEADY, preset });
    expect(Math.abs(meanLive(list, 2e8, 1e9) / 2000 - 1)).toBeLessThan(0.12);
    expect(Math.abs(meanLive(list, 1.5e9, 2.5e9) / 2000 - 1)).toBeLessThan(0.12);
  });

  it('has the sizes of its preset, in their shares', () => {
    const arrivals = requests({ ...STEADY, preset: 'network' }).filter(
      ({ kind, time }) => kind === 'alloc' && time > 1e8,
    );
    const weights = KMEM_PRESETS.network.reduce((sum, { weight }) => sum + weight, 0);
    for (const { bytes, weight } of KMEM_PRESETS.network.filter((cache) => cache.life === Life.short)) {
      const share = arrivals.filter(({ size }) => size === bytes).length / arrivals.length;
      expect(Math.abs(share / (weight / weights) - 1)).toBeLessThan(0.05);
    }
  });

  it('follows the load from phase to phase', () => {
    const list = requests({ ...STEADY, long_life: 5e7, phase: 5e8, duration: 1.5e9, phase_load: 300 });
    expect(Math.abs(meanLive(list, 2e8, 5e8) / 2000 - 1)).toBeLessThan(0.15);
    expect(Math.abs(meanLive(list, 8e8, 1e9) / 6000 - 1)).toBeLessThan(0.15);
    expect(Math.abs(meanLive(list, 1.3e9, 1.5e9) / 2000 - 1)).toBeLessThan(0.15);
  });

  it('is freed on another CPU as often as asked', () => {
    for (const [migrate, expected] of [
      [0, 0],
      [25, 0.25],
      [100, 1],
    ] as const) {
      const born = new Map<number, number>();
      let frees = 0;
      let moved = 0;
      for (const { kind, object, cpu } of requests({ ...STEADY, duration: 1e9, migrate })) {
        if (kind === 'alloc') born.set(object, cpu);
        else if (++frees && born.get(object) !== cpu) moved++;
      }
      expect(Math.abs(moved / frees - expected)).toBeLessThan(0.02);
    }
    expect(new Set(requests({ ...STEADY, cpus: 1, duration: 1e8 }).map(({ cpu }) => cpu))).toEqual(
      new Set([0]),
    );
  });
});

describe('large buffers', () => {
  const buffers = { ...STEADY, large_live: 100 * LARGE, large_every: 5e6 };
  const large = (list: readonly Request[]) => list.filter(({ size }) => size === LARGE);

  it('grow to their target, then the oldest goes for each new one', () => {
    const list = large(requests(buffers));
    const filled = list.findIndex(({ kind }) => kind === 'free');
    expect(filled).toBe(100);
    const rest = list.slice(filled);
    expect(rest.every(({ kind }, i) => kind === (i % 2 === 0 ? 'free' : 'alloc'))).toBe(true);
    expect(rest.every(({ time }, i) => i % 2 === 0 || time === rest[i - 1]!.time)).toBe(true);
    const order = list.filter(({ kind }) => kind === 'alloc').map(({ object }) => object);
    expect(rest.filter(({ kind }) => kind === 'free').map(({ object }) => object)).toEqual(
      order.slice(0, Math.ceil(rest.length / 2)),
    );
  });

  it('are given up under pressure, and then caches give back', () => {
    const list = requests({ ...buffers, pressure_every: 9e8, pressure_evict: 40 });
    const reclaims = list.filter(({ kind }) => kind === 'reclaim');
    expect(reclaims.map(({ time }) => time)).toEqual([9e8, 18e8]);
    const before = list.slice(0, list.indexOf(reclaims[0]!)).slice(-40);
    expect(before.every(({ time, kind, size }) => time === 9e8 && kind === 'free' && size === LARGE)).toBe(
      true,
    );
    expect(meanLive(list, 9e8, 9e8 + 1e6, (size) => size === LARGE)).toBeCloseTo(60, 0);
  });

  it('do without pressure or buffers where these are off', () => {
    expect(large(requests(STEADY))).toEqual([]);
    expect(make(STEADY).largestRequest).toBe(8192);
    expect(make(buffers).largestRequest).toBe(LARGE);
    expect(
      requests({ ...STEADY, pressure_every: SECOND }).filter(({ kind }) => kind === 'reclaim'),
    ).toHaveLength(2);
  });
});

describe('contradictions', () => {
  it.each([
    [{ ramp: 11 * SECOND }, 'ramp: the population is not made within 10s'],
    [{ medium_life: 61 * SECOND }, 'medium_life: lifetimes of 1000000, 61000000000, 60000000000 ns'],
    [{ large_live: LARGE - 1 }, 'large_live: no buffer of 131072 bytes fits in 131071'],
    [{ live: 2 ** 25 }, 'live: 134218728 objects'],
    [{ live: 1e6, short_life: 1, medium_life: 1, long_life: 1 }, 'live: 1000000 objects need more than one'],
  ])('are refused: %j', (overrides, message) => {
    const create = () => make({ ...overrides, ...('large_live' in overrides ? {} : { large_live: 0 }) });
    expect(create).toThrow(InputError);
    expect(create).toThrow(message);
  });
});

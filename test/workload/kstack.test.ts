import { Value } from '@sinclair/typebox/value';
import { describe, expect, it } from 'vitest';
import { RequestOp } from '../../src/core/request.js';
import { KIB, SECOND } from '../../src/core/units.js';
import type { Parameters } from '../../src/workload/definition.js';
import { kstack } from '../../src/workload/kstack.js';
import { type KstackOptions, KstackSource } from '../../src/workload/kstack-source.js';
import { inputErrorOf } from '../support/input-error.js';

const QUIET: KstackOptions = {
  stackBytes: 16 * KIB,
  largePerMille: 0,
  maxThreads: 5000,
  daemons: 0,
  threads: 0,
  lives: [
    { share: 1, meanNs: SECOND },
    { share: 0, meanNs: 1 },
    { share: 0, meanNs: 1 },
  ],
  rampNs: SECOND,
  burst: 1,
  spacingNs: 1000,
  pools: 0,
  poolMin: 0,
  poolMax: 1,
  poolEveryNs: SECOND,
  stormThreads: 0,
  stormEveryNs: SECOND,
  stormLifeNs: SECOND / 100,
  swapEveryNs: 0,
  swapLifeNs: SECOND,
  durationNs: 100 * SECOND,
  creations: 0,
  cpus: 4,
};

interface Step {
  readonly time: number;
  readonly op: number;
  readonly object: number;
  readonly size: number;
  readonly live: number;
}

function steps(changes: Partial<KstackOptions>, seed = 1): Step[] {
  const source = new KstackSource({ ...QUIET, ...changes }, seed);
  const found: Step[] = [];
  let live = 0;
  while (source.next()) {
    if (source.op === RequestOp.alloc) live++;
    if (source.op === RequestOp.free) live--;
    const { time, op, object, size } = source;
    found.push({ time, op, object, size, live });
  }
  expect(source.next()).toBe(false);
  return found;
}

const ofOp = (list: readonly Step[], op: number) => list.filter((step) => step.op === op);

describe('kstack threads that come and go', () => {
  it('reach their population with the ramp and keep it', () => {
    const list = steps({ threads: 1000, rampNs: SECOND / 10 });
    const after = list.filter(({ time }) => time > SECOND / 10);
    const mean = after.reduce((sum, { live }) => sum + live, 0) / after.length;
    expect(Math.abs(mean / 1000 - 1)).toBeLessThan(0.03);
    expect(after.every(({ live }) => live > 850 && live < 1150)).toBe(true);
  });

  it('are in their steady state from the start, where lives differ a lot', () => {
    const lives: KstackOptions['lives'] = [
      { share: 70, meanNs: SECOND / 2 },
      { share: 25, meanNs: 60 * SECOND },
      { share: 5, meanNs: 36_000 * SECOND },
    ];
    const list = steps({ threads: 2000, lives, durationNs: 4000 * SECOND });
    const after = list.filter(({ time }) => time > SECOND);
    expect(after.every(({ live }) => live > 1800 && live < 2200)).toBe(true);
  });

  it('arrive in a Poisson process: gaps vary as much as they are long', () => {
    const births = ofOp(steps({ threads: 1000, rampNs: 1 }), RequestOp.alloc).slice(1000);
    const gaps = births.slice(1).map(({ time }, index) => time - births[index]!.time);
    const mean = gaps.reduce((sum, gap) => sum + gap, 0) / gaps.length;
    const variance = gaps.reduce((sum, gap) => sum + (gap - mean) ** 2, 0) / gaps.length;
    expect(Math.abs(mean / 1e6 - 1)).toBeLessThan(0.02);
    expect(Math.abs(variance / mean ** 2 - 1)).toBeLessThan(0.05);
  });

  it('arrive in bursts of the mean length, at the same rate', () => {
    const plain = ofOp(steps({ threads: 1000 }), RequestOp.alloc).length;
    const births = ofOp(steps({ threads: 1000, burst: 20, rampNs: 1 }), RequestOp.alloc);
    expect(Math.abs(births.length / plain - 1)).toBeLessThan(0.05);
    const following = births.filter(({ time }, index) => time - (births[index - 1]?.time ?? 0) <= 1000);
    expect(following.length / births.length).toBeGreaterThan(0.85);
  });

  it('have stacks of other sizes as rarely as asked for', () => {
    const births = ofOp(steps({ threads: 1000, largePerMille: 100 }), RequestOp.alloc);
    const large = births.filter(({ size }) => size > 16 * KIB);
    expect(new Set(large.map(({ size }) => size))).toEqual(new Set([32 * KIB, 64 * KIB, 128 * KIB]));
    expect(Math.abs(large.length / births.length / 0.1 - 1)).toBeLessThan(0.05);
  });

  it('are refused above the limit', () => {
    const list = steps({ threads: 1000, maxThreads: 900 });
    expect(list.reduce((most, { live }) => Math.max(most, live), 0)).toBe(900);
  });

  it('end with the number of creations asked for', () => {
    const list = steps({ threads: 10, creations: 123 });
    expect(ofOp(list, RequestOp.alloc)).toHaveLength(123);
    expect(list.at(-1)!.op).toBe(RequestOp.alloc);
  });
});

describe('kstack daemons, pools and storms', () => {
  it('start daemons first and never stop them', () => {
    const list = steps({ daemons: 5 });
    expect(list.map(({ time, op }) => [time, op])).toEqual(
      [0, 1000, 2000, 3000, 4000].map((time) => [time, 0]),
    );
  });

  it('grow and shrink pools between their bounds', () => {
    const list = steps({ pools: 3, poolMin: 2, poolMax: 9 });
    const sizes = new Set(list.filter(({ time }) => time > SECOND / 100).map(({ live }) => live));
    expect(Math.min(...sizes)).toBeGreaterThanOrEqual(6);
    expect(Math.max(...sizes)).toBeLessThanOrEqual(27);
    expect(sizes.size).toBeGreaterThan(10);
    expect(ofOp(list, RequestOp.free).length).toBeGreaterThan(100);
  });

  it('give up growing a pool where there may be no more threads', () => {
    const list = steps({ pools: 1, poolMin: 20, poolMax: 20, maxThreads: 5, spacingNs: 1 });
    expect(list.map(({ time, op }) => [time, op])).toEqual([0, 1, 2, 3, 4].map((time) => [time, 0]));
  });

  it('fork storms at their times, and all of their threads die', () => {
    const list = steps({ stormThreads: 50, stormEveryNs: 10 * SECOND, durationNs: 99 * SECOND });
    const births = ofOp(list, RequestOp.alloc);
    expect(births).toHaveLength(9 * 50);
    expect(births.map(({ time }) => time).slice(48, 51)).toEqual([1e10 + 48_000, 1e10 + 49_000, 2e10]);
    expect(list.at(-1)!.live).toBe(0);
  });
});

describe('kstack swapping', () => {
  const list = steps({
    daemons: 50,
    pools: 2,
    poolMin: 1,
    poolMax: 30,
    threads: 200,
    lives: [
      { share: 1, meanNs: SECOND },
      { share: 1, meanNs: 5 * SECOND },
      { share: 0, meanNs: 1 },
    ],
    swapEveryNs: SECOND / 50,
    swapLifeNs: 3 * SECOND,
  });

  it('alternates on a stack, and a thread exits with its stack in memory', () => {
    const out = new Set<number>();
    for (const { op, object } of list) {
      if (op === RequestOp.swapOut || op === RequestOp.free) expect(out.has(object)).toBe(false);
      if (op === RequestOp.swapIn) expect(out.delete(object)).toBe(true);
      if (op === RequestOp.swapOut) out.add(object);
    }
    expect(ofOp(list, RequestOp.swapIn).length).toBeGreaterThan(500);
  });

  it('has the whole stack go out', () => {
    expect(ofOp(list, RequestOp.swapOut).every(({ size }) => size === 16 * KIB)).toBe(true);
  });
});

describe('kstack streams', () => {
  it('are independent: storms and swaps do not change who arrives when', () => {
    const arrivals = (changes: Partial<KstackOptions>) =>
      ofOp(steps({ threads: 100, ...changes }), RequestOp.alloc).map(({ time }) => time);
    const plain = arrivals({});
    expect(arrivals({ swapEveryNs: SECOND })).toEqual(plain);
    expect(arrivals({ largePerMille: 500, cpus: 1 })).toEqual(plain);
    const withStorms = new Set(arrivals({ stormThreads: 10 }));
    expect(plain.filter((time) => !withStorms.has(time))).toEqual([]);
  });
});

describe('the kstack workload', () => {
  const make = (overrides: Parameters) =>
    kstack.create(Value.Default(kstack.parameters, { ...overrides }) as Parameters, 1);

  it.each([
    ['illumos', 20],
    ['netbsd', 16],
    ['freebsd', 16],
    ['linux', 16],
  ])('knows the stack of %s', (kernel, kib) => {
    expect(make({ kernel }).provenance.stackBytes).toBe(kib * KIB);
    expect(make({ kernel, stack_size: 4096 }).provenance.stackBytes).toBe(4096);
  });

  it.each([
    [{ daemons: 0, threads: 0, pools: 0, storm_threads: 0 }, 'threads: no thread is ever created'],
    [{ request_share: 0, session_share: 0, service_share: 0 }, 'request_share: no share'],
    [{ pool_min: 9, pool_max: 8 }, 'pool_min: 9 workers at least (allowed: at most pool_max, 8)'],
    [
      { max_threads: 2000 },
      'max_threads: 2000 threads at most (allowed: at least daemons, pools and threads together: 2116)',
    ],
    [
      { ramp: 2e9, duration: 1e9 },
      'ramp: the population is never reached (allowed: at most the duration, 1s)',
    ],
    [{ creations: 2115 }, 'creations: the population is never reached'],
    [
      { threads: 10, request_life: 1, session_share: 0, service_share: 0 },
      'threads: arrivals less than 1 ns apart',
    ],
  ])('refuses %j', (overrides, message) => {
    expect(inputErrorOf(() => make(overrides))).toContain(message);
  });
});

import { createHash } from 'node:crypto';
import { Value } from '@sinclair/typebox/value';
import { describe, expect, it } from 'vitest';
import { InputError, MisuseError } from '../../src/core/errors.js';
import { RandomStream } from '../../src/core/random.js';
import { RequestClass, RequestOp } from '../../src/core/request.js';
import { Simulation } from '../../src/core/simulation.js';
import { churn } from '../../src/workload/churn.js';
import { ChurnGenerator, type ChurnOptions } from '../../src/workload/churn-generator.js';
import type { Parameters } from '../../src/workload/definition.js';
import { type FiftyPercentOptions, FiftyPercentSource } from '../../src/workload/fifty-percent-source.js';
import { WORKLOADS } from '../../src/workload/registry.js';
import { SizeTable } from '../../src/workload/size-table.js';
import { RecordingPort } from '../support/recording-port.js';

const SIZES = { shape: 'uniform', minBytes: 16, maxBytes: 64, stepBytes: 16, exponent: 1 } as const;
const OPTIONS: ChurnOptions = {
  cls: 0,
  sizes: SIZES,
  live: 50,
  operations: 1000,
  meanIntervalNs: 10,
  cpus: 3,
};

function make(overrides: Parameters, seed = 1) {
  return churn.create(Value.Default(churn.parameters, { ...overrides }) as Parameters, seed);
}

function log(overrides: Parameters, seed = 1): string[] {
  const simulation = new Simulation(4);
  const port = new RecordingPort(simulation);
  make(overrides, seed).start(simulation, port);
  simulation.run();
  return port.log;
}

const isAlloc = ({ op }: ChurnGenerator): boolean => op === RequestOp.alloc;

describe('the churn generator', () => {
  it('ramps up, then replaces one object at a time, and never frees what is not live', () => {
    const generator = new ChurnGenerator(OPTIONS, 1);
    const live = new Set<number>();
    let operations = 0;
    let lastTime = 0;
    for (; generator.next(); operations++) {
      expect(live.has(generator.object)).toBe(!isAlloc(generator));
      if (isAlloc(generator)) live.add(generator.object);
      else live.delete(generator.object);
      if (operations >= 50) expect(live.size).toBe(isAlloc(generator) ? 50 : 49);
      expect(generator.time).toBeGreaterThanOrEqual(lastTime);
      expect(Math.floor(generator.time / 10)).toBe(operations);
      expect(generator.cpu).toBeLessThan(3);
      expect([16, 32, 48, 64]).toContain(generator.size);
      lastTime = generator.time;
    }
    expect(operations).toBe(1000);
    expect(generator.next()).toBe(false);
  });

  it('draws objects, sizes, CPUs and times from streams of their own', () => {
    const one = new ChurnGenerator(OPTIONS, 1);
    const other = new ChurnGenerator({ ...OPTIONS, sizes: { ...SIZES, maxBytes: 4096 }, cpus: 1 }, 1);
    while (one.next() && other.next()) expect([one.object, one.time]).toEqual([other.object, other.time]);
  });
});

const HALVED: FiftyPercentOptions = {
  cls: 2,
  sizes: SIZES,
  fillBytes: 10_000,
  half: 'random',
  growth: 4,
  operations: 5000,
  meanIntervalNs: 10,
  cpus: 2,
};

/** Each operation with the live objects and bytes after it. */
function follow(options: FiftyPercentOptions, seed = 1) {
  const generator = new FiftyPercentSource(options, seed);
  const live = new Map<number, number>();
  const steps: { isAlloc: boolean; object: number; size: number; objects: number; bytes: number }[] = [];
  let bytes = 0;
  while (generator.next()) {
    const { object, size } = generator;
    const isAlloc = generator.op === RequestOp.alloc;
    expect(live.has(object)).toBe(!isAlloc);
    bytes += isAlloc ? size : -live.get(object)!;
    if (isAlloc) live.set(object, size);
    else live.delete(object);
    steps.push({ isAlloc, object, size, objects: live.size, bytes });
  }
  return steps;
}

describe('the fifty-percent set-up', () => {
  it.each(['random', 'alternate'] as const)('fills, frees half (%s), then churns below the fill', (half) => {
    const steps = follow({ ...HALVED, half });
    const filled = steps.findIndex(({ isAlloc }) => !isAlloc);
    expect(steps[filled - 1]!.bytes).toBeGreaterThan(10_000 - 64);
    const halved = filled + Math.floor(filled / 2);
    expect(steps.slice(filled, halved).every(({ isAlloc }) => !isAlloc)).toBe(true);
    expect(steps[halved - 1]!.objects).toBe(Math.ceil(filled / 2));
    const churned = steps.slice(halved);
    expect(churned[0]!.isAlloc).toBe(true);
    expect(new Set(churned.filter((step) => step.isAlloc).map(({ size }) => size))).toEqual(
      new Set([64, 128, 192, 256]),
    );
    expect(Math.max(...steps.map(({ bytes }) => bytes))).toBeLessThanOrEqual(10_000);
    expect(Math.min(...churned.slice(churned.length / 2).map(({ bytes }) => bytes))).toBeGreaterThan(9000);
    expect(steps).toHaveLength(5000);
  });

  it('frees every other object in the order of allocation', () => {
    const freed = follow({ ...HALVED, half: 'alternate' }).filter(({ isAlloc }) => !isAlloc);
    expect(freed.slice(0, 50).map(({ object }) => object)).toEqual(
      Array.from({ length: 50 }, (_, index) => 2 * index + 1),
    );
  });

  it.each([
    [{ max_size: 65536, fill: 65536, growth: 2 }, 'fill: no room in 65536 bytes for a request of 131072'],
    [{ fill: 2 ** 40 }, 'fill: 1099511627776 bytes of the smallest size are too many objects'],
    [{ operations: 1535 }, 'operations: 1535 operations end before half of 67108864 bytes is freed'],
  ])('refuses %j', (overrides, message) => {
    const create = () => make({ setup: 'fifty-percent', ...overrides });
    expect(create).toThrow(InputError);
    expect(create).toThrow(message);
  });

  it('knows its largest request and how many objects it may have', () => {
    const workload = make({ setup: 'fifty-percent', growth: 3 });
    expect([workload.largestRequest, workload.objectLimit]).toEqual([3 * 65536, 16384]);
    expect(workload.provenance).toMatchObject({ setup: 'fifty-percent', growth: 3 });
  });
});

describe('size tables', () => {
  it('draw from two ranges', () => {
    const large = { minBytes: 1000, maxBytes: 1016, percent: 25 };
    const table = new SizeTable({ ...SIZES, shape: 'bimodal', large });
    const stream = new RandomStream(1, 'test');
    const draws = Array.from({ length: 10_000 }, () => table.draw(stream));
    expect(new Set(draws)).toEqual(new Set([16, 32, 48, 64, 1000, 1016]));
    expect(draws.filter((size) => size >= 1000).length / 10_000).toBeCloseTo(0.25, 1);
    expect([table.smallest, table.largest]).toEqual([16, 1016]);
  });

  it('draw every size of the range and no other', () => {
    const table = new SizeTable({ ...SIZES, maxBytes: 70 });
    const stream = new RandomStream(1, 'test');
    const seen = new Set(Array.from({ length: 500 }, () => table.draw(stream)));
    expect([...seen].sort((a, b) => a - b)).toEqual([16, 32, 48, 64]);
  });

  it('follow the power law', () => {
    const table = new SizeTable({
      shape: 'power-law',
      minBytes: 10,
      maxBytes: 1000,
      stepBytes: 10,
      exponent: 2,
    });
    const stream = new RandomStream(1, 'test');
    const counts = new Map<number, number>();
    for (let draw = 0; draw < 50_000; draw++) {
      const size = table.draw(stream);
      counts.set(size, (counts.get(size) ?? 0) + 1);
    }
    for (const k of [2, 3, 4]) {
      expect(Math.abs(counts.get(10)! / counts.get(10 * k)! / k ** 2 - 1)).toBeLessThan(0.07);
    }
  });

  it.each([
    [{ maxBytes: 15 }, 'max_size 15 is below min_size 16'],
    [{ minBytes: 0 }, 'min_size: 0 is no size'],
    [{ stepBytes: 0 }, 'size_step: 0 is no size'],
    [{ maxBytes: Number.NaN }, 'max_size: NaN is no size'],
    [{ shape: 'power-law', exponent: 1.5 }, 'exponent: 1.5 is no exponent'],
    [{ shape: 'power-law', maxBytes: 2 ** 40, exponent: 1 }, 'size_step: a power law over'],
    [
      { shape: 'bimodal', large: { minBytes: 9, maxBytes: 8, percent: 5 } },
      'large_max: large_max 8 is below large_min 9',
    ],
    [
      { shape: 'bimodal', large: { minBytes: 8, maxBytes: 8, percent: 100 } },
      'large_percent: 100 is no share of one of two ranges',
    ],
  ] as const)('refuse %j', (change, message) => {
    expect(() => new SizeTable({ ...SIZES, ...change })).toThrow(InputError);
    expect(() => new SizeTable({ ...SIZES, ...change })).toThrow(message);
  });
});

describe('the churn workload', () => {
  it('is the generator on the simulated clock', () => {
    const lines = log({ class: 'kmem', live: 2, operations: 5, min_size: 8, max_size: 8, size_step: 8 });
    expect(lines).toHaveLength(5);
    expect(lines.map((line) => line.replace(/^\d+ /, ''))).toEqual([
      'cpu0 +0 kmem 8',
      'cpu0 +1 kmem 8',
      expect.stringMatching(/^cpu0 -[01]$/),
      expect.stringMatching(/^cpu0 \+[01] kmem 8$/),
      expect.stringMatching(/^cpu0 -[01]$/),
    ]);
  });

  it('is the same for the same seed, another for another', () => {
    expect(log({ cpus: 4 })).toEqual(log({ cpus: 4 }));
    expect(log({ cpus: 4 }, 2)).not.toEqual(log({ cpus: 4 }));
  });

  it('asks the same as in earlier versions', () => {
    const digests = [{}, { cpus: 4, sizes: 'power-law', class: 'kmem', live: 77 }].map((overrides) => {
      const hash = createHash('sha256');
      const simulation = new Simulation(4);
      make(overrides).start(simulation, {
        alloc(object, cls, size, constraint, cpu) {
          hash.update(`${simulation.now} ${cpu} ${object} ${cls} ${size} ${constraint}\n`);
          return true;
        },
        free: (object, cpu) => void hash.update(`${simulation.now} ${cpu} -${object}\n`),
        act: () => expect.unreachable('a churn only allocates and frees'),
        reclaim: () => expect.unreachable('a churn only allocates and frees'),
      });
      simulation.run();
      return hash.digest('hex').slice(0, 16);
    });
    expect(digests).toEqual(['60711db89f238405', '04277da8282865ed']);
  });

  it('tells what it is', () => {
    const workload = make({ class: 'guest', operations: 10, mean_interval_ns: 7, live: 3, cpus: 2 }, 42);
    expect(workload.classes).toEqual([RequestClass.guest]);
    expect([workload.durationNs, workload.objectLimit, workload.cpus]).toEqual([70, 3, 2]);
    expect(workload.provenance).toMatchObject({ seed: 42, class: 'guest', operations: 10 });
  });

  it('refuses a run beyond the clock, and a simulation with too few CPUs', () => {
    expect(() => make({ operations: 2 ** 40, mean_interval_ns: 2 ** 20 })).toThrow('mean_interval_ns: ');
    const simulation = new Simulation(1);
    expect(() => make({ cpus: 2 }).start(simulation, new RecordingPort(simulation))).toThrow(MisuseError);
  });
});

describe('the registry of workloads', () => {
  it('is sorted by name, and describes each parameter', () => {
    const names = WORKLOADS.map(({ name }) => name);
    expect(names).toEqual([...new Set(names)].sort());
    for (const { parameters } of WORKLOADS) {
      for (const schema of Object.values(parameters.properties))
        expect(typeof schema.description).toBe('string');
    }
  });
});

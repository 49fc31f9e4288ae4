import { Value } from '@sinclair/typebox/value';
import { describe, expect, it } from 'vitest';
import { RequestClass, RequestOp } from '../../src/core/request.js';
import { KIB, MIB, SECOND } from '../../src/core/units.js';
import type { Parameters } from '../../src/workload/definition.js';
import { threadsAndHeap } from '../../src/workload/threads-and-heap.js';
import {
  slotsOf,
  stormStart,
  type ThreadsAndHeapOptions,
  ThreadsAndHeapSource,
} from '../../src/workload/threads-and-heap-source.js';
import { inputErrorOf } from '../support/input-error.js';

/** A ramp and nothing else. */
const RAMP: ThreadsAndHeapOptions = {
  threads: 1000,
  stackBytes: 8 * KIB,
  largePerMille: 0,
  heapBytes: 64 * MIB,
  unitBytes: 64 * KIB,
  largestKmem: 0,
  rampNs: 100 * SECOND,
  durationNs: 1000 * SECOND,
  churn: false,
  replaceNs: 0,
  storms: 0,
  stormThreads: 0,
  stormNs: SECOND,
  stayPerMille: 0,
  driverLoads: 0,
  driverBytes: 8 * MIB,
  pressureNs: 0,
  drain: false,
  cpus: 2,
};

interface Step {
  readonly time: number;
  readonly op: number;
  readonly object: number;
  readonly cls: number;
  readonly size: number;
  readonly cpu: number;
  /** After the step. */
  readonly threads: number;
  readonly heapBytes: number;
}

function steps(changes: Partial<ThreadsAndHeapOptions>, seed = 1): Step[] {
  const options = { ...RAMP, ...changes };
  const source = new ThreadsAndHeapSource(options, seed);
  const found: Step[] = [];
  const live = new Map<number, { cls: number; size: number }>();
  let threads = 0;
  let heapBytes = 0;
  while (source.next()) {
    const { time, op, object, cpu } = source;
    const isAlloc = op === RequestOp.alloc;
    if (isAlloc) {
      expect(live.has(object)).toBe(false);
      expect(object).toBeLessThan(slotsOf(options));
      live.set(object, { cls: source.cls, size: source.size });
    }
    const { cls, size } = live.get(object) ?? { cls: -1, size: 0 };
    const sign = isAlloc ? 1 : op === RequestOp.free ? -1 : 0;
    if (cls === RequestClass.kstack) threads += sign;
    else heapBytes += sign * size;
    if (op === RequestOp.free) live.delete(object);
    found.push({ time, op, object, cls, size, cpu, threads, heapBytes });
  }
  expect(source.next()).toBe(false);
  return found;
}

const at = (list: readonly Step[], time: number) => list.filter((step) => step.time <= time).at(-1)!;
const peakThreads = (list: readonly Step[]) => Math.max(...list.map(({ threads }) => threads));

describe('threads-and-heap', () => {
  it('grows threads and heap in proportion', () => {
    const list = steps({});
    for (const percent of [10, 50, 90]) {
      const { threads, heapBytes } = at(list, percent * SECOND);
      expect(threads).toBe(10 * percent);
      expect(Math.abs(heapBytes / MIB - 0.64 * percent)).toBeLessThan(0.07);
    }
    expect(list.at(-1)).toMatchObject({ threads: 1000, heapBytes: 64 * MIB, time: 100 * SECOND });
  });

  it('keeps threads at their target while they end, and the heap below its own', () => {
    const list = steps({ churn: true, unitBytes: 0, largestKmem: 64 * KIB, replaceNs: SECOND / 10 });
    const plateau = list.filter(({ time }) => time > 100 * SECOND);
    const ends = plateau.filter(({ op, cls }) => op === RequestOp.free && cls === RequestClass.kstack);
    // Little's law: 1000 threads of 1815 s in the mean, for 900 s.
    expect(ends.length).toBeGreaterThan(400);
    expect(ends.length).toBeLessThan(600);
    expect(plateau.every(({ threads }) => threads === 1000 || threads === 999)).toBe(true);
    expect(Math.max(...plateau.map(({ heapBytes }) => heapBytes))).toBeLessThanOrEqual(64 * MIB);
    expect(plateau.length).toBeGreaterThan(9000);
  });

  it('mixes sizes as the specification does', () => {
    const list = steps({ heapBytes: 2000 * MIB, unitBytes: 0, largestKmem: 64 * KIB, threads: 0 });
    const share = (from: number, to: number) =>
      list.filter(({ size }) => size >= from && size <= to).length / list.length;
    expect(share(4 * KIB, 64 * KIB)).toBeCloseTo(0.9, 1);
    expect(share(128 * KIB, 512 * KIB)).toBeCloseTo(0.085, 1);
    expect(share(MIB, 4 * MIB)).toBeCloseTo(0.015, 2);
    // Of kmem, 4, 8, 16, 32, 32 and 64 KiB: half is of the first three, a third of 32.
    expect(share(4 * KIB, 16 * KIB) / share(4 * KIB, 64 * KIB)).toBeCloseTo(1 / 2, 1);
    expect(share(32 * KIB, 32 * KIB) / share(4 * KIB, 64 * KIB)).toBeCloseTo(1 / 3, 1);
    expect(list.every(({ cls, size }) => (cls === RequestClass.kmem) === size <= 64 * KIB)).toBe(true);
    const ranges = steps({ heapBytes: 2000 * MIB, unitBytes: 0, largestKmem: 0, threads: 0 });
    expect(ranges.map(({ size }) => size)).toEqual(list.map(({ size }) => size));
    expect(ranges.every(({ cls }) => cls === RequestClass.va)).toBe(true);
  });

  it('storms: so many threads more, then all gone but those that stay', () => {
    const storms = { storms: 3, stormThreads: 500, stormNs: 10 * SECOND };
    const gone = steps(storms);
    expect([0, 1, 2].map((number) => stormStart({ ...RAMP, ...storms }, number) / SECOND)).toEqual([
      300, 500, 700,
    ]);
    expect(at(gone, 309.999 * SECOND).threads).toBe(1500);
    expect(at(gone, 321 * SECOND).threads).toBe(1000);
    expect(peakThreads(gone)).toBe(1500);
    const stayed = steps({ ...storms, stayPerMille: 100 }).at(-1)!.threads - 1000;
    expect(Math.abs(stayed / 150 - 1)).toBeLessThan(0.2);
    const exits = gone.filter(({ op }) => op === RequestOp.free).map(({ object }) => object);
    expect(exits).not.toEqual([...exits].sort((a, b) => a - b));
  });

  it('storms: none of many threads stays, or all do', () => {
    const storm = { storms: 1, stormThreads: 20_000, stormNs: 10 * SECOND, heapBytes: 0 };
    const left = [0, 1000].map((stayPerMille) => steps({ ...storm, stayPerMille }).at(-1)!.threads);
    expect(left).toEqual([1000, 21_000]);
  });

  it('replaces heap objects up to the very target', () => {
    const list = steps({ threads: 0, replaceNs: SECOND / 10, heapBytes: 4 * MIB });
    const replaced = list.filter(({ time, op }) => time > 100 * SECOND && op === RequestOp.alloc);
    expect(replaced.length).toBeGreaterThan(8000);
    expect(replaced.every(({ heapBytes }) => heapBytes === 4 * MIB)).toBe(true);
  });

  it('asks and gives back on all CPUs alike', () => {
    const list = steps({ churn: true, replaceNs: SECOND / 10, cpus: 4 });
    for (const wanted of [RequestOp.alloc, RequestOp.free]) {
      const own = list.filter(({ op }) => op === wanted);
      for (const cpu of [0, 1, 2, 3]) {
        expect(own.filter((step) => step.cpu === cpu).length / own.length).toBeCloseTo(1 / 4, 1);
      }
    }
  });

  it('has threads exit on all CPUs when they drain', () => {
    const list = steps({ drain: true, cpus: 4 }).filter(({ time }) => time >= 950 * SECOND);
    for (const cpu of [0, 1, 2, 3]) {
      expect(list.filter((step) => step.cpu === cpu).length / list.length).toBeCloseTo(1 / 4, 1);
    }
  });

  it('has some larger stacks, of up to 17 pages where the default is two', () => {
    const sizes = steps({ threads: 20_000, largePerMille: 100, heapBytes: 0 }).map(({ size }) => size / KIB);
    const counted = [8, 20, 36, 68].map((kib) => sizes.filter((size) => size === kib).length / 20_000);
    expect(counted.map((part) => part.toFixed(2))).toEqual(['0.90', '0.05', '0.03', '0.02']);
  });

  it('loads drivers at 80 %, presses when told, and drains at 95 %', () => {
    const list = steps({ driverLoads: 8, drain: true, churn: true, pressureNs: 300 * SECOND });
    const drivers = list.filter(({ size, op }) => size === 8 * MIB && op === RequestOp.alloc);
    expect(drivers.map(({ time }) => time)).toEqual(
      [0, 1, 2, 3, 4, 5, 6, 7].map((number) => 800 * SECOND + number * 1e6),
    );
    const pressures = list.filter(({ op }) => op === RequestOp.reclaim);
    expect(pressures.map(({ time }) => time / SECOND)).toEqual([300, 600, 900]);
    expect(at(list, 949 * SECOND).threads).toBe(1000);
    expect(list.at(-1)).toMatchObject({ threads: 0, time: 950 * SECOND, heapBytes: (64 + 64) * MIB });
  });

  it('draws what one parameter concerns apart from the others', () => {
    const stacks = (changes: Partial<ThreadsAndHeapOptions>) =>
      steps({ largePerMille: 200, ...changes })
        .filter(({ cls }) => cls === RequestClass.kstack)
        .map(({ size }) => size);
    expect(stacks({ unitBytes: 0, replaceNs: SECOND })).toEqual(stacks({}));
  });

  it.each([
    [{ threads: 0, heap: 0 }, /^threads: neither threads nor heap/],
    [{ heap_sizes: 'even', heap: 4096 }, /^heap_unit: 65536 bytes at a time \(allowed: at most heap, 4096\)/],
    [{ heap: 2 ** 40, heap_sizes: 'even', heap_unit: 1 }, /^heap: .* objects at a time/],
    [{ ramp: 500 * SECOND }, /^ramp: no time is left behind the ramp \(allowed: at most 70 % of/],
    [{ storm_time: 40 * SECOND }, /^storm_time: storms that overlap .*allowed: 2us to 30s/],
    [{ storms: 100 }, /^storm_time: storms that overlap/],
    [{ storm_time: 100 }, /^storm_time: storms that overlap or fork less than 1 ns apart/],
  ] as const)('refuses %o', (values, message) => {
    const parameters = Value.Default(threadsAndHeap.parameters, { ...values }) as Parameters;
    expect(inputErrorOf(() => threadsAndHeap.create(parameters, 1))).toMatch(message);
  });

  it('has no storm without threads, whatever is said of its time', () => {
    const values = { storm_threads: 0, storm_time: 400 * SECOND, storms: 100 };
    const parameters = Value.Default(threadsAndHeap.parameters, values) as Parameters;
    expect(() => threadsAndHeap.create(parameters, 1)).not.toThrow();
  });

  it('says how large a request may be', () => {
    const largest = (values: Parameters) =>
      threadsAndHeap.create(Value.Default(threadsAndHeap.parameters, { ...values }) as Parameters, 1)
        .largestRequest;
    expect(largest({})).toBe(8 * MIB);
    expect(largest({ driver_loads: 0 })).toBe(4 * MIB);
    expect(largest({ driver_loads: 0, heap_sizes: 'even', heap_unit: 4 * KIB })).toBe(68 * KIB);
    expect(largest({ driver_loads: 0, heap: 0, large_stacks: 0 })).toBe(8 * KIB);
  });
});

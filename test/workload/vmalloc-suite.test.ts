import { Value } from '@sinclair/typebox/value';
import { describe, expect, it } from 'vitest';
import { InputError } from '../../src/core/errors.js';
import { RequestClass } from '../../src/core/request.js';
import { Simulation } from '../../src/core/simulation.js';
import type { Parameters } from '../../src/workload/definition.js';
import { vmallocSuite } from '../../src/workload/vmalloc-suite.js';
import { VMALLOC_TESTS } from '../../src/workload/vmalloc-suite-tests.js';
import { CheckingPort } from '../support/checking-port.js';
import { RecordingPort } from '../support/recording-port.js';

const PAGE = 4096;

function make(overrides: Parameters, seed = 1) {
  return vmallocSuite.create(Value.Default(vmallocSuite.parameters, { ...overrides }) as Parameters, seed);
}

/** Requests without their time, in order; the class is left out. */
function requests(overrides: Parameters, seed = 1): string[] {
  const workload = make(overrides, seed);
  const simulation = new Simulation(workload.cpus);
  const port = new RecordingPort(simulation);
  workload.start(simulation, port);
  simulation.run();
  expect(simulation.now).toBeLessThanOrEqual(workload.durationNs);
  return port.log.map((line) => line.replace(/^\d+ /, '').replace(/ va| kmem/, ''));
}

const onOne = (test: string, rest: Parameters = {}) =>
  requests({ test, cpus: 1, loops: 2, ...rest }).map((line) => line.replace('cpu0 ', ''));

/** Size and alignment of each allocation. */
function areas(overrides: Parameters): { size: number; align: number }[] {
  const { align } = make(overrides).constraints;
  return requests(overrides)
    .map((line) => /\+\d+ (\d+)(?: row (\d+))?$/.exec(line))
    .filter((match) => match !== null)
    .map((match) => ({
      size: Number(match[1]),
      align: match[2] === undefined ? 0 : align[Number(match[2])]!,
    }));
}

const counts = <T>(values: readonly T[]) =>
  values.reduce((map, value) => map.set(value, (map.get(value) ?? 0) + 1), new Map<T, number>());

describe('the tests of vmalloc', () => {
  it('are the eleven of Linux, in the order of their bits', () => {
    expect(Object.keys(VMALLOC_TESTS)).toEqual([
      'fix_size_alloc_test',
      'full_fit_alloc_test',
      'long_busy_list_alloc_test',
      'random_size_alloc_test',
      'fix_align_alloc_test',
      'random_size_align_alloc_test',
      'align_shift_alloc_test',
      'pcpu_alloc_test',
      'kvfree_rcu_1_arg_vmalloc_test',
      'kvfree_rcu_2_arg_vmalloc_test',
      'vm_map_ram_test',
    ]);
  });

  it.each(Object.keys(VMALLOC_TESTS))('%s keeps to the contract of workloads and frees all', (test) => {
    const workload = make({ test, loops: 300, holes: 50, busy: 40, pcpu_objects: 200, rcu_batch: 7 });
    const simulation = new Simulation(workload.cpus);
    const port = new CheckingPort(simulation, workload);
    workload.start(simulation, port);
    simulation.run();
    expect(port.allocs).toBeGreaterThan(100);
    expect(port.events).toBe(2 * port.allocs);
  });

  it('fix_size: an area and its guard page, freed at once', () => {
    expect(onOne('fix_size_alloc_test', { pages: 3 })).toEqual(['+0 16384', '-0', '+0 16384', '-0']);
  });

  it('vm_map_ram: without a guard page', () => {
    expect(onOne('vm_map_ram_test', { pages: 3, loops: 1 })).toEqual(['+0 12288', '-0']);
  });

  it('full_fit: holes of exactly one area, into which the loops go', () => {
    expect(onOne('full_fit_alloc_test', { holes: 2 })).toEqual([
      ...['+0 8192', '+1 8192', '+2 8192', '+3 8192', '-1', '-3'],
      ...['+4 8192', '-4', '+4 8192', '-4', '-0', '-2'],
    ]);
  });

  it('full_fit: as many holes as Linux lets freed pages wait', () => {
    for (const [cpus, pages] of [
      [1, 8192],
      [3, 16_384],
      [4, 24_576],
    ]) {
      const { objectLimit } = make({ test: 'full_fit_alloc_test', cpus: cpus! });
      expect(objectLimit / cpus!).toBe(2 * pages! + 1);
    }
  });

  it('long_busy_list: many areas stay, a large and a small one come and go', () => {
    expect(onOne('long_busy_list_alloc_test', { busy: 2, loops: 1 })).toEqual([
      ...['+0 8192', '+1 8192', `+2 ${101 * PAGE}`, '+3 8192', '-2', '-3', '-0', '-1'],
    ]);
  });

  it('random_size: 1 to 100 pages, evenly', () => {
    const sizes = counts(
      areas({ test: 'random_size_alloc_test', loops: 5000 }).map(({ size }) => size / PAGE - 1),
    );
    expect([...sizes.keys()].sort((a, b) => a - b)).toEqual(Array.from({ length: 100 }, (_, k) => k + 1));
    for (const count of sizes.values()) expect(Math.abs(count / 200 - 1)).toBeLessThan(0.4);
  });

  it('fix_align: five pages on 32 KiB', () => {
    expect(areas({ test: 'fix_align_alloc_test', cpus: 1, loops: 1 })).toEqual([
      { size: 6 * PAGE, align: 32_768 },
    ]);
  });

  it('random_size_align: one byte decides about size and alignment', () => {
    const seen = areas({ test: 'random_size_align_alloc_test', loops: 5000 });
    const possible = Array.from({ length: 256 }, (_, byte) => {
      const align = 2 ** (byte % 23);
      return `${((byte % 10) + 2) * PAGE} ${align > PAGE ? align : 0}`;
    });
    expect(new Set(seen.map(({ size, align }) => `${size} ${align}`))).toEqual(new Set(possible));
  });

  it('align_shift: each alignment once, none above the largest', () => {
    const aligns = areas({ test: 'align_shift_alloc_test', cpus: 1, max_align: 65_535 }).map(
      ({ align }) => align,
    );
    expect(aligns).toEqual([...Array.from({ length: 13 }, () => 0), 8192, 16_384, 32_768]);
  });

  it('pcpu_alloc: objects of up to 1024 bytes, all freed at the end', () => {
    const lines = onOne('pcpu_alloc_test', { pcpu_objects: 400 });
    expect(lines.slice(400)).toEqual(Array.from({ length: 400 }, (_, object) => `-${object}`));
    const sizes = lines.slice(0, 400).map((line) => Number(line.split(' ')[1]));
    expect([Math.min(...sizes) >= 1, Math.max(...sizes) > 900, Math.max(...sizes) <= 1024]).toEqual([
      true,
      true,
      true,
    ]);
    expect(make({ test: 'pcpu_alloc_test' }).classes).toEqual([RequestClass.kmem]);
  });

  it('kvfree_rcu: batches, the last one smaller', () => {
    const lines = onOne('kvfree_rcu_2_arg_vmalloc_test', { loops: 5, rcu_batch: 3 });
    expect(lines.map((line) => line.split(' ')[0])).toEqual([
      ...['+0', '+1', '+2', '-0', '-1', '-2'],
      ...['+0', '+1', '-0', '-1'],
    ]);
  });

  it('run on each CPU in its own order, mixed by chance', () => {
    const lines = requests({ cpus: 3, loops: 50 });
    for (const cpu of [0, 1, 2]) {
      const own = lines.filter((line) => line.startsWith(`cpu${cpu} `));
      expect(own).toEqual(
        Array.from({ length: 100 }, (_, i) => `cpu${cpu} ${i % 2 ? `-${cpu}` : `+${cpu} 8192`}`),
      );
    }
    expect(requests({ cpus: 3, loops: 50 }, 2)).not.toEqual(lines);
  });

  it('ask for no alignment that a page has anyway', () => {
    const { constraints } = make({ test: 'random_size_align_alloc_test' });
    expect([...constraints.align]).toEqual(Array.from({ length: 10 }, (_, k) => 2 ** (13 + k)));
  });

  it.each([
    [{ page: 5000 }, 'page: 5000 bytes are no page'],
    [{ loops: 2 ** 40, mean_interval: 1e6 }, 'mean_interval: '],
    [{ test: 'pcpu_alloc_test', cpus: 1024, pcpu_objects: 2 ** 20 }, 'cpus: 1048576 objects on each of 1024'],
  ])('refuse %j', (overrides, message) => {
    expect(() => make(overrides)).toThrow(InputError);
    expect(() => make(overrides)).toThrow(message);
  });
});

import { describe, expect, it } from 'vitest';
import { canonicalJson, sha256 } from '../../src/harness/digest.js';
import { type Plan, planSuite } from '../../src/harness/plan.js';
import type { Suite } from '../../src/harness/suite.js';
import type { WorkloadDefinition } from '../../src/workload/definition.js';
import { inputErrorOf } from '../support/input-error.js';
import { TOYS } from '../support/toy.js';
import { toyComponent, toySuite } from '../support/toy-suite.js';

function plan(changes: Partial<Suite> = {}, version = '1.0.0'): Plan {
  return planSuite({ ...toySuite(), ...changes }, TOYS, version);
}

function digests(changes: Partial<Suite> = {}, version = '1.0.0'): string[] {
  return plan(changes, version).cells.map(({ configurationDigest }) => configurationDigest);
}

describe('planSuite', () => {
  it('makes a cell of each workload, seed and backend, in this order, with stable names', () => {
    expect(plan({ seeds: [1, 7] }).cells.map(({ id }) => id)).toEqual([
      'toy-load.toy-fit.s1',
      'toy-load.toy-fit_size_32KiB.s1',
      'toy-load.toy-fit.s7',
      'toy-load.toy-fit_size_32KiB.s7',
    ]);
  });

  it('digests the configuration: sha256 of its canonical JSON', () => {
    const [cell] = plan().cells;
    expect(cell!.configurationDigest).toBe(sha256(canonicalJson(cell!.configuration)));
  });

  it('gives every change that may change a result another digest', () => {
    const backends = [
      toyComponent('backend', 'toy-fit:quantum=32'),
      toyComponent('backend', 'toy-fit:size=32KiB'),
    ];
    const changed = [
      digests(),
      digests({ seeds: [2] }),
      digests({ samples: 9 }),
      digests({ cpus: 3 }),
      digests({ backends }),
      digests({ workloads: [toyComponent('workload', 'toy-load:events=5')] }),
      digests({}, '1.0.1'),
    ].map(([first]) => first);
    expect(new Set(changed).size).toBe(changed.length);
  });

  it('leaves the folder of a path out of the digest', () => {
    const at = (folder: string) =>
      digests({ workloads: [toyComponent('workload', 'toy-load:note=a/x.txt', folder)] });
    expect(at('/one')).toEqual(at('/two'));
    expect(
      JSON.stringify(plan({ workloads: [toyComponent('workload', 'toy-load:note=x', '/one')] }).cells),
    ).toContain('/one/x');
  });

  it('finds a backend that cannot be built before anything runs, and names it', () => {
    const backends = [toyComponent('backend', 'toy-fit:size=4095')];
    expect(inputErrorOf(() => plan({ backends }))).toBe(
      "backend 'toy-fit:size=4095': size: arena too small (allowed: at least 4KiB)",
    );
  });

  it('refuses a backend whose arenas are smaller than one request of the workload', () => {
    const [toy] = TOYS.workloads;
    const create: WorkloadDefinition['create'] = (parameters, seed) =>
      Object.assign(toy!.create(parameters, seed), { largestRequest: 40_000 });
    const registries = { ...TOYS, workloads: [{ ...toy!, create }] };
    expect(inputErrorOf(() => planSuite(toySuite(), registries, '1'))).toBe(
      "workload 'toy-load' asks for 40000 bytes at once, and backend 'toy-fit:size=32KiB' has 32768 (allowed: an arena that holds the largest request)",
    );
    const [large] = toySuite().backends;
    expect(planSuite({ ...toySuite(), backends: [large!] }, registries, '1').cells).toHaveLength(1);
  });

  it('refuses fewer CPUs than the workload uses', () => {
    expect(inputErrorOf(() => plan({ cpus: 1 }))).toContain('(allowed: at least 2)');
  });

  it('refuses cells that would share a file, also where case is not told apart', () => {
    const one = toyComponent('backend', 'toy-fit');
    expect(inputErrorOf(() => plan({ backends: [one, one] }))).toContain(
      "two cells would be called 'toy-load.toy-fit.s1'",
    );
    const other = { ...one, label: 'TOY-fit' };
    expect(inputErrorOf(() => plan({ backends: [one, other] }))).toContain(
      'tell workloads and backends apart',
    );
  });
});

describe('canonicalJson', () => {
  it('does not depend on the order of keys, at any depth', () => {
    expect(canonicalJson({ b: [{ d: 1, c: null }], a: 'x' })).toBe('{"a":"x","b":[{"c":null,"d":1}]}');
  });
});

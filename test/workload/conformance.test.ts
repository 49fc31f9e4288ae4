import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Value } from '@sinclair/typebox/value';
import { describe, expect, it } from 'vitest';
import { Simulation } from '../../src/core/simulation.js';
import type { Workload } from '../../src/workload/contract.js';
import type { Parameters, WorkloadDefinition } from '../../src/workload/definition.js';
import { WORKLOADS } from '../../src/workload/registry.js';
import { CheckingPort } from '../support/checking-port.js';
import { repositoryRoot } from '../support/shared.js';

/** Workloads that need no input file. */
const GENERATORS = WORKLOADS.filter(({ parameters }) =>
  (parameters.required ?? []).every((name) => parameters.properties[name]!.default !== undefined),
);

function make(definition: WorkloadDefinition, seed = 1, parameters: Parameters = {}): Workload {
  return definition.create(Value.Default(definition.parameters, { ...parameters }) as Parameters, seed);
}

/** Parameters for hundreds of thousands of requests, of generators that have few by default. */
const MANY: Readonly<Record<string, Parameters>> = {
  guest: { arrival: 1e9, short_life: 600e9, long_life: 1200e9, attach_every: 60e9 },
  kstack: {
    threads: 500,
    session_share: 0,
    service_share: 0,
    request_life: 100e6,
    duration: 90e9,
  },
  'threads-and-heap': { threads: 500, heap: 2 ** 25, ramp: 1e9, replace_every: 2e6, storms: 0, drain: false },
};

function run(workload: Workload, at = 0, prepare: (port: CheckingPort) => void = () => {}): CheckingPort {
  const simulation = new Simulation(workload.cpus);
  const port = new CheckingPort(simulation, workload, at);
  prepare(port);
  workload.start(simulation, port, at);
  simulation.run();
  return port;
}

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

function retainedBytes(): number {
  collectGarbage();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

describe('docs/workloads.md', () => {
  it('has a section for every workload', () => {
    const text = readFileSync(join(repositoryRoot, 'docs/workloads.md'), 'utf8');
    const missing = WORKLOADS.filter(({ name }) => !text.includes(`\n## ${name}\n`));
    expect(missing.map(({ name }) => name)).toEqual([]);
  });
});

describe.each(GENERATORS.map((definition) => [definition.name, definition] as const))(
  '%s',
  (_, definition) => {
    it('keeps to the contract of workloads, and is the same at every start, wherever its clock begins', () => {
      const workload = make(definition);
      const first = run(workload);
      expect(first.allocs).toBeGreaterThan(100);
      const digest = first.digest();
      expect(run(workload, 5e9).digest()).toBe(digest);
      expect(run(make(definition)).digest()).toBe(digest);
    });

    it('differs from seed to seed', () => {
      expect(run(make(definition, 2)).digest()).not.toBe(run(make(definition, 3)).digest());
    });

    it('says what it is', () => {
      const { provenance, name } = make(definition, 7);
      expect(name).toBe(definition.name);
      expect(provenance).toMatchObject({ workload: definition.name, seed: 7 });
      expect(JSON.parse(JSON.stringify(provenance))).toEqual(provenance);
    });

    it('keeps nothing per event', () => {
      const many = MANY[definition.name];
      const events = run(make(definition, 1, many)).events;
      const retained: number[] = [];
      run(make(definition, 1, many), 0, (port) => {
        port.onRequest = () => {
          if (port.events === events >> 1 || port.events === events) retained.push(retainedBytes());
        };
      });
      expect(retained).toHaveLength(2);
      // The engine compiles meanwhile, which takes some of the heap; what a generator kept would be 4 bytes or more each.
      const growth = retained[1]! - retained[0]!;
      expect(growth).toBeLessThan(64 * 1024 + 2 * (events >> 1));
    });

    it('can be sent to a worker as numbers and text', () => {
      const values = Value.Default(definition.parameters, {}) as Parameters;
      const copy = structuredClone(values);
      expect(run(definition.create(copy, 1)).digest()).toBe(run(definition.create(values, 1)).digest());
    });
  },
);

import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, it } from 'vitest';
import { BACKENDS } from '../../src/backend/registry.js';
import { withDefaults } from '../../src/conformance/client.js';
import type { Address } from '../../src/core/address.js';
import { constraintTable, RequestClass, type RequestPort } from '../../src/core/request.js';
import { Simulation } from '../../src/core/simulation.js';
import { MIB } from '../../src/core/units.js';
import { churnWorkload } from '../../src/workload/churn.js';
import type { ChurnOptions } from '../../src/workload/churn-generator.js';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

function heapBytes(): number {
  collect();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

const LIVE = 2000;
const CHURN: Omit<ChurnOptions, 'cls'> = {
  sizes: { shape: 'uniform', minBytes: 4096, maxBytes: 65536, stepBytes: 4096, exponent: 1 },
  live: LIVE,
  operations: 1_000_000,
  meanIntervalNs: 100,
  cpus: 4,
};

it.each(BACKENDS)('a million steady events leave no trace in the heap: $name', (definition) => {
  const simulation = new Simulation(4);
  const environment = { simulation, constraints: constraintTable([]) };
  const backend = definition.create(withDefaults(definition), environment);
  const classes = [RequestClass.va, RequestClass.guest, RequestClass.kstack];
  const asked = classes.find((cls) => backend.serves.includes(cls))!;
  const workload = churnWorkload({ ...CHURN, cls: asked }, 1);
  const addresses = new Float64Array(LIVE);
  const sizes = new Float64Array(LIVE);
  const readings: number[] = [];
  let events = 0;
  const count = () => {
    events++;
    if (events % 250_000 === 0) readings.push(heapBytes());
  };
  const port: RequestPort = {
    alloc(object, cls, size, constraint, cpu) {
      sizes[object] = size;
      addresses[object] = backend.alloc(cls, size, constraint, cpu);
      count();
      return true;
    },
    free(object, cpu) {
      const address: Address = addresses[object]!;
      backend.free(asked, address, sizes[object]!, -1, cpu);
      count();
    },
    act: () => expect.unreachable('a churn only allocates and frees'),
    reclaim: () => expect.unreachable('a churn only allocates and frees'),
  };
  workload.start(simulation, port);
  simulation.run();
  expect(events).toBe(1_000_000);
  expect(readings).toHaveLength(4);
  expect(readings.at(-1)! - readings[0]!).toBeLessThan(MIB);
});

import { describe, expect, it } from 'vitest';
import { firstFitMap } from '../../src/backend/first-fit-map.js';
import { Client } from '../../src/conformance/client.js';
import { RequestClass } from '../../src/core/request.js';
import { Priority } from '../../src/core/simulation.js';
import { KIB } from '../../src/core/units.js';
import { Sampler } from '../../src/harness/sampler.js';
import { PROBE_COLUMNS } from '../../src/probe/registry.js';
import { RequestFigures } from '../../src/probe/request-figures.js';

const ALLOCS = PROBE_COLUMNS.findIndex(({ name }) => name === 'allocs');

/** Samples of a run that makes one request at each of the times and ends with the last. */
function sampled(times: readonly number[], count: number, durationNs: number): Sampler {
  const { simulation, backend } = new Client(firstFitMap);
  const requests = new RequestFigures();
  const sampler = new Sampler({ simulation, backend, requests }, count, durationNs);
  simulation.workloadStarted();
  sampler.start(simulation);
  const handler = simulation.register({
    fire: (number) => {
      backend.alloc(RequestClass.va, 4 * KIB, -1, 0);
      requests.allocs++;
      if (number === times.length - 1) simulation.workloadFinished();
    },
  });
  times.forEach((time, number) => {
    simulation.schedule(time, Priority.request, handler, number);
  });
  simulation.run();
  sampler.finish();
  return sampler;
}

describe('samples', () => {
  it('see the requests of their own time', () => {
    const { timeNs, rows } = sampled([1000, 2000, 3000, 4000], 4, 4000);
    expect(timeNs).toEqual([1000, 2000, 3000, 4000]);
    expect(rows.map((row) => row[ALLOCS])).toEqual([1, 2, 3, 4]);
  });

  it('end with the run, be that before or after the announced time', () => {
    expect(sampled([500, 2500], 4, 4000).timeNs).toEqual([1000, 2000, 2500]);
    expect(sampled([500, 5000], 4, 4000).timeNs).toEqual([1000, 2000, 3000, 5000]);
  });

  it('have each table once per time, with the number of the sample; those of the end without', () => {
    const { timeNs, arenas, tables } = sampled([1000, 3000], 4, 4000);
    expect(timeNs).toEqual([1000, 2000, 3000]);
    const numbers = tables.spectrum!.map(([sample]) => sample);
    expect([...new Set(numbers)]).toEqual([0, 1, 2]);
    const perSample = [0, 1, 2].map((sample) => numbers.filter((number) => number === sample).length);
    expect(new Set(perSample).size).toBe(1);
    const names = arenas.filter(({ sample }) => sample === 2).map(({ arena }) => arena);
    expect(new Set(names).size).toBe(names.length);
    expect(tables.locks!.map(([name]) => name)).toEqual(['kernel map', 'kmem map']);
  });
});

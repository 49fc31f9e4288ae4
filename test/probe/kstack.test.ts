import { describe, expect, it } from 'vitest';
import type { BackendDefinition } from '../../src/backend/contract.js';
import { firstFitMap } from '../../src/backend/first-fit-map.js';
import { freebsdKstackSingle } from '../../src/backend/freebsd-kstack-single.js';
import { Client } from '../../src/conformance/client.js';
import { RequestClass } from '../../src/core/request.js';
import { KIB } from '../../src/core/units.js';
import { kstackProbe } from '../../src/probe/kstack.js';
import { RequestFigures } from '../../src/probe/request-figures.js';

function sample(definition: BackendDefinition, stacks: number): Record<string, number> {
  const client = new Client(definition);
  const { simulation, backend } = client;
  for (let count = 0; count < stacks; count++) client.alloc(RequestClass.kstack, 16 * KIB);
  const row = new Float64Array(kstackProbe.columns.length);
  kstackProbe.sample({ simulation, backend, requests: new RequestFigures() }, row, 0);
  return Object.fromEntries(kstackProbe.columns.map(({ name }, index) => [name, row[index]!]));
}

describe('the probe of kernel stacks', () => {
  it('reads the stacks of a backend that has them', () => {
    // Stacks are built by eights: 64 of 5 pages of address space, the first page of each a guard.
    expect(sample(freebsdKstackSingle, 64)).toMatchObject({
      stack_objects: 1,
      stack_index_span: 319,
      stack_index_holes: 63,
      stack_reservations: 1,
      stack_reservations_full: 0,
      stack_reservations_partial: 1,
      stack_reservation_fill: 0.5,
      stack_contiguous: 1,
      stack_run_mean: 4,
      stack_run_longest: 4,
      stack_swap_writes: 0,
      stack_object_locks: 64,
      stack_cache_hit_rate: 56 / 64,
      stack_kva: 64 * 20 * KIB,
    });
  });

  it('has nothing to divide while there are no stacks', () => {
    const figures = sample(freebsdKstackSingle, 0);
    expect([figures.stack_contiguous, figures.stack_run_mean, figures.stack_cluster_pages]).toEqual([
      Number.NaN,
      Number.NaN,
      Number.NaN,
    ]);
  });

  it('is empty for a backend without a model of stacks', () => {
    expect(new Set(Object.values(sample(firstFitMap, 64)))).toEqual(new Set([Number.NaN]));
  });
});

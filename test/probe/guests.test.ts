import { describe, expect, it } from 'vitest';
import type { BackendDefinition, Parameters } from '../../src/backend/contract.js';
import { firstFitMap } from '../../src/backend/first-fit-map.js';
import { illumosGuestInHeap } from '../../src/backend/illumos-guest-in-heap.js';
import { illumosSegkvmm } from '../../src/backend/illumos-segkvmm.js';
import { withDefaults } from '../../src/conformance/client.js';
import { constraintTable, RequestClass, UNCONSTRAINED } from '../../src/core/request.js';
import { Simulation } from '../../src/core/simulation.js';
import { GIB, KIB, TIB } from '../../src/core/units.js';
import { CheckedPort } from '../../src/harness/request-port.js';
import { Sampler } from '../../src/harness/sampler.js';
import { guestsTable } from '../../src/probe/guests.js';

const { guest, va } = RequestClass;

/** A port on a backend; its row of the table; and what a sampler keeps of its tables. */
function watched(definition: BackendDefinition, parameters: Parameters = {}) {
  const simulation = new Simulation(1);
  const environment = { simulation, constraints: constraintTable([]) };
  const backend = definition.create(withDefaults(definition, parameters), environment);
  const port = new CheckedPort(backend, { objectLimit: 64, cpus: 1, constraints: 0, recording: true });
  const view = { simulation, backend, requests: port.figures };
  let next = 0;
  return {
    ask: (cls: number, size: number) => port.alloc(next++, cls, size, UNCONSTRAINED, 0),
    free: (object: number) => port.free(object, 0),
    row: () => {
      const [fields] = guestsTable.rows(view);
      return Object.fromEntries(guestsTable.columns.map(({ name }, index) => [name, fields![index]]));
    },
    tables: () => Object.keys(new Sampler(view, 1, 1).tables),
  };
}

describe('the table of guests', () => {
  it('says when addresses ran out, and how the arena was cut then', () => {
    const run = watched(illumosSegkvmm, { physmem: 64 * GIB, overprovision: 0.25 });
    for (let count = 0; count < 8; count++) run.ask(guest, 2 * GIB);
    for (const object of [1, 3, 5]) run.free(object);
    expect([run.ask(guest, 3 * GIB), run.ask(guest, 47 * GIB), run.ask(guest, 2 * GIB)]).toEqual([
      false,
      false,
      true,
    ]);
    expect(run.row()).toMatchObject({
      arena: 'kvmm_arena',
      arena_bytes: 16 * GIB,
      requests: 11,
      refused_length: 1,
      refused_memory: 0,
      refused_space: 1,
      first_refusal_request: 9,
      first_refusal_ns: 0,
      first_refusal_bytes: 3 * GIB,
      first_refusal_segment_bytes: 10 * GIB,
      first_refusal_free_bytes: 6 * GIB,
      first_refusal_largest_free: 2 * GIB,
      segment_bytes: 12 * GIB,
      peak_segment_bytes: 16 * GIB,
      free_bytes: 4 * GIB,
      largest_free_bytes: 2 * GIB,
      least_largest_free_bytes: 0,
      external_fragmentation: 0.5,
      leaf_tables: 12 * 512,
      peak_tables: 16 * 513 + 1,
      others_bytes: 0,
      others_requests: 0,
    });
  });

  it('has empty fields where nothing was refused', () => {
    const row = watched(illumosSegkvmm).row();
    expect([row.first_refusal_request, row.first_refusal_largest_free]).toEqual([Number.NaN, Number.NaN]);
    expect(row.least_largest_free_bytes).toBe(TIB);
  });

  it('tells others from guests in a shared arena', () => {
    const run = watched(illumosGuestInHeap);
    run.ask(guest, GIB);
    run.ask(va, 12 * KIB);
    run.ask(va, TIB);
    expect(run.row()).toMatchObject({
      arena: 'heap',
      requests: 1,
      others_bytes: 12 * KIB,
      others_requests: 2,
      others_failures: 1,
    });
  });

  it('is no part of the results of a backend without such guests', () => {
    expect(watched(illumosSegkvmm).tables()).toContain('guests');
    expect(watched(firstFitMap).tables()).not.toContain('guests');
  });
});

import { describe, expect, it } from 'vitest';
import type { BackendDefinition } from '../../src/backend/contract.js';
import { NO_ADDRESS } from '../../src/core/address.js';
import { type CellResult, digestResult, runCell } from '../../src/harness/cell.js';
import { planSuite } from '../../src/harness/plan.js';
import type { Registries } from '../../src/harness/registries.js';
import type { Suite } from '../../src/harness/suite.js';
import { SUMMARY_COLUMNS } from '../../src/harness/summary.js';
import { PROBE_COLUMNS } from '../../src/probe/registry.js';
import { inputErrorOf } from '../support/input-error.js';
import { TOYS, ToyBackend } from '../support/toy.js';
import { toyComponent, toySuite } from '../support/toy-suite.js';

function runFirst(changes: Partial<Suite> = {}, registries: Registries = TOYS): CellResult {
  return runCell(planSuite({ ...toySuite(), ...changes }, registries, '1').cells[0]!, registries);
}

function figure(result: CellResult, name: string): number {
  return result.summary[SUMMARY_COLUMNS.findIndex((column) => column.name === name)]!;
}

function series(result: CellResult, name: string): number[] {
  const index = PROBE_COLUMNS.findIndex((column) => column.name === name);
  return result.samples.rows.map((row) => row[index]!);
}

/** A backend that places every object one quantum higher and is the same otherwise. */
const shifted: BackendDefinition = {
  ...TOYS.backends[0]!,
  create: () =>
    new (class extends ToyBackend {
      override alloc(cls: number, size: number): number {
        const address = super.alloc(cls, size);
        return address === NO_ADDRESS ? NO_ADDRESS : address + 16;
      }
      override free(cls: number, address: number): void {
        super.free(cls, address - 16);
      }
    })(),
};

describe('runCell', () => {
  it('samples at even times and at the end', () => {
    const result = runFirst({ samples: 8 });
    expect(result.samples.timeNs).toEqual([500, 1000, 1500, 2000, 2500, 3000, 3500, 4000]);
    expect(result.durationNs).toBe(4000);
  });

  it('samples once per time, however many are wanted', () => {
    const result = runFirst({ samples: 5, workloads: [toyComponent('workload', 'toy-load:events=1')] });
    expect(result.samples.timeNs).toEqual([2, 4, 6, 8, 10]);
    const crowded = runFirst({ samples: 100, workloads: [toyComponent('workload', 'toy-load:events=1')] });
    expect(crowded.samples.timeNs).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    expect(crowded.samples.arenas.map(({ sample }) => sample)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  });

  it('accounts for every event', () => {
    const result = runFirst();
    expect(figure(result, 'events')).toBe(400);
    expect(figure(result, 'failures')).toBeGreaterThan(0);
    expect(figure(result, 'unserved')).toBeGreaterThan(0);
    expect(figure(result, 'allocs') - figure(result, 'frees')).toBe(figure(result, 'live_objects'));
  });

  it('aggregates over the samples', () => {
    const result = runFirst();
    const held = series(result, 'held_bytes');
    expect(figure(result, 'held_bytes_peak')).toBe(Math.max(...held));
    expect(figure(result, 'held_bytes_mean')).toBe(held.reduce((sum, value) => sum + value, 0) / 8);
    expect(figure(result, 'va_per_peak_live')).toBe(
      figure(result, 'va_reach_bytes') / figure(result, 'peak_live_bytes'),
    );
  });

  it('has the same result, digest included, when it runs again or events are delivered in other blocks', () => {
    const blocks = [1, 7, 1000].map((block) =>
      runFirst({ workloads: [toyComponent('workload', `toy-load:block=${block}`)] }),
    );
    expect(blocks[0]).toEqual({ ...runFirst(), ...pick(blocks[0]!) });
    expect(new Set(blocks.map(({ resultDigest }) => resultDigest))).toEqual(
      new Set([runFirst().resultDigest]),
    );
  });

  it('has the digest that it had before there was a table that says nothing of it', () => {
    const { placementDigest, samples, summary, resultDigest } = runFirst();
    const withTable = (rows: number[][]) =>
      digestResult(placementDigest, { ...samples, tables: { ...samples.tables, later: rows } }, summary);
    expect(withTable([])).toBe(resultDigest);
    expect(withTable([[1]])).not.toBe(resultDigest);
  });

  it('has another digest for another seed, and where only addresses differ', () => {
    const plain = runFirst();
    expect(runFirst({ seeds: [2] }).resultDigest).not.toBe(plain.resultDigest);
    const moved = runFirst({}, { ...TOYS, backends: [shifted] });
    expect(moved.samples).toEqual(plain.samples);
    expect(moved.placementDigest).not.toBe(plain.placementDigest);
    expect(moved.resultDigest).not.toBe(plain.resultDigest);
  });

  it('says which workload broke the rules, and when', () => {
    const workloads = [toyComponent('workload', 'broken-load')];
    expect(inputErrorOf(() => runFirst({ workloads }))).toBe(
      "workload 'broken-load' on backend 'toy-fit' at 0 ns: free of an object that is not allocated " +
        '[object=3 cpu=0 state=never objectLimit=4 cpus=1 constraints=0]',
    );
  });
});

/** What differs between configurations of equal results. */
function pick(result: CellResult): Partial<CellResult> {
  const { id, workload, configuration, configurationDigest } = result;
  return { id, workload, configuration, configurationDigest };
}

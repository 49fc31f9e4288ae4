import { Value } from '@sinclair/typebox/value';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BACKENDS } from '../../../src/backend/registry.js';
import { constraintTable, REQUEST_CLASS_NAMES, RequestClass } from '../../../src/core/request.js';
import { Simulation } from '../../../src/core/simulation.js';
import { AddressMap, divergence } from '../../../src/harness/map/address-map.js';
import { MOST_ROWS, MOST_WINDOWS } from '../../../src/harness/map/address-rows.js';
import { mapFile } from '../../../src/harness/map/map-file.js';
import { MapKind } from '../../../src/harness/map/map-kind.js';
import { MapPort, MOST_COLUMNS } from '../../../src/harness/map/map-port.js';
import type { CellPlan } from '../../../src/harness/plan.js';
import { CheckedPort } from '../../../src/harness/request-port.js';

const SLOTS = 64;

/** An allocation in a slot, or the free of what is in it, `gap` ns after the step before. */
interface Step {
  readonly slot: number;
  readonly cls: number;
  readonly size: number;
  readonly gap: number;
}

/** Live bytes by class as they should be, at each time at which they change. */
type Truth = { readonly timeNs: number; readonly bytes: readonly number[] }[];

class Recording {
  readonly map: AddressMap;
  readonly truth: Truth = [];

  constructor(backendName: string, steps: readonly Step[], durationNs: number) {
    const simulation = new Simulation(1);
    const definition = BACKENDS.find(({ name }) => name === backendName)!;
    const constraints = constraintTable([]);
    const backend = definition.create(Value.Default(definition.parameters, {}) as Record<string, string>, {
      simulation,
      constraints,
    });
    const port = new CheckedPort(backend, { objectLimit: SLOTS, cpus: 1, constraints: 0, recording: true });
    const recorder = new MapPort({ simulation, backend, port, objectLimit: SLOTS, durationNs });
    this.run(recorder, simulation, steps);
    const plan = { id: 'x', workload: { label: 'w' }, backend: { label: backendName }, seed: 1 } as CellPlan;
    const identity = {
      plan,
      placementDigest: port.placementDigest,
      durationNs: simulation.now,
      sites: ['here'],
    };
    this.map = new AddressMap(JSON.parse(JSON.stringify(mapFile(recorder, identity))));
  }

  private run(recorder: MapPort, simulation: Simulation, steps: readonly Step[]): void {
    const live = new Map<number, Step>();
    const bytes = REQUEST_CLASS_NAMES.map(() => 0);
    for (const step of steps) {
      simulation.advance(simulation.now + step.gap);
      const old = live.get(step.slot);
      if (old !== undefined) {
        recorder.free(step.slot, 0);
        live.delete(step.slot);
        bytes[old.cls]! -= old.size;
      } else {
        recorder.comesFrom(0);
        if (recorder.alloc(step.slot, step.cls, step.size, -1, 0)) {
          live.set(step.slot, step);
          bytes[step.cls]! += step.size;
        }
      }
      this.truth.push({ timeNs: simulation.now, bytes: [...bytes] });
    }
  }
}

function totals(map: AddressMap, bytes: Float64Array): number[] {
  return REQUEST_CLASS_NAMES.map((_, cls) =>
    map.rows.reduce((sum, _row, row) => sum + bytes[row * 16 + cls]!, 0),
  );
}

const step: fc.Arbitrary<Step> = fc.record({
  slot: fc.integer({ min: 0, max: SLOTS - 1 }),
  cls: fc.constantFrom(RequestClass.kmem, RequestClass.va, RequestClass.kstack, RequestClass.guest),
  size: fc.oneof(fc.integer({ min: 1, max: 40_000 }), fc.integer({ min: 1, max: 2 ** 30 })),
  gap: fc.integer({ min: 0, max: 4000 }),
});
const steps = fc.array(step, { minLength: 1, maxLength: 200 });
const backend = fc.constantFrom('first-fit-map', 'illumos-vmem', 'illumos-vmem-noqc', 'linux-vmap', 'buddy');

describe('the address-space map of a run', () => {
  it('has exactly the live bytes of each class at the end of each column, whatever is joined', () => {
    fc.assert(
      fc.property(backend, steps, fc.integer({ min: 1, max: 2_000_000 }), (name, list, durationNs) => {
        const { map, truth } = new Recording(name, list, durationNs);
        map.forEachColumn((column, bytes) => {
          const end = (column + 1) * map.file.columnNs;
          const wanted = truth.filter(({ timeNs }) => timeNs < end).at(-1)?.bytes;
          expect(totals(map, bytes)).toEqual(wanted ?? REQUEST_CLASS_NAMES.map(() => 0));
        });
      }),
      { numRuns: 60 },
    );
  });

  it('keeps its budget, and no tile has more bytes than addresses', () => {
    fc.assert(
      fc.property(backend, steps, (name, list) => {
        const { map } = new Recording(name, list, 100_000);
        expect(map.rows.length).toBeLessThanOrEqual(MOST_ROWS);
        expect(map.file.columns).toBeLessThanOrEqual(MOST_COLUMNS);
        expect(map.file.windows.length).toBeLessThanOrEqual(MOST_WINDOWS);
        const wrong: string[] = [];
        map.forEachColumn((column, bytes) => {
          for (const [row, { bytes: height }] of map.rows.entries()) {
            const tile = [...bytes.subarray(row * 16, row * 16 + 16)];
            const owned = tile.slice(0, MapKind.held).reduce((sum, each) => sum + each, 0);
            const shown = map.shown(bytes, row).reduce((sum, each) => sum + each, 0);
            if (Math.min(...tile) < 0 || owned > height || shown > height)
              wrong.push(`${column} ${row} ${tile}`);
          }
        });
        expect(wrong).toEqual([]);
      }),
      { numRuns: 25 },
    );
  });

  it('has rows in ascending order that do not overlap', () => {
    fc.assert(
      fc.property(backend, steps, (name, list) => {
        const { rows } = new Recording(name, list, 100_000).map;
        for (const [index, row] of rows.slice(1).entries()) {
          expect(row.start).toBeGreaterThanOrEqual(rows[index]!.start + BigInt(rows[index]!.bytes));
        }
      }),
      { numRuns: 25 },
    );
  });

  it('names, in each row and part of the time, an object that was there', () => {
    fc.assert(
      fc.property(backend, steps, (name, list) => {
        const { map } = new Recording(name, list, 100_000);
        const labels = map.labels();
        for (const [cell, index] of map.labelGrid().entries()) {
          if (index < 0) continue;
          const { address, size, born, died, site } = labels[index]!;
          const row = map.rows[Math.floor(cell / map.file.labelBins)]!;
          expect(address < row.start + BigInt(row.bytes) && address + BigInt(size) > row.start).toBe(true);
          const bin = cell % map.file.labelBins;
          const last = bin === map.file.labelBins - 1;
          expect(last || born < (bin + 1) * map.file.labelNs).toBe(true);
          expect(died < 0 || last || died >= bin * map.file.labelNs).toBe(true);
          expect(site).toBe('here');
        }
      }),
      { numRuns: 25 },
    );
  });

  it('tells held, guard and free bytes as the arenas have them', () => {
    const list = [
      { slot: 0, cls: RequestClass.kstack, size: 16_384, gap: 1 },
      { slot: 1, cls: RequestClass.kmem, size: 100, gap: 1 },
    ];
    const { map } = new Recording('illumos-vmem', list, 10);
    let last = new Float64Array();
    map.forEachColumn((_, bytes) => {
      last = bytes.slice();
    });
    const sum = (kind: number): number =>
      map.rows.reduce((total, _, row) => total + last[row * 16 + kind]!, 0);
    expect(sum(RequestClass.kstack)).toBe(16_384);
    expect(sum(MapKind.guard)).toBe(4096);
    // The quantum cache of segkp has taken a slab of 64 KiB; what no object ever touched of it is no part of the map.
    expect(sum(MapKind.held)).toBeGreaterThanOrEqual(16_384 + 4096 + 100);
    const stackRows = map.rows.filter((_, row) => last[row * 16 + RequestClass.kstack]! > 0);
    expect(stackRows[0]!.start).toBe(0xfffffd800000b000n);
  });
});

describe('the divergence of two maps', () => {
  /** As test/cli/diff.test.ts: the fifth allocation is the first that best fit places elsewhere. */
  const list: readonly Step[] = [
    ...[8192, 4096, 4096, 4096].map((size, slot) => ({ slot, cls: RequestClass.va, size, gap: 10 })),
    ...[0, 2, 4].map((slot) => ({ slot, cls: RequestClass.va, size: 4096, gap: 10 })),
  ];

  it('is the very answer among the first thousand', () => {
    const [first, best] = ['first-fit-map', 'best-fit-map'].map((name) => new Recording(name, list, 100).map);
    expect(divergence(first!, best!)).toEqual({ after: 4, afterNs: 40, by: 5, byNs: 70 });
    expect(divergence(first!, first!)).toBeUndefined();
  });

  it('is within a thousandth of the answers behind', () => {
    const churn = Array.from({ length: 30_000 }, (_, index) => ({
      slot: index % 7,
      cls: RequestClass.va,
      size: 4096 * (1 + (index % 3)),
      gap: 1,
    }));
    const [first, best] = ['first-fit-map', 'best-fit-map'].map(
      (name) => new Recording(name, [...churn.slice(0, 7 * 2 * 1000), ...parting(), ...churn], 60_000).map,
    );
    const found = divergence(first!, best!)!;
    expect(found.after).toBeLessThan(7000 + 5);
    expect(found.by).toBeGreaterThanOrEqual(7000 + 5);
    expect(found.by - found.after).toBeLessThanOrEqual(8);
  });

  /** The two holes again, in slots that nothing else uses. */
  function parting(): Step[] {
    return list.map((each) => ({ ...each, slot: each.slot + 20, gap: 1 }));
  }
});

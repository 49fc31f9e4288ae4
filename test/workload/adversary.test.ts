import { Value } from '@sinclair/typebox/value';
import { describe, expect, it } from 'vitest';
import { bestFitMap } from '../../src/backend/best-fit-map.js';
import type { BackendDefinition } from '../../src/backend/contract.js';
import { firstFitMap } from '../../src/backend/first-fit-map.js';
import { withDefaults } from '../../src/conformance/client.js';
import { InputError } from '../../src/core/errors.js';
import { RequestOp } from '../../src/core/request.js';
import { Simulation } from '../../src/core/simulation.js';
import { CheckedPort } from '../../src/harness/request-port.js';
import { adversary } from '../../src/workload/adversary.js';
import { type AdversaryOptions, AdversarySource } from '../../src/workload/adversary-source.js';
import type { Parameters } from '../../src/workload/definition.js';
import { RecordingPort } from '../support/recording-port.js';

const UNIT = 4096;

function make(overrides: Parameters) {
  return adversary.create(Value.Default(adversary.parameters, { ...overrides }) as Parameters, 1);
}

/** Units of address space that a backend needs for the program, and units live at the end. */
function need(overrides: Parameters, definition: BackendDefinition = firstFitMap) {
  const workload = make(overrides);
  const simulation = new Simulation(1);
  const { constraints, objectLimit } = workload;
  const backend = definition.create(withDefaults(definition), { simulation, constraints });
  const port = new CheckedPort(backend, { objectLimit, cpus: 1, constraints: 0, recording: true });
  workload.start(simulation, port);
  simulation.run();
  expect(port.figures.failures).toBe(0);
  expect(simulation.now).toBeLessThanOrEqual(workload.durationNs);
  expect(simulation.now).toBeGreaterThan(workload.durationNs * 0.99);
  return {
    reach: backend.arenas[0]!.figures.reachBytes / UNIT,
    live: port.figures.liveBytes / UNIT,
    peak: port.figures.peakLiveBytes / UNIT,
  };
}

function log(overrides: Parameters): string[] {
  const simulation = new Simulation(1);
  const port = new RecordingPort(simulation);
  make(overrides).start(simulation, port);
  simulation.run();
  return port.log.map((line) => line.replace('cpu0 ', ''));
}

describe("Robson's program", () => {
  it('is this for M = 8 and n = 4', () => {
    const free = (slots: readonly number[], from: number) => slots.map((slot, i) => `${from + i} -${slot}`);
    expect(log({ unit: 1, largest: 4, live: 8, mean_interval: 1 })).toEqual([
      ...Array.from({ length: 8 }, (_, i) => `${i} +${i} va 1`),
      ...free([1, 3, 5, 7], 8),
      '12 +7 va 2',
      '13 +5 va 2',
      ...free([2, 6, 5], 14),
      '17 +5 va 4',
    ]);
  });

  it.each([2, 4, 8, 16, 32, 64, 128])('needs the least bound for every policy, n = %i', (ratio) => {
    const units = 2048;
    const bound = units * (Math.log2(ratio) / 2 + 1) - ratio + 1;
    for (const definition of [firstFitMap, bestFitMap]) {
      const { reach, live, peak } = need({ live: units * UNIT, largest: ratio * UNIT }, definition);
      expect([reach, live, peak]).toEqual([bound, units, units]);
    }
  });

  // The table of spec segkvmm-layout §7: a host of 256 units, 0.9 of them for guests, in steps of 0.05.
  it.each([
    [2, 1.35],
    [4, 1.8],
    [8, 2.25],
    [16, 2.65],
    [32, 3.05],
    [64, 3.3],
    [128, 3.55],
  ])('needs as much over-provisioning as the guest arena of segkvmm: n = %i, F = %f', (ratio, measured) => {
    const { reach } = need({ live: 230 * UNIT, largest: ratio * UNIT });
    expect(Math.abs(reach / 256 - measured)).toBeLessThanOrEqual(0.05);
  });

  it('never has more than M live, and frees only what lives', () => {
    const options: AdversaryOptions = {
      cls: 2,
      pattern: 'robson',
      unitBytes: 8,
      largestUnits: 16,
      liveUnits: 117,
      meanIntervalNs: 1,
      cpus: 1,
    };
    const generator = new AdversarySource(options, 1);
    const live = new Map<number, number>();
    let bytes = 0;
    while (generator.next()) {
      const isAlloc = generator.op === RequestOp.alloc;
      expect(live.has(generator.object)).toBe(!isAlloc);
      bytes += isAlloc ? generator.size : -live.get(generator.object)!;
      if (isAlloc) live.set(generator.object, generator.size);
      else live.delete(generator.object);
      expect(bytes).toBeLessThanOrEqual(117 * 8);
    }
    expect(bytes).toBeGreaterThan((117 - 16) * 8);
    expect(generator.next()).toBe(false);
  });
});

describe('the checkerboard', () => {
  it.each([2, 3, 5, 64])('wastes what every other free leaves: n = %i', (ratio) => {
    const units = 1024;
    const { reach, live } = need({
      pattern: 'checkerboard',
      live: units * UNIT,
      largest: ratio * UNIT,
    });
    const large = Math.floor(units / 2 / ratio);
    // The last unit was freed, so that the first large request begins there.
    expect(reach).toBe(units - 1 + large * ratio);
    expect(live).toBe(units / 2 + large * ratio);
  });
});

describe('the adversary', () => {
  it.each([
    [{ unit: 0 }, 'unit: 0 is no size'],
    [{ largest: 3 * UNIT }, 'largest: 12288 bytes with units of 4096 (allowed: 2, 4, 8, … times unit)'],
    [{ largest: UNIT }, 'largest: 4096 bytes with units of 4096'],
    [{ largest: UNIT, pattern: 'checkerboard' }, 'allowed: 2, 3, 4, … times unit'],
    [{ live: 127 * UNIT }, 'live: 520192 live bytes'],
    [{ live: 2 ** 50 }, 'live: 1125899906842624 live bytes'],
  ])('refuses %j', (overrides, message) => {
    expect(() => make(overrides)).toThrow(InputError);
    expect(() => make(overrides)).toThrow(message);
  });

  it('tells what it is', () => {
    const workload = make({ class: 'guest', unit: 2 ** 20, largest: 2 ** 22, live: 2 ** 25 });
    expect([workload.objectLimit, workload.largestRequest]).toEqual([32, 2 ** 22]);
    expect(workload.provenance).toMatchObject({ workload: 'adversary', class: 'guest', largestUnits: 4 });
  });
});

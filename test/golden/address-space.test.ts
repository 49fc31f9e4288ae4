import { describe, it } from 'vitest';
import {
  drawSteps,
  expectAgreement,
  PLACES,
  type Scenario,
  type SpanPlan,
  scriptOf,
} from '../property/illumos-vmem-properties.js';
import { wideHashShape } from '../support/hash-shape.js';
import { withTemporaryDirectory, writeReferenceCase } from '../support/reference-case.js';

const QUANTUM_POWERS = [0, 4, 12, 20, 30] as const;

function scenario(quantumPower: number, spans: readonly SpanPlan[], across = false): Scenario {
  return {
    quantumPower,
    across,
    spans,
    rootCachedQuanta: 0,
    children: [
      { back: 0, kind: 'vmem', finer: 1, cachedQuanta: 2, uncached: false, granules: 1 },
      { back: 1, kind: 'xgran_align', finer: 0, cachedQuanta: 0, uncached: false, granules: 4 },
    ],
    cpus: 1,
    autoReap: false,
    steps: drawSteps(64 + quantumPower, 400),
  };
}

function verified(described: Scenario): void {
  withTemporaryDirectory((parent) => expectAgreement(writeReferenceCase(parent, scriptOf(described))));
}

describe.each(QUANTUM_POWERS)('addresses of 64 bits, quantum 2^%i', (power) => {
  it.each(Object.keys(PLACES))('a span at %s', (place) => {
    verified(scenario(power, [{ place, quanta: 60 }]));
  });

  it('a span across 2^63', () => {
    verified(scenario(power, [{ place: 'beginsAt2to63', quanta: 61 }], true));
  });

  it('spans everywhere at once, ascending and descending', () => {
    const spans = Object.keys(PLACES).map((place) => ({ place, quanta: 48 }));
    verified(scenario(power, spans));
    verified(scenario(power, spans.toReversed()));
  });
});

describe('hash tables for which all 64 bits of addresses decide', () => {
  it.each([
    [12, 6000],
    [20, 1500],
    [30, 400],
  ])('quantum 2^%i, %i live', (power, live) => {
    withTemporaryDirectory((parent) =>
      expectAgreement(writeReferenceCase(parent, wideHashShape(power, live))),
    );
  });
});

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findCases, SHIPPED_CASES } from '../../src/harness/golden/find-cases.js';
import { GoldenCase } from '../../src/harness/golden/golden-case.js';
import { illumosVmemOracle } from '../../src/harness/golden/illumos-vmem.js';
import { drawScenarios, scriptOf } from '../property/illumos-vmem-properties.js';
import { wideHashShape } from '../support/hash-shape.js';
import { KMEM_MUTANTS } from '../support/kmem-mutants.js';
import { noticedBy } from '../support/noticed-mutants.js';
import { writeReferenceCase } from '../support/reference-case.js';
import { type Mutant, VMEM_MUTANTS } from '../support/vmem-mutants.js';

/** Random histories that join the shipped cases, with two cases for what those do not reach. */
const SCENARIOS = 40;

/** Large, and about metadata: what it could notice the others notice. */
const LEFT_OUT = 'kernel-tree';

let directory: string;
let shipped: GoldenCase[];
let generated: GoldenCase[];

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'kvabench-mutants-'));
  const histories = drawScenarios(7, SCENARIOS).map((scenario, index) =>
    scriptOf(scenario, `history-${index}`),
  );
  generated = [...histories, wideHashShape(20, 1500), wideHashShape(30, 400)].map(
    (script) => new GoldenCase(writeReferenceCase(directory, script)),
  );
  shipped = findCases(join(SHIPPED_CASES, 'illumos-vmem'))
    .filter((path) => basename(path) !== LEFT_OUT)
    .map((path) => new GoldenCase(path))
    .sort((a, b) => a.operations.length - b.operations.length);
});

afterAll(() => {
  rmSync(directory, { recursive: true });
});

const notices = (golden: GoldenCase): boolean => noticedBy(illumosVmemOracle, golden);

/** The first case of each kind that notices the mutant. */
function witnesses({ apply }: Mutant): string[] {
  const undo = apply();
  try {
    const found = [shipped.find(notices), generated.find(notices)];
    return found.filter((golden) => golden !== undefined).map(({ name }) => name);
  } finally {
    undo();
  }
}

describe('a model with a mistake is noticed', () => {
  it.each([...VMEM_MUTANTS, ...KMEM_MUTANTS].map((mutant) => [mutant.mistake, mutant] as const))(
    '%s',
    (_mistake, mutant) => {
      const found = witnesses(mutant);
      process.stdout.write(`noticed by ${found.join(', ')}: ${mutant.mistake}\n`);
      expect(found).not.toEqual([]);
    },
  );

  it('and the model without one is not', () => {
    expect([...shipped, ...generated].filter(notices).map(({ name }) => name)).toEqual([]);
  });
});

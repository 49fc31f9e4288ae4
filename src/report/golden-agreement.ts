import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { BACKENDS } from '../backend/registry.js';
import { findCases, SHIPPED_CASES } from '../harness/golden/find-cases.js';
import { GoldenCase } from '../harness/golden/golden-case.js';
import { findOracle } from '../harness/golden/registry.js';
import { verifyRows } from '../harness/golden/row-oracle.js';
import { findRowOracle } from '../harness/golden/row-registry.js';
import { verifyCase } from '../harness/golden/verify.js';
import type { Results } from './read-results.js';

/** How the models of a kernel do in its golden cases, as far as somebody has looked. */
export interface GoldenAgreement {
  /** Folder of the cases, for example `illumos-vmem`. */
  readonly cases: string;
  readonly count: number;
  /** Undefined when nobody has looked. */
  readonly passed: number | undefined;
}

/**
 * The golden cases of the models behind a run's backends. With `verify` they are replayed now, by this program: a
 * recorded answer could be that of another version. Takes seconds.
 * @throws InputError for a case that cannot be read.
 */
export function goldenAgreement(results: Results, verify: boolean): GoldenAgreement[] {
  const names = results.cells.flatMap(({ configuration }) => oraclesOf(configuration));
  return [...new Set(names)].sort().flatMap((cases) => {
    const folder = join(SHIPPED_CASES, cases);
    if (!existsSync(folder)) return [];
    const paths = findCases(folder);
    return [{ cases, count: paths.length, passed: verify ? paths.filter(passes).length : undefined }];
  });
}

/** Oracles whose cases hold the models behind a cell's backend; none for one that is not shipped. */
export function oraclesOf(configuration: Readonly<Record<string, unknown>>): readonly string[] {
  const name = (configuration.backend as { readonly name?: unknown } | undefined)?.name;
  return BACKENDS.find((definition) => definition.name === name)?.heldBy ?? [];
}

function passes(path: string): boolean {
  const rowOracle = findRowOracle(path);
  if (rowOracle !== undefined) return verifyRows(rowOracle, path).mismatch === undefined;
  const golden = new GoldenCase(path);
  const oracle = findOracle(golden.oracle);
  if (oracle === undefined || oracle.skipReason(golden) !== undefined) return false;
  return verifyCase(golden, oracle) === undefined;
}

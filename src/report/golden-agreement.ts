import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { findCases, SHIPPED_CASES } from '../harness/golden/find-cases.js';
import { GoldenCase } from '../harness/golden/golden-case.js';
import { findOracle } from '../harness/golden/registry.js';
import { verifyRows } from '../harness/golden/row-oracle.js';
import { findRowOracle } from '../harness/golden/row-registry.js';
import { verifyCase } from '../harness/golden/verify.js';
import type { Results } from './read-results.js';

/** The golden cases (folders of test/golden/cases) that hold the models behind each backend; comparators have none. */
export const CASES_OF: Readonly<Record<string, readonly string[]>> = {
  'best-fit-map': [],
  'bhyve-reservoir': ['bhyve-reservoir'],
  bitmap: [],
  buddy: [],
  'first-fit-map': [],
  'freebsd-kstack-dense': ['freebsd-kstack', 'freebsd-vmem'],
  'freebsd-kstack-per-object': ['freebsd-kstack', 'freebsd-vmem'],
  'freebsd-kstack-single': ['freebsd-kstack', 'freebsd-vmem'],
  'freebsd-vm-map': ['freebsd-map'],
  'freebsd-vmem': ['freebsd-vmem', 'freebsd-map'],
  'illumos-guest-in-heap': ['illumos-vmem', 'kva-layout'],
  'illumos-guest-in-zio': ['illumos-vmem', 'kva-layout'],
  'illumos-segkp-heap': ['illumos-vmem', 'kva-layout'],
  'illumos-segkp-static': ['illumos-vmem', 'kva-layout'],
  'illumos-segkvmm': ['illumos-vmem'],
  'illumos-vmem': ['illumos-vmem'],
  'illumos-vmem-noqc': ['illumos-vmem'],
  'linux-vmap': ['linux-vmap'],
  'linux-vmap-nopool': ['linux-vmap'],
  'netbsd-2011': ['netbsd-uvm-map'],
  'netbsd-2012': ['netbsd-vmem', 'netbsd-uvm-map'],
  'netbsd-a': ['netbsd-uvm-map'],
  'netbsd-b': ['netbsd-vmem', 'netbsd-uvm-map'],
  'netbsd-c': ['netbsd-vmem', 'netbsd-uvm-map'],
  'netbsd-yamamoto': ['netbsd-vmem', 'netbsd-uvm-map'],
  tlsf: [],
};

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
  const names = results.cells.flatMap(({ configuration }) => CASES_OF[backendName(configuration)] ?? []);
  return [...new Set(names)].sort().flatMap((cases) => {
    const folder = join(SHIPPED_CASES, cases);
    if (!existsSync(folder)) return [];
    const paths = findCases(folder);
    return [{ cases, count: paths.length, passed: verify ? paths.filter(passes).length : undefined }];
  });
}

/** Name of a cell's backend in the registry. */
export function backendName(configuration: Readonly<Record<string, unknown>>): string {
  return String((configuration.backend as { readonly name?: unknown } | undefined)?.name);
}

function passes(path: string): boolean {
  const rowOracle = findRowOracle(path);
  if (rowOracle !== undefined) return verifyRows(rowOracle, path).mismatch === undefined;
  const golden = new GoldenCase(path);
  const oracle = findOracle(golden.oracle);
  if (oracle === undefined || oracle.skipReason(golden) !== undefined) return false;
  return verifyCase(golden, oracle) === undefined;
}

import { basename, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { findCases, SHIPPED_CASES } from '../../src/harness/golden/find-cases.js';
import { GoldenCase, type TableRow } from '../../src/harness/golden/golden-case.js';
import { operationsOf, referenceOf } from '../support/golden-operations.js';

/** The self-hosted tree takes its metadata from the modelled arenas, which the reference does not. */
const BEYOND_THE_REFERENCE = ['kernel-tree'];

const CASES = findCases(join(SHIPPED_CASES, 'illumos-vmem')).filter(
  (directory) => !BEYOND_THE_REFERENCE.includes(basename(directory)),
);

function rowsBySeq(rows: readonly TableRow[]): Map<number, TableRow[]> {
  const bySeq = new Map<number, TableRow[]>();
  for (const row of rows) bySeq.set(Number(row.seq), [...(bySeq.get(Number(row.seq)) ?? []), row]);
  return bySeq;
}

/** The slow reference judges the model where there is no vector, so it must itself agree with the kernel's code. */
describe('the slow reference agrees with the vectors of the kernel', () => {
  it.each(CASES.map((directory) => [basename(directory), directory] as const))('%s', (_name, directory) => {
    const golden = new GoldenCase(directory);
    const reference = referenceOf(golden);
    const arenaRows = rowsBySeq(golden.table('checkpoints.csv'));
    const cacheRows = rowsBySeq(golden.has('qcache.csv') ? golden.table('qcache.csv') : []);
    const compare = (seq: number) => {
      for (const wanted of arenaRows.get(seq) ?? []) {
        const { nsegfree: _unmodelled, ...columns } = wanted;
        expect(reference.arenaRow(reference.arena(wanted.arena!))).toEqual(columns);
      }
      for (const wanted of cacheRows.get(seq) ?? []) {
        const entry = reference.caches.find(({ cache }) => cache.options.name === wanted.cache)!;
        expect(reference.cacheRow(entry)).toEqual(wanted);
      }
    };
    compare(0);
    for (const { operation, result } of operationsOf(golden)) {
      const got = reference.execute(operation);
      if (got !== result) expect([reference.seq, got]).toEqual([reference.seq, result]);
      compare(reference.seq);
    }
    const finalRows = (file: string) => golden.text(file).trimEnd().split('\n').slice(1);
    expect(reference.segmentRows()).toEqual(finalRows('segments.csv.gz'));
    expect(reference.freeListRows()).toEqual(finalRows('freelists.csv.gz'));
  });
});

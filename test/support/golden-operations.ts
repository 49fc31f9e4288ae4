import type { GoldenCase } from '../../src/harness/golden/golden-case.js';
import { operationOf } from './reference-case.js';
import { type CaseOperation, ReferenceSystem } from './reference-system.js';

/** The slow reference in the initial state of a golden case. */
export function referenceOf(golden: GoldenCase): ReferenceSystem {
  const keys = golden.description.slab_tie === 'struct_addr' ? golden.table('slabs.csv.gz') : undefined;
  return new ReferenceSystem({
    arenas: golden.description.arenas as ConstructorParameters<typeof ReferenceSystem>[0]['arenas'],
    cpus: golden.cpus,
    autoReap: golden.description.auto_reap === true,
    ...(keys !== undefined && { slabKeys: keys.map((row) => BigInt(row.struct_addr!)) }),
  });
}

/** The operations of a golden case with the results that it records, read without the harness. */
export function* operationsOf(golden: GoldenCase): Generator<{ operation: CaseOperation; result: string }> {
  const big = (text: string | undefined) => BigInt(text === undefined || text === '' ? 0 : text);
  for (const row of golden.table('ops.csv.gz')) {
    const operation = operationOf({
      op: row.op as CaseOperation['op'],
      arena: row.arena!,
      id: row.id === '' ? -1 : Number(row.id),
      size: big(row.size),
      align: big(row.align),
      phase: big(row.phase),
      nocross: big(row.nocross),
      min: big(row.minaddr),
      max: big(row.maxaddr),
      flags: row.flags!,
    });
    yield { operation, result: row.result! };
  }
}

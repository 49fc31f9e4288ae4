import { describe, expect, it } from 'vitest';
import { illumosSegkpHeap } from '../../src/backend/illumos-segkp-heap.js';
import { illumosSegkpStatic } from '../../src/backend/illumos-segkp-static.js';
import { illumosVmem } from '../../src/backend/illumos-vmem.js';
import { Client } from '../../src/conformance/client.js';
import { RequestClass } from '../../src/core/request.js';
import { KIB, MIB } from '../../src/core/units.js';
import { Sampler } from '../../src/harness/sampler.js';
import { RequestFigures } from '../../src/probe/request-figures.js';
import { segkpTable } from '../../src/probe/segkp.js';

function rowsOf({ simulation, backend }: Client): Record<string, string | number>[] {
  const rows = segkpTable.rows({ simulation, backend, requests: new RequestFigures() });
  return rows.map((row) =>
    Object.fromEntries(segkpTable.columns.map(({ name }, index) => [name, row[index]!])),
  );
}

describe('the table of segkp', () => {
  it('has the first failure twice, as such and of its kind, and the end', () => {
    const client = new Client(illumosSegkpStatic);
    client.alloc(RequestClass.kstack, 8 * KIB);
    client.alloc(RequestClass.va, 470 * MIB);
    client.alloc(RequestClass.va, 20 * MIB);
    client.alloc(RequestClass.kstack, 300 * MIB);
    const rows = rowsOf(client);
    expect(rows.map(({ moment, failed, arena }) => [moment, failed, arena])).toEqual([
      ['first failure', 'heap', 'heap'],
      ['first heap failure', 'heap', 'heap'],
      ['first thread failure', 'thread', 'segkp'],
      ['end', '', ''],
    ]);
    expect(rows[0]).toMatchObject({
      failed_bytes: 20 * MIB,
      threads: 1,
      stack_bytes: 12 * KIB,
      heap_live_bytes: 470 * MIB,
      heap_used_bytes: 470 * MIB,
      heap_free_bytes: 10 * MIB - 4 * KIB,
      heap_largest_free_bytes: 10 * MIB - 4 * KIB,
      heap_fragmentation: 0,
      segkp_bytes: 200 * MIB,
      segkp_idle_bytes: 200 * MIB - 12 * KIB,
      qcache_stacks: 1,
    });
    expect(rows.at(-1)).toMatchObject({ failed_bytes: Number.NaN, moment_ns: 0 });
  });

  it('tells what the holes between stacks do to the heap', () => {
    const client = new Client(illumosSegkpHeap);
    const stacks = Array.from({ length: 4 }, () => client.alloc(RequestClass.kstack, 24 * KIB)!);
    client.free(stacks[1]!);
    const [end] = rowsOf(client);
    expect(end).toMatchObject({ segkp_imports: 4, segkp_releases: 1, heap_free_segments: 2 });
    const free = 680 * MIB - 4 * KIB - 3 * 28 * KIB;
    expect(end!.heap_free_bytes).toBe(free);
    expect(end!.heap_fragmentation).toBe((28 * KIB) / free);
  });

  it('is not mentioned where it is about nothing', () => {
    const tables = [illumosVmem, illumosSegkpHeap].map((definition) => {
      const { simulation, backend } = new Client(definition);
      return new Sampler({ simulation, backend, requests: new RequestFigures() }, 1, 1).tables;
    });
    expect(Object.keys(tables[0]!)).not.toContain('segkp');
    expect(Object.keys(tables[1]!).filter((name) => name !== 'segkp')).toEqual(Object.keys(tables[0]!));
    expect(Object.keys(tables[1]!)).toContain('segkp');
    const { simulation, backend } = new Client(illumosVmem);
    expect(segkpTable.rows({ simulation, backend, requests: new RequestFigures() })).toEqual([]);
  });
});

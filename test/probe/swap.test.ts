import { describe, expect, it } from 'vitest';
import type { BackendDefinition } from '../../src/backend/contract.js';
import { firstFitMap } from '../../src/backend/first-fit-map.js';
import { freebsdKstackPerObject } from '../../src/backend/freebsd-kstack-per-object.js';
import { freebsdKstackSingle } from '../../src/backend/freebsd-kstack-single.js';
import { Client } from '../../src/conformance/client.js';
import { RequestClass, RequestOp } from '../../src/core/request.js';
import { KIB } from '../../src/core/units.js';
import { RequestFigures } from '../../src/probe/request-figures.js';
import { swapTable } from '../../src/probe/swap.js';

/** Sixteen stacks of four pages are swapped out, and written when 64 pages wait. */
function swappedRows(definition: BackendDefinition) {
  const client = new Client(definition, { launder_after: 64 });
  const stacks = Array.from({ length: 16 }, () => client.alloc(RequestClass.kstack, 16 * KIB)!);
  for (const { cls, address, size } of stacks) {
    client.backend.act!(RequestOp.swapOut, cls, address, size, size, 0);
  }
  const { simulation, backend } = client;
  const rows = swapTable.rows({ simulation, backend, requests: new RequestFigures() });
  return rows.map((row) =>
    Object.fromEntries(swapTable.columns.map(({ name }, index) => [name, row[index]!])),
  );
}

describe('the table of swap space', () => {
  it('has a metadata block per object where each stack has one, and no trie', () => {
    expect(swappedRows(freebsdKstackPerObject)).toEqual([
      { swap_blocks: 64, swap_metadata_blocks: 16, swap_trie_nodes: 0, swap_metadata_bytes: 16 * 136 },
    ]);
  });

  it('has fewer where stacks share groups of 16 indices, and nodes that find these', () => {
    const [row] = swappedRows(freebsdKstackSingle);
    // Sixteen stacks five indices apart lie in 79 of them: five or six groups.
    expect([5, 6]).toContain(row!.swap_metadata_blocks);
    const { swap_metadata_blocks, swap_trie_nodes, swap_metadata_bytes } = row!;
    expect(Number(swap_trie_nodes)).toBeGreaterThan(0);
    expect(swap_metadata_bytes).toBe(Number(swap_metadata_blocks) * 136 + Number(swap_trie_nodes) * 144);
  });

  it('has no row for a backend without stacks in objects', () => {
    const { simulation, backend } = new Client(firstFitMap);
    expect(swapTable.rows({ simulation, backend, requests: new RequestFigures() })).toEqual([]);
  });
});

import { describe, expect, it } from 'vitest';
import { netbsd2011 } from '../../src/backend/netbsd-2011.js';
import { netbsdA } from '../../src/backend/netbsd-a.js';
import { Client } from '../../src/conformance/client.js';
import { RequestClass } from '../../src/core/request.js';
import { KIB } from '../../src/core/units.js';

const PAGE = 4 * KIB;

function entriesOf(client: Client): number {
  return client.backend.arenas.reduce((sum, { mapEntries }) => {
    return sum + mapEntries!.linkedEntries + mapEntries!.keptEntries;
  }, 0);
}

/** Entries that so many allocations cost. */
function costOf(client: Client, cls: number, size: number, count: number): number {
  const before = entriesOf(client);
  for (let made = 0; made < count; made++) client.alloc(cls, size);
  return entriesOf(client) - before;
}

describe('netbsd-a', () => {
  it.each([
    ['a page of kmem', RequestClass.kmem, PAGE],
    ['half a page of kmem', RequestClass.kmem, 2 * KIB],
    ['a page of malloc', RequestClass.malloc, PAGE],
    ['a pool page', RequestClass.poolPage, PAGE],
    ['a page for interrupts', RequestClass.interrupt, PAGE],
  ])('costs about a thirty-second of an entry for %s', (_what, cls, size) => {
    // Two objects of half a page fill one, so its header is elsewhere: 72 to a page of kmem_map.
    const pages = size < PAGE ? 320 / 32 + 320 / 72 : 640 / 32;
    expect(costOf(new Client(netbsdA), cls, size, 640)).toBeLessThanOrEqual(pages + 3);
  });

  it('costs an entry, and its share of a page of entries, for what is longer than KVA caches serve', () => {
    const cost = (pages: number) =>
      costOf(new Client(netbsdA, { kva_cache_pages: pages }), RequestClass.kmem, 3 * PAGE, 280);
    expect([cost(2), cost(3)]).toEqual([290, 31]);
  });

  it('needs fewer entries than before the change for kmem', () => {
    const costs = [netbsd2011, netbsdA].map((definition) => {
      const client = new Client(definition);
      const before = client.backend.arenas[0]!.mapEntries!;
      const entries = before.linkedEntries + before.keptEntries;
      for (let made = 0; made < 1000; made++) client.alloc(RequestClass.kmem, PAGE);
      return before.linkedEntries + before.keptEntries - entries;
    });
    expect(costs[0]).toBeGreaterThan(1000);
    expect(costs[1]).toBeLessThan(40);
  });

  it('aligns kmem to the cache line from its size on, and to pages from a page on', () => {
    const client = new Client(netbsdA);
    for (const size of [64, 65, 100, 192, 500, 1500, 2048]) {
      expect([size, client.alloc(RequestClass.kmem, size)!.address % 64]).toEqual([size, 0]);
    }
    for (const size of [2049, PAGE, PAGE + 1, 70 * KIB]) {
      expect([size, client.alloc(RequestClass.kmem, size)!.address % PAGE]).toEqual([size, 0]);
    }
    const small = [1, 8, 9, 57].map((size) => client.backend.footprint(RequestClass.kmem, size));
    expect(small).toEqual([8, 8, 16, 64]);
  });
});

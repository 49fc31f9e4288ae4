import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PAGE_SIZES, PageTables } from '../../src/arena/page-tables.js';
import { GIB, KIB, MIB } from '../../src/core/units.js';

const BASE = 2 ** 47 - 3 * GIB;
const REACHES = [2 * MIB, GIB, 512 * GIB];

interface Range {
  readonly address: number;
  readonly size: number;
  readonly page: number;
}

/** Tables by level, each found by walking over every table that a range touches. */
function slowTables(ranges: readonly Range[]): number[] {
  return REACHES.map((reach, level) => {
    const tables = new Set<number>();
    for (const { address, size } of ranges.filter((range) => range.page <= level)) {
      for (let table = Math.floor(address / reach); table * reach < address + size; table++) {
        tables.add(table);
      }
    }
    return tables.size;
  });
}

describe('page tables', () => {
  it('of 3 GiB: 1536 leaves with small pages, none with those of 2 MiB, one table in all with those of 1 GiB', () => {
    const counts = PAGE_SIZES.map((_, page) => {
      const tables = new PageTables(BASE, 8 * GIB);
      tables.map(BASE, 3 * GIB, page);
      return [...tables.tables];
    });
    expect(counts).toEqual([
      [1536, 3, 1],
      [0, 3, 1],
      [0, 0, 1],
    ]);
  });

  it('are shared at the edges of ranges, and needed until the last of them goes', () => {
    const tables = new PageTables(BASE, GIB);
    tables.map(BASE, MIB, 0);
    tables.map(BASE + MIB, 3 * MIB, 0);
    expect([...tables.tables]).toEqual([2, 1, 1]);
    tables.unmap(BASE + MIB, 3 * MIB, 0);
    expect([...tables.tables, tables.total]).toEqual([1, 1, 1, 3]);
    tables.unmap(BASE, MIB, 0);
    expect(tables.total).toBe(0);
  });

  it('are those that a walk finds, whatever comes and goes', () => {
    // Ranges in slots apart from each other: 64 slots of 64 MiB.
    const step = fc.record({
      slot: fc.nat(63),
      lead: fc.nat(3).map((count) => count * 512 * KIB),
      size: fc.integer({ min: 1, max: 60 * 256 }).map((pages) => pages * 4 * KIB),
      page: fc.constantFrom(0, 0, 1, 2),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
        const tables = new PageTables(BASE, 4 * GIB);
        const live = new Map<number, Range>();
        for (const { slot, lead, size, page } of steps) {
          const old = live.get(slot);
          if (old === undefined) {
            const address = BASE + slot * 64 * MIB + lead;
            live.set(slot, { address, size, page });
            tables.map(address, size, page);
          } else {
            live.delete(slot);
            tables.unmap(old.address, old.size, old.page);
          }
          expect([...tables.tables]).toEqual(slowTables([...live.values()]));
        }
      }),
      { numRuns: 60 },
    );
  });
});

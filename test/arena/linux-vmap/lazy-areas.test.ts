import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EARLIEST, NIL } from '../../../src/arena/linux-vmap/area-record.js';
import { AreaTable } from '../../../src/arena/linux-vmap/area-table.js';
import { AreaTree } from '../../../src/arena/linux-vmap/area-tree.js';
import { contradictionInTree } from '../../../src/arena/linux-vmap/check.js';
import { areasOf } from '../../../src/arena/linux-vmap/inspect.js';
import { LazyAreas } from '../../../src/arena/linux-vmap/lazy-areas.js';
import { AddressSpace } from '../../../src/core/address.js';
import { TIB } from '../../../src/core/units.js';

const PAGE = 4096;
const ORIGIN = AddressSpace.canonical.toNumber(0xffff_c900_0000_0000n);

/** The same areas twice: as LazyAreas keeps them, and in a tree that gets each as it comes. */
class Twice {
  private readonly areas = new AreaTable(ORIGIN);
  private readonly copies = new AreaTable(ORIGIN);
  readonly lazy = new LazyAreas(this.areas);
  readonly tree = new AreaTree(this.copies);

  add(start: number): void {
    const page = this.areas.wholePageOf(start);
    this.lazy.add(this.made(this.areas, start), page);
    this.tree.insert(this.made(this.copies, start));
  }

  take(start: number): void {
    const row = this.tree.find(start);
    if (row !== NIL) this.tree.remove(row);
    const taken = this.lazy.take(start);
    expect(taken === NIL ? NIL : this.areas.startOf(taken)).toBe(row === NIL ? NIL : start);
  }

  /** Both in address order, and the visits of all descents. */
  state(): readonly [lazy: object, tree: object] {
    const { lazy, tree } = this;
    const waiting = [...areasOf(lazy.settled)].map((row) => this.areas.startOf(row));
    expect(contradictionInTree(lazy.settled)).toBe('');
    return [
      { size: lazy.size, steps: lazy.settled.steps, waiting },
      {
        size: tree.size,
        steps: tree.steps,
        waiting: [...areasOf(tree)].map((row) => this.copies.startOf(row)),
      },
    ];
  }

  drain(): void {
    const wanted = [...areasOf(this.tree)].map((row) => this.copies.startOf(row));
    const { size } = this.lazy;
    const rows = [...this.lazy.drain().subarray(0, size)];
    expect(rows.map((row) => this.areas.startOf(row))).toEqual(wanted);
    this.tree.clear();
  }

  private made(table: AreaTable, start: number): number {
    const row = table.take();
    table.setRange(row, start, start + PAGE);
    return row;
  }
}

/** Starts with a page of their own, and some 8 TiB and more away that have none. */
const START = fc
  .tuple(fc.integer({ min: 0, max: 200 }), fc.boolean())
  .map(([page, isFar]) => ORIGIN + page * PAGE + (isFar ? 9 * TIB : 0));

const ACTION = fc.oneof(
  { weight: 8, arbitrary: fc.tuple(fc.constant('add' as const), START) },
  { weight: 2, arbitrary: fc.tuple(fc.constant('take' as const), START) },
  { weight: 1, arbitrary: fc.tuple(fc.constant('look' as const), START) },
  { weight: 1, arbitrary: fc.tuple(fc.constant('drain' as const), START) },
);

describe('areas that wait for a purge', () => {
  it('are the tree that they would be if each had been inserted when it came', () => {
    fc.assert(
      fc.property(fc.array(ACTION, { maxLength: 150 }), (actions) => {
        const twice = new Twice();
        const waiting = new Set<number>();
        for (const [action, start] of actions) {
          if (action === 'add' && !waiting.has(start)) twice.add(start);
          if (action === 'add') waiting.add(start);
          if (action === 'take') twice.take(start);
          if (action === 'take') waiting.delete(start);
          if (action === 'drain') twice.drain();
          if (action === 'drain') waiting.clear();
          if (action === 'look') {
            const [lazy, tree] = twice.state();
            expect(lazy).toEqual(tree);
          }
          expect(twice.lazy.size).toBe(waiting.size);
        }
        const [lazy, tree] = twice.state();
        expect(lazy).toEqual(tree);
      }),
    );
  });

  it('have pages of their own in the near half of the starts, and none in the other', () => {
    const table = new AreaTable(ORIGIN);
    expect(table.wholePageOf(ORIGIN + PAGE)).not.toBe(EARLIEST);
    expect(table.wholePageOf(ORIGIN + 9 * TIB)).toBe(EARLIEST);
  });
});

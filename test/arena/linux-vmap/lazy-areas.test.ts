import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EARLIEST, NIL } from '../../../src/arena/linux-vmap/area-record.js';
import { AreaTable } from '../../../src/arena/linux-vmap/area-table.js';
import { AreaTree } from '../../../src/arena/linux-vmap/area-tree.js';
import { contradictionInTree } from '../../../src/arena/linux-vmap/check.js';
import { areasOf } from '../../../src/arena/linux-vmap/inspect.js';
import { LazyAreas } from '../../../src/arena/linux-vmap/lazy-areas.js';
import { AreaNodes } from '../../../src/arena/linux-vmap/nodes.js';
import { AddressSpace } from '../../../src/core/address.js';
import { TIB } from '../../../src/core/units.js';

const PAGE = 4096;
const ORIGIN = AddressSpace.canonical.toNumber(0xffff_c900_0000_0000n);

/** A page-long area in no place. */
function made(table: AreaTable, start: number): number {
  const row = table.take();
  table.setRange(row, start, start + PAGE);
  return row;
}

/** The same areas twice: as LazyAreas keeps them, and in a tree that gets each as it comes. */
class Twice {
  private readonly areas = new AreaTable(ORIGIN);
  private readonly copies = new AreaTable(ORIGIN);
  readonly lazy = new LazyAreas(this.areas);
  readonly tree = new AreaTree(this.copies);

  add(start: number): void {
    const page = this.areas.wholePageOf(start);
    this.lazy.add(made(this.areas, start), page);
    this.tree.insert(made(this.copies, start));
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
      { size: lazy.size, steps: this.areas.steps, waiting },
      {
        size: tree.size,
        steps: this.copies.steps,
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

  it('count the visits of their descents, whichever nodes they are added to', () => {
    const [areas, copies] = [new AreaTable(ORIGIN), new AreaTable(ORIGIN)];
    const nodes = new AreaNodes(areas, 4);
    const trees = nodes.lazy.map(() => new AreaTree(copies));
    const homes = [2, 2, 0, 2, 2, 1, 3, 3, 0, 0, 1, 1, 1, 2];
    homes.forEach((node, index) => {
      const start = ORIGIN + ((index * 5) % 14) * PAGE;
      nodes.addLazy(node, made(areas, start), areas.wholePageOf(start));
      trees[node]!.insert(made(copies, start));
      if (index % 3 !== 1) expect(nodes.steps).toBe(copies.steps);
    });
    expect(nodes.steps).toBe(copies.steps);
    expect(nodes.waiting).toBe(homes.length);
  });

  it('have pages of their own in the near half of the starts, and none in the other', () => {
    const table = new AreaTable(ORIGIN);
    expect(table.wholePageOf(ORIGIN + PAGE)).not.toBe(EARLIEST);
    expect(table.wholePageOf(ORIGIN + 9 * TIB)).toBe(EARLIEST);
  });
});

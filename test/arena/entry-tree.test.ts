import { describe, expect, it } from 'vitest';
import { EntryTree, HEAD, NIL } from '../../src/arena/entry-map/entry-tree.js';
import { InvariantError } from '../../src/core/errors.js';
import { entryMapOf } from '../support/entry-map-picture.js';

/** Entries [10, 12), [20, 22), … in the range from 0 to 1000, and their rows. */
function treeOf(count: number): { tree: EntryTree; rows: number[] } {
  const tree = new EntryTree(0, 1000);
  const rows: number[] = [];
  for (let i = 1; i <= count; i++) rows.push(tree.insertAfter(rows.at(-1) ?? HEAD, i * 10, i * 10 + 2));
  return { tree, rows };
}

describe('the entry tree', () => {
  it('finds gaps in address order', () => {
    const { tree, rows } = treeOf(20);
    tree.moveEnd(rows[4]!, 60);
    expect(tree.findGap(1)).toBe(HEAD);
    expect(tree.findGap(11)).toBe(rows[19]);
    expect(tree.nextGap(rows[3]!, 8)).toBe(rows[5]);
    expect(tree.nextGap(rows[19]!, 1)).toBe(NIL);
    expect(tree.findGap(1000)).toBe(NIL);
    expect(tree.largestGap).toBe(1000 - 202);
  });

  it('finds the entry at or below an address', () => {
    const { tree, rows } = treeOf(20);
    expect([0, 9, 10, 19, 20, 999].map((address) => tree.findEntry(address))).toEqual([
      HEAD,
      HEAD,
      rows[0],
      rows[0],
      rows[1],
      rows[19],
    ]);
  });

  it('uses the rows of removed entries again', () => {
    const { tree, rows } = treeOf(3);
    tree.remove(rows[1]!);
    expect(tree.insertAfter(rows[0]!, 15, 16)).toBe(rows[1]);
    expect(tree.contradiction()).toBe('');
  });

  it.each<[string, (tree: EntryTree, row: number) => void]>([
    ['a start out of order', (tree, row) => tree.start.fill(500, row, row + 1)],
    ['an end beyond the next start', (tree, row) => tree.end.fill(500, row, row + 1)],
    ['a wrong gap', (tree, row) => tree.gap.fill(3, row, row + 1)],
    ['a gap larger than its maximum', (tree, row) => tree.gap.fill(900, row, row + 1)],
    ['a lost successor', (tree, row) => tree.next.fill(NIL, row, row + 1)],
    ['a wrong predecessor', (tree, row) => tree.previous.fill(HEAD, row, row + 1)],
    ['a wrong count', (tree) => tree.size++],
  ])('notices %s', (_what, damage) => {
    const { tree, rows } = treeOf(9);
    expect(tree.contradiction()).toBe('');
    damage(tree, rows[5]!);
    expect(tree.contradiction()).not.toBe('');
  });
});

describe('the check of an entry map', () => {
  it('throws with a dump of the entries', () => {
    const map = entryMapOf(8);
    map.alloc(4096);
    map.figures.inUseBytes += 4096;
    expect(() => map.check()).toThrow(InvariantError);
    expect(() => map.check()).toThrow('map: 4096 bytes in entries, 8192 in use');
    expect(() => map.check()).toThrow('0x100000000000..0x100000001000');
  });
});

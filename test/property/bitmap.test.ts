import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Bitmap } from '../../src/arena/bitmap/bitmap.js';
import { SummaryTree } from '../../src/arena/bitmap/summary-tree.js';
import { SlowMap } from '../support/slow-map.js';
import { BASE, QUANTUM } from './quantum-constraints.js';
import { agreesWithSlowArena } from './range-arena-properties.js';

describe('the bitmap agrees with a slow first fit', () => {
  it.each([
    [64, 16],
    [64, 1],
    [45, 1],
  ])('on random histories with constraints in %i quanta, chunks of %i words', (quanta, wordsPerChunk) => {
    agreesWithSlowArena(
      (range) => new Bitmap({ ...range, wordsPerChunk, nodeBytes: 1, chunkBytes: 1, arenaBytes: 0 }),
      (count) => new SlowMap(BASE, count, QUANTUM, true),
      100,
      quanta,
    );
  });
});

/** An array of cells that is searched cell by cell. */
class SlowCells {
  private readonly isAllocated: boolean[];

  constructor(private readonly quanta: number) {
    this.isAllocated = Array<boolean>(quanta).fill(false);
  }

  mark(from: number, to: number, isAllocated: boolean): void {
    this.isAllocated.fill(isAllocated, from, to);
  }

  seek(from: number, need: number): number {
    let run = 0;
    for (let cell = from; cell < this.quanta; cell++) {
      run = this.isAllocated[cell] ? 0 : run + 1;
      if (run === need) return cell + 1 - need;
    }
    return -1;
  }

  nextAllocated(from: number): number {
    const next = this.isAllocated.indexOf(true, from);
    return next < 0 ? this.quanta : next;
  }

  previousAllocatedEnd(before: number): number {
    return before === 0 ? 0 : this.isAllocated.lastIndexOf(true, before - 1) + 1;
  }

  get longestFree(): number {
    let run = 0;
    return this.isAllocated.reduce((longest, allocated) => {
      run = allocated ? 0 : run + 1;
      return Math.max(longest, run);
    }, 0);
  }
}

describe('the tree of summaries', () => {
  const stepArbitrary = fc.record({
    from: fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }),
    length: fc.oneof(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 700 })),
    isAllocated: fc.boolean(),
    need: fc.oneof(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 600 })),
  });

  /** 32 quanta per chunk and 256 per node of chunks: up to three levels of nodes, full and cut off by the end. */
  it.each([30, 32, 256, 300, 2048, 2100])('agrees with an array of cells over %i quanta', (quanta) => {
    fc.assert(
      fc.property(fc.array(stepArbitrary, { maxLength: 60, size: 'max' }), (steps) => {
        const tree = new SummaryTree(quanta, 1);
        const slow = new SlowCells(quanta);
        for (const { from: share, length, isAllocated, need } of steps) {
          const from = Math.floor(share * quanta);
          const to = Math.min(quanta, from + length);
          tree.mark(from, to, isAllocated);
          slow.mark(from, to, isAllocated);
          expect(tree.contradiction()).toBe('');
          expect(tree.longestFree).toBe(slow.longestFree);
          for (const at of [0, from, to, Math.max(0, from - need), Math.floor(quanta / 2)]) {
            expect(tree.seek(at, need)).toBe(slow.seek(at, need));
            expect(tree.nextAllocated(at)).toBe(slow.nextAllocated(at));
            expect(tree.previousAllocatedEnd(at)).toBe(slow.previousAllocatedEnd(at));
          }
        }
      }),
      { numRuns: 40, seed: 20250106 },
    );
  });

  it('keeps nothing of what is all free or all allocated', () => {
    const tree = new SummaryTree(2 ** 40, 16);
    const [nodes, chunks] = [tree.nodes, tree.chunkCount];
    tree.mark(12_345, 2 ** 39 + 1, true);
    expect(tree.chunkCount).toBeLessThanOrEqual(chunks + 2);
    expect(tree.seek(0, 2 ** 38)).toBe(2 ** 39 + 1);
    tree.mark(12_345, 2 ** 39 + 1, false);
    expect([tree.nodes, tree.chunkCount]).toEqual([nodes, chunks]);
    expect(tree.longestFree).toBe(2 ** 40);
  });
});

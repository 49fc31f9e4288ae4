import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { EntryPages } from '../../src/arena/uvm-map/entry-pages.js';
import { NO_ADDRESS } from '../../src/core/address.js';
import { SlowUvmMap } from '../support/slow-uvm-map.js';
import { attributesOf, drawMap, flagsOf, kernelMapOf } from '../support/uvm-picture.js';

const PAGE = 4096;
const PAGES = 160;

/** An operation, in pages; `pick` chooses among what is live, modulo their number. */
type Step =
  | {
      readonly op: 'map';
      readonly pages: number;
      readonly align: number;
      readonly hint: number | null;
      readonly words: string;
    }
  | { readonly op: 'free'; readonly pick: number }
  | { readonly op: 'cut'; readonly pick: number; readonly from: number; readonly pages: number };

const stepArbitrary: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      op: fc.constant('map' as const),
      pages: fc.integer({ min: 1, max: 5 }),
      align: fc.constantFrom(0, 0, 0, 2, 4, 8),
      hint: fc.oneof(
        fc.constant(null),
        fc.constant(null),
        fc.constant(null),
        fc.integer({ min: 1, max: PAGES + 2 }),
      ),
      words: fc.constantFrom('', '', '', '', 'q', 'q', 'n', 'qn', 'f', 'qf', 'r', 'qo'),
    }),
  },
  { weight: 3, arbitrary: fc.record({ op: fc.constant('free' as const), pick: fc.nat({ max: 1000 }) }) },
  {
    weight: 3,
    arbitrary: fc.record({
      op: fc.constant('cut' as const),
      pick: fc.nat({ max: 1000 }),
      from: fc.nat({ max: 4 }),
      pages: fc.integer({ min: 1, max: 3 }),
    }),
  },
);

/** Mappings that share no entry: they bring a history near the end of a page of entries. */
const SINGLE = { op: 'map', align: 0, hint: null, words: 'n' } as const;

/** A map, its reference and what is live in both. */
class Pair {
  readonly map = kernelMapOf(PAGES);
  private readonly slow = new SlowUvmMap(PAGES);
  private readonly live: { start: number; end: number; isQuantum: boolean }[] = [];

  apply(step: Step): void {
    if (step.op === 'map') this.enter(step);
    else if (this.live.length > 0) this.remove(step);
    expect([drawMap(this.map), this.map.figures.keptEntries, this.map.figures.freeEntries]).toEqual([
      this.slow.draw(),
      this.slow.kept.length,
      this.slow.freeEntries,
    ]);
    this.map.check();
  }

  private enter({ pages, align, hint, words }: Step & { op: 'map' }): void {
    const at = hint === null ? 0 : this.map.base + hint * PAGE;
    const address = this.map.map(pages * PAGE, align * PAGE, at, flagsOf(words), attributesOf(words));
    const start = address === NO_ADDRESS ? null : (address - this.map.base) / PAGE;
    const attributes = words.includes('r') ? 'read' : words.includes('o') ? 'object' : 'all';
    expect(start).toBe(this.slow.map(pages, align, hint, words, attributes));
    if (start !== null) this.live.push({ start, end: start + pages, isQuantum: words.includes('q') });
  }

  /** Unmaps a live range, or part of one that is not quantum. */
  private remove(step: Step & { op: 'free' | 'cut' }): void {
    const index = step.pick % this.live.length;
    const { start, end, isQuantum } = this.live[index]!;
    const isPart = step.op === 'cut' && !isQuantum;
    const from = isPart ? Math.min(start + step.from, end - 1) : start;
    const to = isPart ? Math.min(from + step.pages, end) : end;
    if (!this.slow.canUnmap(from, to)) return;
    this.map.unmap(this.map.base + from * PAGE, (to - from) * PAGE, isQuantum);
    this.slow.unmap(from, to, isQuantum);
    const parts = [
      { start, end: from, isQuantum },
      { start: to, end, isQuantum },
    ];
    this.live.splice(index, 1, ...parts.filter((part) => part.end > part.start));
  }
}

describe('a kernel map agrees with a slow reference', () => {
  it('on random histories, which reach what is rare', () => {
    const reached = { hangs: 0, bothMerges: 0, entriesForSplits: 0, drains: 0, secondPages: 0 };
    fc.assert(
      fc.property(
        fc.integer({ min: 15, max: 27 }),
        fc.array(stepArbitrary, { minLength: 20, maxLength: 200, size: 'max' }),
        (filled, steps) => {
          const pair = new Pair();
          for (let count = 0; count < filled; count++) pair.apply({ ...SINGLE, pages: 1 });
          for (const step of steps) pair.apply(step);
          const { figures, supply } = pair.map;
          reached.hangs += figures.hangs;
          reached.bothMerges += figures.bothMerges;
          reached.entriesForSplits += figures.entriesForSplits;
          reached.drains += figures.drains;
          if ((supply as EntryPages).pagesMade > 1) reached.secondPages++;
        },
      ),
      { numRuns: 150, seed: 20110413 },
    );
    expect(Object.entries(reached).filter(([, times]) => times === 0)).toEqual([]);
  });

  it('with merging, linked and kept quantum entries are as many as live quantum ranges', () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat({ max: 1000 }), { minLength: 50, maxLength: 300, size: 'max' }),
        (draws) => {
          const map = kernelMapOf(PAGES);
          const live: number[] = [];
          for (const draw of draws) {
            if (draw % 5 < 3) {
              const address = map.map(PAGE, 0, 0, flagsOf('q'), attributesOf(''));
              if (address !== NO_ADDRESS) live.push(address);
            } else if (live.length > 0) {
              map.unmap(live.splice(draw % live.length, 1)[0]!, PAGE, true);
            }
            const entryPages = [...drawMap(map)].filter((cell) => cell === 'K').length;
            expect(map.figures.allocTags - entryPages + map.figures.keptEntries).toBe(live.length);
          }
        },
      ),
      { numRuns: 50, seed: 20110413 },
    );
  });
});

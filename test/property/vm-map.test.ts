import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TagType } from '../../src/arena/view.js';
import { MAP_ABIS } from '../../src/arena/vm-map/abi.js';
import { VmMap } from '../../src/arena/vm-map/vm-map.js';
import { NO_ADDRESS } from '../../src/core/address.js';
import { LockTable } from '../../src/core/locks.js';

const PAGE = 4096;
const BASE = 2 ** 44;
const PAGES = 200;
const FREE = '.';

/** One character per page: the slow reference, with an entry at the top that hides the last gap. */
class SlowVmMap {
  cells = [...FREE.repeat(PAGES - 1), 'z'];

  /** Lowest page from `hint` on, rounded up and looked for again until it is aligned; -1 for none. */
  find(pages: number, hint: number, align: number): number {
    let page = this.lowest(pages, hint);
    for (let last = -1; page >= 0 && page !== last; ) {
      last = Math.ceil(page / align) * align;
      page = this.lowest(pages, last);
    }
    return page;
  }

  isFree(page: number, pages: number): boolean {
    return page + pages <= PAGES && this.cells.slice(page, page + pages).every((cell) => cell === FREE);
  }

  fill(page: number, pages: number, letter: string): void {
    this.cells.fill(letter, page, page + pages);
  }

  /** Runs of one letter: neighbours that are alike are one entry. */
  runs(): string[] {
    return [...this.cells.join('').matchAll(/(.)\1*/g)].map(
      (run) => `${run[1]} ${run.index} ${run[0].length}`,
    );
  }

  private lowest(pages: number, hint: number): number {
    for (let page = hint; page + pages <= PAGES; page++) if (this.isFree(page, pages)) return page;
    return -1;
  }
}

const stepArbitrary = fc.record({
  kind: fc.constantFrom('find', 'find', 'aligned', 'insert', 'remove', 'remove'),
  pages: fc.integer({ min: 1, max: 12 }),
  page: fc.nat({ max: PAGES - 1 }),
  fromBase: fc.boolean(),
  alignPower: fc.integer({ min: 0, max: 4 }),
  letter: fc.constantFrom('a', 'b'),
});
type Step = typeof stepArbitrary extends fc.Arbitrary<infer T> ? T : never;

function newMap(): VmMap {
  const limit = BASE + PAGES * PAGE;
  const map = new VmMap({ name: 'map', base: BASE, limit, abi: MAP_ABIS[13], locks: new LockTable() });
  map.freeSpectrum();
  map.insert(limit - PAGE, PAGE, 'z'.charCodeAt(0));
  return map;
}

function runsOf(map: VmMap): string[] {
  const { tree, attributes } = map;
  let entry = 0;
  const runs: string[] = [];
  map.walk((type, start, size) => {
    if (type === TagType.span) return;
    if (type === TagType.alloc) entry = tree.next[entry]!;
    const letter = type === TagType.free ? FREE : String.fromCharCode(attributes[entry]!);
    runs.push(`${letter} ${(start - BASE) / PAGE} ${size / PAGE}`);
  });
  return runs;
}

function step(map: VmMap, slow: SlowVmMap, { kind, pages, page, fromBase, alignPower, letter }: Step): void {
  const size = pages * PAGE;
  const attributes = letter.charCodeAt(0);
  if (kind === 'remove') {
    const length = Math.min(pages, PAGES - 1 - page);
    if (length === 0) return;
    map.remove(BASE + page * PAGE, length * PAGE);
    slow.fill(page, length, FREE);
  } else if (kind === 'insert') {
    const isFree = slow.isFree(page, pages);
    expect(map.insert(BASE + page * PAGE, size, attributes)).toBe(isFree);
    if (isFree) slow.fill(page, pages, letter);
  } else {
    const hint = fromBase ? 0 : page;
    const align = kind === 'find' ? 1 : 2 ** alignPower;
    const found = slow.find(pages, hint, align);
    const address = map.find(size, align * PAGE, BASE + hint * PAGE, attributes);
    expect(address === NO_ADDRESS ? -1 : (address - BASE) / PAGE).toBe(found);
    if (found >= 0) slow.fill(found, pages, letter);
  }
}

describe("FreeBSD's map agrees with a slow reference", () => {
  it('on random histories under an entry at its top', () => {
    const histories = fc.array(stepArbitrary, { maxLength: 150, size: 'max' });
    fc.assert(
      fc.property(histories, (steps) => {
        const map = newMap();
        const slow = new SlowVmMap();
        for (const one of steps) {
          step(map, slow, one);
          map.check();
          expect(runsOf(map)).toEqual(slow.runs());
        }
      }),
      { numRuns: 60, seed: 20260105, endOnFailure: true },
    );
  });
});

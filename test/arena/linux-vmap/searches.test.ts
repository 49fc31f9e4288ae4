import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CHILD, LARGEST, LOWER, NIL, UPPER } from '../../../src/arena/linux-vmap/area-record.js';
import { FreeSpace } from '../../../src/arena/linux-vmap/free-space.js';
import { areasOf } from '../../../src/arena/linux-vmap/inspect.js';
import { MAIN_WINDOW, Vmap } from '../../../src/arena/linux-vmap/vmap.js';
import { AddressSpace } from '../../../src/core/address.js';
import { LockTable } from '../../../src/core/locks.js';
import { insides, replaceHidden } from '../../support/mutation.js';

const PAGE = 4096;
const MAIN_PAGES = 600;

/** Main ranges that begin on any page, and one that ends a page below the last byte of memory. */
const STARTS = [
  0xffff_c900_0000_0000n,
  0xffff_c900_0000_0000n + 3n * BigInt(PAGE),
  0xffff_c97f_ffff_d000n,
  2n ** 64n - BigInt((MAIN_PAGES + 1) * PAGE),
].map((address) => AddressSpace.canonical.toNumber(address));

/** Pages, and alignment as a power of two of pages. */
const REQUEST = fc.tuple(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 0, max: 5 }));

/** A request, or which of what lives to free. */
const STEP = fc.oneof(fc.record({ request: REQUEST }), fc.record({ victim: fc.nat({ max: 1000 }) }));

type Step = { request: [pages: number, power: number] } | { victim: number };

/** A main range of MAIN_PAGES that has seen some requests and frees, all of which have gone back to the tree. */
function worn(start: number, steps: readonly Step[]): Vmap {
  const last = start + MAIN_PAGES * PAGE - 1;
  const vmap = new Vmap({ name: 'v', start, last, cpus: 1, locks: new LockTable() });
  vmap.addWindow(start + 300 * PAGE, start + 500 * PAGE);
  const live: number[] = [];
  for (const step of steps) {
    if ('victim' in step) {
      const [address] = live.splice(step.victim % Math.max(live.length, 1), 1);
      if (address !== undefined) vmap.freeAt(address);
    } else {
      const [pages, power] = step.request;
      const row = vmap.alloc(pages * PAGE, PAGE * 2 ** power, MAIN_WINDOW, 0);
      if (row !== NIL) live.push(vmap.areas.startOf(row));
    }
  }
  vmap.purge(true);
  return vmap;
}

type Found = readonly [row: number, place: number, visits: number];

function searched(free: FreeSpace, [pages, power]: readonly [number, number], window: number): Found {
  const before = free.visits;
  const row = free.search(pages * PAGE, PAGE * 2 ** power, window);
  return [row, row === NIL ? 0 : free.place, free.visits - before];
}

describe('a search by numbers of pages', () => {
  it('finds what one by addresses does, and looks at as many ranges', () => {
    const arbitrary = fc.tuple(
      fc.constantFrom(...STARTS),
      fc.array(STEP, { minLength: 20, maxLength: 120 }),
      fc.array(REQUEST, { minLength: 5, maxLength: 12 }),
    );
    let far = 0;
    fc.assert(
      fc.property(arbitrary, ([start, steps, requests]) => {
        const { free } = worn(start, steps);
        for (const window of [MAIN_WINDOW, 1]) {
          const byPages = requests.map((request) => searched(free, request, window));
          const undo = replaceHidden(FreeSpace, 'searchPages', () => () => {
            far++;
            return -1;
          });
          const byAddresses = requests.map((request) => searched(free, request, window));
          undo();
          expect(byPages).toEqual(byAddresses);
        }
      }),
      { numRuns: 500 },
    );
    expect(far).toBeGreaterThan(0);
  });

  it('goes by sizes in halves of a page that compare with every request as the bytes do', () => {
    const arbitrary = fc.tuple(fc.constantFrom(...STARTS), fc.array(STEP, { minLength: 20, maxLength: 80 }));
    fc.assert(
      fc.property(arbitrary, ([start, steps]) => {
        const { free } = worn(start, steps);
        const { words } = free.ranges;
        const { isEnough } = insides<{ isEnough: (row: number, side: number, length: number) => boolean }>(
          free,
          ['isEnough'],
        );
        for (const row of areasOf(free.tree))
          for (const side of [LOWER, UPPER]) {
            const bytes = free.tree.largestBytes(words[row + CHILD + side]!);
            // What a request asks for: whole pages, or a byte less.
            for (const around of [-2, -1, 0, 1, 2])
              for (const lacking of [0, 1]) {
                const length = (Math.floor(bytes / PAGE) + around) * PAGE - lacking;
                if (length > 0) expect(isEnough.call(free, row, side, length)).toBe(bytes >= length);
              }
            expect(words[row + LARGEST + side]).toBe(Math.min(2 ** 31 - 1, Math.floor(bytes / 2048)));
          }
      }),
    );
  });
});

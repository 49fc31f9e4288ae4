import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { VmapView } from '../../src/arena/linux-vmap/view.js';
import { MAIN_WINDOW, Vmap } from '../../src/arena/linux-vmap/vmap.js';
import { TagType } from '../../src/arena/view.js';
import { AddressSpace, NO_ADDRESS } from '../../src/core/address.js';
import { LockTable } from '../../src/core/locks.js';
import { SlowVmap } from '../support/slow-vmap.js';

const PAGE = 4096;
const PAGES = 96;
/** A multiple of 64 KiB times every number of nodes tried here, so that zones count from it. */
const START = AddressSpace.canonical.toNumber(0xffffc90000000000n);
const WINDOW = [20, 50] as const;

type Step =
  | { readonly op: 'alloc'; readonly pages: number; readonly cpu: number; readonly isWindowed: boolean }
  | { readonly op: 'free'; readonly pick: number }
  | { readonly op: 'drain' | 'reclaim' | 'shrink' };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      op: fc.constant('alloc' as const),
      pages: fc.oneof(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 30 })),
      cpu: fc.nat(3),
      isWindowed: fc.nat(5).map((draw) => draw === 0),
    }),
  },
  { weight: 5, arbitrary: fc.record({ op: fc.constant('free' as const), pick: fc.nat(1000) }) },
  { weight: 1, arbitrary: fc.record({ op: fc.constantFrom('drain', 'reclaim', 'shrink') }) },
);

/** Both models side by side; every answer is compared, and the state after each step. */
class Pair {
  private readonly vmap: Vmap;
  private readonly view: VmapView;
  private readonly slow: SlowVmap;
  private readonly window: number;
  private readonly live: number[] = [];

  constructor(nodes: number) {
    const last = START + PAGES * PAGE - 1;
    this.vmap = new Vmap({ name: 'vmap', start: START, last, cpus: 4, nodes, locks: new LockTable() });
    this.view = new VmapView(this.vmap);
    this.view.freeSpectrum();
    this.window = this.vmap.addWindow(START + WINDOW[0] * PAGE, START + WINDOW[1] * PAGE);
    this.slow = new SlowVmap(PAGES, nodes);
  }

  run(one: Step): void {
    if (one.op === 'alloc') this.alloc(one.pages, one.cpu, one.isWindowed);
    else if (one.op === 'free') this.free(one.pick);
    else if (one.op === 'shrink') {
      this.vmap.decay(true);
      this.slow.decay(true);
    } else expect(this.vmap.purge(one.op === 'reclaim')).toBe(this.slow.purge(one.op === 'reclaim'));
    this.view.check();
    const runs: number[] = [];
    this.view.walkFree((size) => runs.push(size / PAGE));
    expect(runs).toEqual(this.slow.freeRuns);
  }

  private alloc(pages: number, cpu: number, isWindowed: boolean): void {
    const address = this.vmap.allocAddress(pages * PAGE, 1, isWindowed ? this.window : MAIN_WINDOW, cpu);
    const page = address === NO_ADDRESS ? -1 : (address - START) / PAGE;
    expect(page).toBe(this.slow.alloc(pages, cpu, isWindowed ? WINDOW : undefined));
    if (page >= 0) this.live.push(page);
  }

  private free(pick: number): void {
    if (this.live.length === 0) return;
    const [page] = this.live.splice(pick % this.live.length, 1);
    this.vmap.freeAt(START + page! * PAGE);
    this.slow.free(page!);
  }
}

describe('the vmap', () => {
  it.each([1, 2, 4])('of %i nodes agrees with one without trees', (nodes) => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
        const pair = new Pair(nodes);
        for (const one of steps) pair.run(one);
      }),
      { numRuns: 60, seed: 5 },
    );
  });

  it('finds an aligned place no higher than where the worst alignment fits', () => {
    const request = fc.record({
      pages: fc.integer({ min: 1, max: 9 }),
      shift: fc.nat(4),
      pick: fc.nat(1000),
    });
    fc.assert(
      fc.property(fc.array(request, { maxLength: 150 }), (requests) => {
        const last = START + 512 * PAGE - 1;
        const vmap = new Vmap({ name: 'vmap', start: START, last, cpus: 1, locks: new LockTable() });
        const view = new VmapView(vmap);
        const live: number[] = [];
        for (const { pages, shift, pick } of requests) {
          const align = PAGE * 2 ** shift;
          let bound = Number.POSITIVE_INFINITY;
          view.walk((type, start, size) => {
            if (type === TagType.free && size >= pages * PAGE + align - 1)
              bound = Math.min(bound, start + align);
          });
          const address = vmap.allocAddress(pages * PAGE, align, MAIN_WINDOW, 0);
          expect(address).toBeLessThan(bound);
          if (address !== NO_ADDRESS) {
            expect(address % align).toBe(0);
            live.push(address);
          }
          if (pick % 3 === 0 && live.length > 0) {
            vmap.freeAt(live.splice(pick % live.length, 1)[0]!);
            if (pick % 2 === 0) vmap.purge(false);
          }
          view.check();
        }
      }),
      { numRuns: 40, seed: 6 },
    );
  });
});

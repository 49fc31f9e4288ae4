import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { NO_REGION, type Region, Reservoir } from '../../src/arena/bhyve-reservoir/reservoir.js';
import type { SpanSet } from '../../src/arena/bhyve-reservoir/span-set.js';
import { SlowReservoir, type SlowSpan } from '../support/slow-reservoir.js';

const operation = fc.record({
  kind: fc.constantFrom('add', 'remove', 'alloc', 'alloc', 'alloc transient', 'free', 'free'),
  pages: fc.integer({ min: 1, max: 12 }),
  pick: fc.nat(),
});

function spansOf(set: SpanSet): SlowSpan[] {
  const spans: SlowSpan[] = [];
  set.walk((start, size) => spans.push({ start, size }));
  return spans;
}

function regionSpans({ spans }: Reservoir, region: Region): SlowSpan[] {
  const found: SlowSpan[] = [];
  for (let span = region; span !== NO_REGION; span = spans.next[span]!) {
    found.push({ start: spans.start[span]!, size: spans.size[span]! });
  }
  return found;
}

describe('the reservoir and a slow one', () => {
  it('agree on every answer, every span and both sets', () => {
    const history = fc.array(operation, { minLength: 1, maxLength: 200, size: 'max' });
    fc.assert(
      fc.property(history, (operations) => {
        const fast = new Reservoir({ limit: 64, pageSize: 1, spanBytes: 1 });
        const slow = new SlowReservoir(64);
        const live: Region[] = [];
        for (const { kind, pages, pick } of operations) {
          if (kind === 'add') expect(fast.add(pages, false)).toBe(slow.add(pages, false));
          if (kind === 'remove') expect(fast.remove(pages, false)).toBe(slow.remove(pages, false));
          if (kind.startsWith('alloc')) {
            const isTransient = kind === 'alloc transient';
            const region = fast.alloc(pages, isTransient);
            const wanted = slow.alloc(region, pages, isTransient);
            expect(region === NO_REGION ? undefined : regionSpans(fast, region)).toEqual(wanted);
            if (region !== NO_REGION) live.push(region);
          }
          if (kind === 'free' && live.length > 0) {
            const [region] = live.splice(pick % live.length, 1) as [Region];
            fast.release(region);
            slow.release(region);
          }
          expect([spansOf(fast.free), spansOf(fast.empty)]).toEqual([slow.free, slow.empty]);
          fast.check();
        }
      }),
      { numRuns: 150, seed: 20250102 },
    );
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RequestClass } from '../../src/core/request.js';
import { RequestSizes } from '../../src/probe/request-sizes.js';

const { kmem, va } = RequestClass;

function recorded(sizes: readonly number[]): RequestSizes {
  const all = new RequestSizes();
  for (const size of sizes) all.record(kmem, size);
  return all;
}

describe('RequestSizes', () => {
  it.each([1, 2, 33, 63, 64, 4096, 3 * 4096, 63 * 4096, 2 ** 32, 2 ** 52 + 2 ** 47, 2 ** 53])(
    'keeps %d apart from its neighbours',
    (size) => {
      // A larger one keeps the quantile from being cut off at the largest size.
      const larger = Math.min(2 ** 53, size * 2);
      expect(recorded([size, size, larger]).quantile(kmem, 50)).toBe(size);
    },
  );

  it.each([
    [65, 66],
    [1000, 1008],
    [2 ** 40 + 1, 2 ** 40 + 2 ** 35],
  ])('rounds %d up to %d', (size, rounded) => {
    expect(recorded([size, size, 2 ** 50]).quantile(kmem, 50)).toBe(rounded);
  });

  it('gives 0 without requests, and classes apart', () => {
    const sizes = recorded([100]);
    expect([sizes.count(va), sizes.quantile(va, 50), sizes.max(va)]).toEqual([0, 0, 0]);
    expect([sizes.count(kmem), sizes.quantile(kmem, 50), sizes.max(kmem)]).toEqual([1, 100, 100]);
  });

  it('has the quantiles of a sorted list, rounded up by less than 1/32', () => {
    const size = fc.integer({ min: 0, max: 52 }).chain((log2) => {
      return fc.integer({ min: 2 ** log2, max: 2 ** (log2 + 1) });
    });
    fc.assert(
      fc.property(
        fc.array(size, { minLength: 1, maxLength: 60 }),
        fc.constantFrom(50, 90),
        (sizes, percent) => {
          const sorted = [...sizes].sort((a, b) => a - b);
          const exact = sorted[Math.ceil((sizes.length * percent) / 100) - 1]!;
          const all = recorded(sizes);
          const quantile = all.quantile(kmem, percent);
          expect(quantile).toBeGreaterThanOrEqual(exact);
          expect(quantile).toBeLessThan(exact * (1 + 1 / 32));
          expect(all.max(kmem)).toBe(sorted.at(-1));
          expect(all.count(kmem)).toBe(sizes.length);
        },
      ),
    );
  });
});

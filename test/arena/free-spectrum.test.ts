import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FreeSpectrum } from '../../src/arena/free-spectrum.js';
import { highBit } from '../../src/core/units.js';

/** A spectrum over an array of sizes, and how often the array was walked. */
class Listed {
  readonly sizes: number[] = [];
  walks = 0;
  readonly spectrum: FreeSpectrum;

  constructor(quantum: number, ...sizes: readonly number[]) {
    this.sizes.push(...sizes);
    this.spectrum = new FreeSpectrum(quantum, (visit) => {
      this.walks++;
      this.sizes.forEach(visit);
    });
  }

  add(size: number): void {
    this.sizes.push(size);
    this.spectrum.add(size);
  }

  removeAt(index: number): void {
    this.spectrum.remove(this.sizes.splice(index, 1)[0]!);
  }

  below(bound: number): number {
    return this.sizes.reduce((sum, size) => (size < bound ? sum + size : sum), 0);
  }
}

describe('a free spectrum', () => {
  it.each([1, 16, 4096])('agrees with the list of all sizes, quantum %i', (quantum) => {
    const quanta = fc.oneof(
      fc.integer({ min: 1, max: 70 }),
      fc.integer({ min: 1, max: 5000 }),
      fc.integer({ min: 1, max: 2 ** 53 / quantum }),
    );
    const step = fc.record({ isRemoval: fc.boolean(), pick: fc.nat(), quanta, bound: fc.option(quanta) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80, size: 'max' }), (steps) => {
        const listed = new Listed(quantum);
        for (const { isRemoval, pick, quanta: length, bound } of steps) {
          if (!isRemoval && listed.spectrum.bytes + length * quantum <= 2 ** 53) listed.add(length * quantum);
          else if (listed.sizes.length > 0) listed.removeAt(pick % listed.sizes.length);
          if (bound === null) continue;
          for (const size of [bound * quantum, Math.max(1, bound * quantum - 1)])
            expect(listed.spectrum.bytesBelow(size)).toBe(listed.below(size));
          expect(listed.spectrum.contradiction()).toBe('');
        }
      }),
      { numRuns: 200, seed: 20250105 },
    );
  });

  it('sorts segments into powers of two', () => {
    const sizes = [16, 32, 48, 63 * 16, 64 * 16, 1000 * 16, 2 ** 40];
    const [segments, bytes] = [new Float64Array(54), new Float64Array(54)];
    new Listed(16, ...sizes).spectrum.addClasses(segments, bytes);
    const expected = [new Float64Array(54), new Float64Array(54)];
    for (const size of sizes) {
      expected[0]![highBit(size) - 1]! += 1;
      expected[1]![highBit(size) - 1]! += size;
    }
    expect([segments, bytes]).toEqual(expected);
  });

  it('walks once for a bound inside a bucket, and then follows it', () => {
    const listed = new Listed(1, 1001, 1002, 1003);
    expect(listed.spectrum.bytesBelow(1003)).toBe(2003);
    listed.add(1000);
    listed.removeAt(1);
    for (let index = 0; index < 5; index++) expect(listed.spectrum.bytesBelow(1003)).toBe(2001);
    expect(listed.walks).toBe(2);
  });

  it('never walks for short lengths and bounds of buckets', () => {
    const listed = new Listed(16, 16, 32, 63 * 16, 66 * 16, 68 * 16);
    const bounds = [31, 33, 63 * 16, 63 * 16 + 1, 66 * 16, 68 * 16];
    expect(bounds.map((bound) => listed.spectrum.bytesBelow(bound))).toEqual(
      bounds.map((bound) => listed.below(bound)),
    );
    expect(listed.walks).toBe(1);
  });

  it('tells the largest segment unless its bucket has several lengths', () => {
    expect(new Listed(16).spectrum.largestIfSure).toBe(0);
    expect(new Listed(16, 48, 63 * 16, 63 * 16).spectrum.largestIfSure).toBe(63 * 16);
    expect(new Listed(16, 48, 1001 * 16).spectrum.largestIfSure).toBe(1001 * 16);
    expect(new Listed(16, 1000 * 16, 1001 * 16).spectrum.largestIfSure).toBe(-1);
  });

  it('notices what was not told', () => {
    const listed = new Listed(16, 16, 32);
    listed.spectrum.bytesBelow(1001 * 16);
    listed.sizes.push(1000 * 16);
    expect(listed.spectrum.contradiction()).toMatch(/free segments from 15872 bytes up are miscounted/);
  });
});

import { describe, expect, it } from 'vitest';
import { RandomStream } from '../../src/core/random.js';
import { drawExponential } from '../../src/workload/exponential.js';

const DRAWS = 100_000;
const MEAN = 1_000_000;

function draws(seed: number, mean = MEAN): number[] {
  const stream = new RandomStream(seed, 'test/exponential');
  return Array.from({ length: DRAWS }, () => drawExponential(stream, mean));
}

describe('exponential draws', () => {
  it('have the mean asked for and its square as the variance', () => {
    const values = draws(1);
    const mean = values.reduce((sum, value) => sum + value, 0) / DRAWS;
    const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / DRAWS;
    expect(Math.abs(mean / MEAN - 1)).toBeLessThan(0.01);
    expect(Math.abs(variance / MEAN ** 2 - 1)).toBeLessThan(0.03);
  });

  it.each([0.1, 0.5, 1, 2, 4])('leave a share of e^-%d above that many means', (means) => {
    const share = draws(2).filter((value) => value >= means * MEAN).length / DRAWS;
    const expected = Math.exp(-means);
    const deviation = Math.sqrt((expected * (1 - expected)) / DRAWS);
    expect(Math.abs(share - expected)).toBeLessThan(4 * deviation);
  });

  it('are integers from 0 up, up to means of 2^53', () => {
    expect(draws(3, 1).every((value) => Number.isInteger(value) && value >= 0)).toBe(true);
    expect(draws(3, 2 ** 53).every((value) => Number.isInteger(value) && value >= 0)).toBe(true);
  });

  it('stay what they are', () => {
    const stream = new RandomStream(1, 'test/exponential');
    expect(Array.from({ length: 6 }, () => drawExponential(stream, MEAN))).toMatchInlineSnapshot(`
      [
        52738,
        804175,
        2987082,
        2381024,
        661593,
        731407,
      ]
    `);
  });
});

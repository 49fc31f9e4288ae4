import { describe, expect, it } from 'vitest';
import { extremeLines } from '../../../src/report/charts/end-labels.js';
import { lineChart } from '../../../src/report/charts/line-chart.js';
import type { Timeline } from '../../../src/report/timelines.js';

/** Lines from 0 to the given values, of backends 0, 1 and so on. */
function linesTo(ends: readonly number[]): Timeline[] {
  return ends.map((end, backend) => ({
    backend,
    points: [0, end].map((value, time) => ({ time, low: value, middle: value, high: value })),
  }));
}

function chart(lines: readonly Timeline[]): string {
  const name = (backend: number): string => `<b${backend}>`;
  return lineChart({ lines, name, label: 'x', unit: '1', description: 'x' });
}

describe('a chart of many lines', () => {
  it('picks the lines that end at the three least and the three greatest values', () => {
    const lines = linesTo([5, 1, 9, 1, 7, 3, 8, 2, 4, 6, 9]);
    const found = extremeLines(lines)!.map(({ value, backends }) => [value, backends]);
    expect(found).toEqual([
      [1, [1, 3]],
      [2, [7]],
      [3, [5]],
      [7, [4]],
      [8, [6]],
      [9, [2, 10]],
    ]);
    expect(extremeLines(lines.slice(1))).toBeUndefined();
  });

  it('colours and names those, and leaves the others grey', () => {
    const svg = chart(linesTo([5, 1, 9, 1, 7, 3, 8, 2, 4, 6, 9]));
    expect(svg.match(/stroke="var\(--faint\)"/g)).toHaveLength(5);
    expect(svg).toContain('&lt;b1&gt; +1</text>');
    expect(chart(linesTo([5, 1, 9]))).not.toContain('stroke="var(--faint)"');
  });

  it('writes no name over another, nor outside of the picture', () => {
    for (const ends of [
      [1, 1.001, 1.002, 9, 9.001, 9.002],
      [0, 0.001, 0.002, 0.003, 0.004, 9],
    ]) {
      const svg = chart(linesTo([...ends, ...Array.from({ length: 8 }, () => ends[2]! + 0.0001)]));
      const labels = svg.matchAll(/transform="translate\([\d.]+,([\d.]+)\)"[^>]*>&lt;b/g);
      const heights = [...labels].map(([, y]) => Number(y)).sort((a, b) => a - b);
      expect(heights).toHaveLength(6);
      expect(heights[0]).toBeGreaterThanOrEqual(20);
      expect(heights.at(-1)).toBeLessThanOrEqual(210);
      for (const [index, y] of heights.slice(1).entries()) expect(y - heights[index]!).toBeGreaterThan(11.9);
    }
  });
});

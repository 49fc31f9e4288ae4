import { describe, expect, it } from 'vitest';
import type { CellResult } from '../../src/harness/cell.js';
import { SUMMARY_COLUMNS } from '../../src/harness/summary.js';
import { SummaryTable } from '../../src/report/summary-table.js';

function cell(backend: string, figures: Record<string, number>, seed = 1): CellResult {
  const summary = SUMMARY_COLUMNS.map(({ name }) => figures[name] ?? Number.NaN);
  return {
    workload: 'load',
    backend,
    seed,
    summary,
    resultDigest: '0123456789abcdef',
  } as unknown as CellResult;
}

function text(...cells: CellResult[]): string {
  const table = new SummaryTable();
  for (const each of cells) table.add(each);
  return table.text(100);
}

describe('SummaryTable', () => {
  it('has a block per workload and seed, with units for people and a dash for what has no value', () => {
    const figures = {
      events: 12_345,
      failures: 0,
      peak_live_bytes: 3 * 2 ** 20,
      va_per_peak_live: 1.25,
      tags_peak: 9999,
    };
    expect(text(cell('one', figures), cell('two', { ...figures, external_fragmentation_peak: 2.5e-7 }))).toBe(
      [
        'load, seed 1: 12.3k events',
        'backend failed peak live VA/live ext.frag holes tags metadata search locks mag.hit digest',
        'one          0        3M   1.250        -     - 9999        -      -     -       - 01234567',
        'two          0        3M   1.250   2.5e-7     - 9999        -      -     -       - 01234567',
        '',
      ].join('\n'),
    );
  });

  it('says which backends have left requests out', () => {
    const some = { events: 50, allocs: 20, failures: 1, unserved: 9 };
    const lines = text(
      cell('all', { events: 50 }),
      cell('some', some),
      cell('none', { unserved: 50, allocs: 0, failures: 0 }),
    );
    expect(lines.split('\n').slice(5)).toEqual([
      'some: 9 events of classes that it does not serve',
      'none serves no request of these classes',
      '',
    ]);
  });

  it.each([40, 80, 100])(
    'keeps to %i characters a line whatever the figures, and leaves none out',
    (width) => {
      for (const value of [0, 1e-9, 0.123456, 99_999, 1_234_567_890, 2 ** 53]) {
        const figures = Object.fromEntries(
          SUMMARY_COLUMNS.map(({ name, unit }) => [name, unit === '1' ? value : Math.floor(value)]),
        );
        const table = new SummaryTable();
        table.add(cell('a-backend-with-a-very-long-name:and=parameters', figures));
        const lines = table.text(width).split('\n');
        expect(lines.join(' ')).toMatch(/failed .*VA\/live .*tags .*locks .*digest/);
        for (const line of lines) expect(line.length).toBeLessThanOrEqual(width);
      }
    },
  );
});

import { alignedLines } from '../../report/aligned-text.js';
import type { SkippedEvents } from '../../trace/trace.js';

const INDENT = '  ';

/**
 * Aligned text without lines or colours; columns of numbers stand to the right. A line has at most `width` characters;
 * the first `keys` columns name a row.
 */
export function plainTable(
  rows: readonly (readonly (string | number)[])[],
  width: number,
  keys?: number,
): string {
  const columns = rows.reduce((most, row) => Math.max(most, row.length), 0);
  const places = Array.from({ length: columns }, (_, column) => column);
  const lines = alignedLines({
    rows: rows.map((row) => places.map((column) => String(row[column] ?? ''))),
    alignments: places.map((column) =>
      rows.some((row) => typeof row[column] === 'number') ? 'right' : 'left',
    ),
    gap: '  ',
    width: width - INDENT.length,
    ...(keys === undefined ? {} : { keys }),
  });
  return lines.map((line) => `${INDENT}${line}`.trimEnd()).join('\n');
}

/** Reasons, classes and counts of what an import could not use, each with its first line; most first. */
export function skippedTable(skipped: readonly SkippedEvents[], width: number): string {
  const rows = [...skipped].sort((a, b) => b.count - a.count);
  const head = ['left out, altered', 'count', 'class', 'first such line'];
  const figures = rows.map(({ reason, cls, count, samples }) => [
    reason,
    count,
    cls || '-',
    shorten(samples[0] ?? ''),
  ]);
  return plainTable([head, ...figures], width);
}

function shorten(sample: string): string {
  const line = sample.replace(/\s+/g, ' ');
  return line.length > 80 ? `${line.slice(0, 79)}…` : line;
}

const BARS = '▁▂▃▄▅▆▇█';

/** A curve as a line of bars, the highest at the greatest value; a space where the value is 0. */
export function sparkline(values: readonly number[]): string {
  const most = Math.max(...values);
  return values
    .map((value) => (value > 0 ? BARS[Math.ceil((value / most) * BARS.length) - 1] : ' '))
    .join('');
}

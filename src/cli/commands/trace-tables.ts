import { alignedLines } from '../../report/aligned-text.js';
import type { SkippedEvents } from '../../trace/trace.js';

/** Aligned text without lines or colours; columns of numbers stand to the right. */
export function plainTable(rows: readonly (readonly (string | number)[])[]): string {
  const widest = rows.reduce((most, row) => Math.max(most, row.length), 0);
  const alignments = Array.from({ length: widest }, (_, column): 'left' | 'right' =>
    rows.some((row) => typeof row[column] === 'number') ? 'right' : 'left',
  );
  const texts = rows.map((row) => row.map(String));
  return alignedLines(texts, alignments, '  ')
    .map((line) => `  ${line}`)
    .join('\n');
}

/** Reasons, classes and counts of what an import could not use, each with its first line; most first. */
export function skippedTable(skipped: readonly SkippedEvents[]): string {
  const rows = [...skipped].sort((a, b) => b.count - a.count);
  return plainTable([
    ['left out, altered', 'count', 'class', 'first such line'],
    ...rows.map(({ reason, cls, count, samples }) => [reason, count, cls || '-', shorten(samples[0] ?? '')]),
  ]);
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

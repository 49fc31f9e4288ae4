import Table from 'cli-table3';
import type { SkippedEvents } from '../../trace/trace.js';

const NO_LINES = {
  top: '',
  'top-mid': '',
  'top-left': '',
  'top-right': '',
  bottom: '',
  'bottom-mid': '',
  'bottom-left': '',
  'bottom-right': '',
  left: '',
  'left-mid': '',
  mid: '',
  'mid-mid': '',
  right: '',
  'right-mid': '',
  middle: '  ',
};

/** Aligned text without lines or colours; columns of numbers stand to the right. */
export function plainTable(rows: readonly (readonly (string | number)[])[]): string {
  const widest = rows.reduce((most, row) => Math.max(most, row.length), 0);
  const colAligns = Array.from({ length: widest }, (_, column): 'left' | 'right' =>
    rows.some((row) => typeof row[column] === 'number') ? 'right' : 'left',
  );
  const style = { 'padding-left': 0, 'padding-right': 0, head: [], border: [] };
  const table = new Table({ chars: NO_LINES, style, colAligns });
  for (const row of rows) table.push(row.map(String));
  const lines = table.toString().split('\n');
  return lines.map((line) => `  ${line.trimEnd()}`).join('\n');
}

/** Reasons, classes and counts of what an import could not use, each with its first line. */
export function skippedTable(skipped: readonly SkippedEvents[]): string {
  return plainTable(
    skipped.map(({ reason, cls, count, samples }) => [count, reason, cls, shorten(samples[0] ?? '')]),
  );
}

function shorten(sample: string): string {
  return sample.length > 80 ? `${sample.slice(0, 79)}…` : sample;
}

import { visibleText } from '../core/visible-text.js';
import type { CellResult } from '../harness/cell.js';
import { SUMMARY_COLUMNS } from '../harness/summary.js';
import { alignedLines } from './aligned-text.js';
import { formatCount, formatRatio, formatShortBytes, shorten } from './notation.js';
import { wrapWords } from './wrap-words.js';

/** A column of the table for people: heading, name in summary.csv, notation. */
type Shown = readonly [heading: string, column: string, format: (value: number) => string];

const SHOWN: readonly Shown[] = [
  ['failed', 'failures', formatCount],
  ['peak live', 'peak_live_bytes', formatShortBytes],
  ['VA/live', 'va_per_peak_live', formatRatio],
  ['ext.frag', 'external_fragmentation_peak', formatRatio],
  ['holes', 'hole_ratio_mean', formatRatio],
  ['tags', 'tags_peak', formatCount],
  ['metadata', 'metadata_bytes_peak', formatShortBytes],
  ['search', 'searches', formatCount],
  ['locks', 'lock_acquisitions', formatCount],
  ['mag.hit', 'magazine_hit_rate', formatRatio],
];

/** What the table keeps of a cell. */
type Row = Pick<CellResult, 'workload' | 'backend' | 'seed' | 'summary' | 'resultDigest'>;

/** The few figures that matter, a block per workload and seed and a line per backend. */
export class SummaryTable {
  private readonly blocks = new Map<string, Row[]>();

  /** Adds a cell; blocks stand in the order of their first cells. */
  add(result: CellResult): void {
    const key = JSON.stringify([result.workload, result.seed]);
    const { workload, backend, seed, summary, resultDigest } = result;
    const row: Row = { workload, backend, seed, summary, resultDigest };
    this.blocks.set(key, [...(this.blocks.get(key) ?? []), row]);
  }

  /** The table in lines of so many characters. */
  text(width: number): string {
    return [...this.blocks.values()].map((block) => blockText(block, width)).join('\n');
  }
}

function blockText(results: readonly Row[], width: number): string {
  const { workload, seed } = results[0]!;
  const events = formatCount(figure(results[0]!, 'events'));
  const head = ['backend', ...SHOWN.map(([heading]) => heading), 'digest'];
  const rows = results.map((result) => [
    result.backend,
    ...SHOWN.map(([, column, format]) => shown(figure(result, column), format)),
    result.resultDigest.slice(0, 8),
  ]);
  const alignments = ['left' as const, ...SHOWN.map(() => 'right' as const), 'left' as const];
  const table = alignedLines({ rows: [head, ...rows], alignments, gap: ' ', width });
  const title = wrapWords(visibleText(`${workload}, seed ${seed}: ${events} events`), width);
  const notes = results.flatMap((result) => wrapWords(visibleText(unservedNote(result)), width));
  return [...title, ...table, ...notes, ''].join('\n');
}

/** Figures of a backend that has left requests out do not compare with those of the others: the table must say so. */
function unservedNote(result: Row): string {
  const unserved = figure(result, 'unserved');
  if (!(unserved > 0)) return '';
  const name = shorten(result.backend, 45);
  const isAll = figure(result, 'allocs') + figure(result, 'failures') === 0;
  return isAll
    ? `${name} serves no request of these classes`
    : `${name}: ${formatCount(unserved)} events of classes that it does not serve`;
}

function figure(result: Row, name: string): number {
  return result.summary[SUMMARY_COLUMNS.findIndex((column) => column.name === name)]!;
}

function shown(value: number, format: (value: number) => string): string {
  return Number.isNaN(value) ? '-' : format(value);
}

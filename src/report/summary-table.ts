import Table from 'cli-table3';
import { formatBytes } from '../core/units.js';
import type { CellResult } from '../harness/cell.js';
import { SUMMARY_COLUMNS } from '../harness/summary.js';

/** A column of the table for people: heading, name in summary.csv, notation. */
type Shown = readonly [heading: string, column: string, format: (value: number) => string];

const SHOWN: readonly Shown[] = [
  ['failed', 'failures', formatCount],
  ['peak live', 'peak_live_bytes', formatBytes],
  ['VA/live', 'va_per_peak_live', formatRatio],
  ['ext.frag', 'external_fragmentation_peak', formatRatio],
  ['tags', 'tags_peak', formatCount],
  ['metadata', 'metadata_bytes_peak', formatBytes],
  ['search', 'searches', formatCount],
  ['locks', 'lock_acquisitions', formatCount],
  ['mag.hit', 'magazine_hit_rate', formatRatio],
];

const NO_BORDERS = {
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
  middle: ' ',
};

/** What the table keeps of a cell. */
type Row = Pick<CellResult, 'workload' | 'backend' | 'seed' | 'summary' | 'resultDigest'>;

/** The few figures that matter, a block per workload and seed and a line per backend, at most 100 columns wide. */
export class SummaryTable {
  private readonly blocks = new Map<string, Row[]>();

  /** Adds a cell; blocks stand in the order of their first cells. */
  add(result: CellResult): void {
    const key = JSON.stringify([result.workload, result.seed]);
    const { workload, backend, seed, summary, resultDigest } = result;
    const row: Row = { workload, backend, seed, summary, resultDigest };
    this.blocks.set(key, [...(this.blocks.get(key) ?? []), row]);
  }

  text(): string {
    return [...this.blocks.values()].map(blockText).join('\n');
  }
}

function blockText(results: readonly Row[]): string {
  const { workload, seed } = results[0]!;
  const events = formatCount(figure(results[0]!, 'events'));
  const table = new Table({
    head: ['backend', ...SHOWN.map(([heading]) => heading), 'digest'],
    chars: NO_BORDERS,
    style: { 'padding-left': 0, 'padding-right': 0, head: [], border: [] },
    colAligns: ['left', ...SHOWN.map(() => 'right' as const), 'left'],
  });
  for (const result of results) {
    const figures = SHOWN.map(([, column, format]) => shown(figure(result, column), format));
    table.push([shorten(result.backend, 22), ...figures, result.resultDigest.slice(0, 8)]);
  }
  return `${workload}, seed ${seed}: ${events} events\n${table.toString()}\n`;
}

function figure(result: Row, name: string): number {
  return result.summary[SUMMARY_COLUMNS.findIndex((column) => column.name === name)]!;
}

function shown(value: number, format: (value: number) => string): string {
  return Number.isNaN(value) ? '-' : format(value);
}

function formatRatio(value: number): string {
  if (value >= 1e5) return value.toExponential(1);
  return value >= 100 ? value.toFixed(0) : value.toFixed(3);
}

function formatCount(value: number): string {
  const units = ['', 'k', 'M', 'G', 'T'];
  let scaled = value;
  let unit = 0;
  while (scaled >= 10_000 && unit < units.length - 1) {
    scaled /= 1000;
    unit++;
  }
  return unit === 0 ? String(value) : `${scaled.toFixed(scaled >= 100 ? 0 : 1)}${units[unit]}`;
}

function shorten(text: string, length: number): string {
  return text.length <= length ? text : `${text.slice(0, length - 1)}…`;
}

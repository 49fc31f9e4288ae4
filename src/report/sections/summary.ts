import { median } from '../../harness/statistics.js';
import type { DataTable, ReportSection, TableCell } from '../content.js';
import { formatFigure } from '../notation.js';
import type { ReportData } from '../report-data.js';
import type { StoredField, StoredTable } from '../stored-table.js';

/** Columns of summary.csv that a strategy is judged by, with their headings. */
const MEASURES = [
  ['failures', 'failed'],
  ['va_per_peak_live', 'VA/live'],
  ['hole_ratio_mean', 'holes'],
  ['external_fragmentation_peak', 'ext. frag.'],
  ['tags_peak', 'tags'],
  ['metadata_bytes_peak', 'metadata'],
  ['searches', 'search'],
  ['lock_acquisitions', 'locks'],
] as const;

/** A backend's figures for a workload over the seeds. */
interface Standing {
  readonly backend: number;
  /** One per measure, ascending. */
  readonly figures: readonly (readonly number[])[];
  readonly unserved: number;
  readonly allocs: number;
}

/** Who wins, and by how much. */
export const summarySection: ReportSection = {
  id: 'summary',
  title: 'Who wins',
  render: (data) => {
    const table = data.results.table('summary');
    if (table.rows === 0) return undefined;
    const standings = data.workloads.map((workload) => ({
      workload,
      rows: standingsOf(data, table, workload),
    }));
    const shown = standings.filter(({ rows }) => rows.length > 0);
    return [
      winners(data, table, shown),
      ...shown.map(({ workload, rows }) => workloadTable(data, table, workload, rows)),
    ];
  },
};

function standingsOf(data: ReportData, table: StoredTable, workload: string): Standing[] {
  const columns = MEASURES.map(([column]) => table.numbers(column));
  const unserved = table.numbers('unserved');
  const allocs = table.numbers('allocs');
  return [...data.cellsOf(table, workload)].map(([backend, ranges]) => {
    const rows = ranges.map(({ from }) => from);
    return {
      backend,
      figures: columns.map((column) =>
        rows
          .map((row) => column[row]!)
          .filter((value) => !Number.isNaN(value))
          .sort((a, b) => a - b),
      ),
      unserved: rows.reduce((sum, row) => sum + unserved[row]!, 0),
      allocs: rows.reduce((sum, row) => sum + allocs[row]!, 0),
    };
  });
}

/** Only those that left out and refused the least did the same work. */
function comparable(rows: readonly Standing[]): Standing[] {
  const least = Math.min(...rows.map(({ unserved }) => unserved));
  const serving = rows.filter(({ unserved, allocs }) => unserved === least && allocs > 0);
  const failures = Math.min(...serving.map((row) => middle(row, 0)));
  return serving.filter((row) => middle(row, 0) === failures);
}

function middle({ figures }: Standing, measure: number): number {
  return median(figures[measure]!);
}

/** The least median of a measure, and whether it tells backends apart. */
function bestOf(rows: readonly Standing[], measure: number): number {
  const values = rows.map((row) => middle(row, measure)).filter((value) => !Number.isNaN(value));
  const [low, high] = [Math.min(...values), Math.max(...values)];
  return values.length > 1 && low < high ? low : Number.NaN;
}

function winners(
  data: ReportData,
  table: StoredTable,
  standings: readonly { workload: string; rows: readonly Standing[] }[],
): DataTable {
  const races = standings.map(({ workload, rows }) => ({ workload, rows, rivals: comparable(rows) }));
  // A measure in which nobody is ever better takes no column.
  const telling = [...MEASURES.keys()].filter(
    (measure) => measure > 0 && races.some(({ rivals }) => !Number.isNaN(bestOf(rivals, measure))),
  );
  return {
    kind: 'table',
    caption: 'Least figure of each measure by workload, and how many times as much the next one takes',
    columns: [
      { name: 'workload', align: 'left', meaning: '' },
      {
        name: 'compared',
        align: 'right',
        meaning:
          'Backends that served every class of request that any of them serves, and refused the fewest requests.',
      },
      ...telling.map((measure) => ({
        name: MEASURES[measure]![1],
        align: 'left' as const,
        meaning: meaningOf(table, MEASURES[measure]![0]),
      })),
    ],
    rows: races.map(({ workload, rows, rivals }) => [
      { text: workload },
      { text: `${rivals.length} of ${rows.length}`, value: rivals.length },
      ...telling.map((measure) => winnerCell(data, table, rivals, measure)),
    ]),
    notes: [
      `Medians over ${data.seedText}. A backend that left requests out or refused more than others is not compared.`,
    ],
  };
}

function winnerCell(
  data: ReportData,
  table: StoredTable,
  rivals: readonly Standing[],
  measure: number,
): TableCell {
  const best = bestOf(rivals, measure);
  if (Number.isNaN(best)) return { text: 'all equal' };
  const first = rivals.filter((row) => middle(row, measure) === best);
  const next = Math.min(...rivals.map((row) => middle(row, measure)).filter((value) => value > best));
  const margin = marginText(best, next, table.field(MEASURES[measure]![0])?.unit);
  const behind = margin === '' ? {} : { detail: margin };
  if (first.length > 1)
    return { ...equalsText(first.map(({ backend }) => data.backends[backend]!)), ...behind };
  return { text: data.backends[first[0]!.backend]!, backend: first[0]!.backend, ...behind };
}

/** Names of those that are equally good; of more than two, the first, with all to be pointed at. */
function equalsText(names: readonly string[]): Pick<TableCell, 'text' | 'hint'> {
  if (names.length === 2) return { text: names.join(', ') };
  return { text: `${names.length} equal: ${names[0]!},\u00a0…`, hint: names.join(', ') };
}

/** How far the next is behind the best: a factor, or where there is none, the figure that stands against 0. */
function marginText(best: number, next: number, unit: string | undefined): string {
  if (!Number.isFinite(next)) return '';
  if (best === 0) return `0, next ${formatFigure(next, unit)}`;
  const factor = next / best;
  return factor < 1.005 ? '×1.00…' : `×${factor < 100 ? factor.toPrecision(3) : factor.toFixed(0)}`;
}

function workloadTable(
  data: ReportData,
  table: StoredTable,
  workload: string,
  rows: readonly Standing[],
): DataTable {
  const rivals = comparable(rows);
  const others = rows.filter((row) => !rivals.includes(row));
  const best = MEASURES.map((_, measure) => bestOf(rivals, measure));
  return {
    kind: 'table',
    caption: workload,
    columns: [
      { name: 'backend', align: 'left', meaning: '' },
      ...MEASURES.map(([column, name]) => ({
        name,
        align: 'right' as const,
        meaning: meaningOf(table, column),
      })),
    ],
    rows: [
      ...rivals.map((row) => standingCells(data, table, row, best)),
      ...others.map((row) => standingCells(data, table, row, []).map((cell) => ({ ...cell, faint: true }))),
    ],
    notes: others.length === 0 ? [] : [`Not compared: ${reasonsText(data, rows, others)}.`],
  };
}

/** The row of a backend; `best` has the best figure of each measure, none for a backend that is not compared. */
function standingCells(
  data: ReportData,
  table: StoredTable,
  { backend, figures, allocs }: Standing,
  best: readonly number[],
): TableCell[] {
  const cells = MEASURES.map(([column], measure): TableCell => {
    if (allocs === 0) return { text: '–' };
    const value = median(figures[measure]!);
    return { ...spread(figures[measure]!, table.field(column)), value, best: value === best[measure] };
  });
  return [{ text: data.backends[backend]!, backend }, ...cells];
}

/** The median, and the range over the seeds where they differ. */
function spread(ascending: readonly number[], field: StoredField | undefined): TableCell {
  const text = formatFigure(median(ascending), field?.unit);
  const [low, high] = [ascending[0], ascending.at(-1)];
  if (low === undefined) return { text };
  const [from, to] = [low, high!].map((value) => formatFigure(value, field?.unit));
  return from === to ? { text } : { text, detail: `${from}–${to}` };
}

/** Why backends are not compared: those with the same reason together. */
function reasonsText(data: ReportData, rows: readonly Standing[], others: readonly Standing[]): string {
  const least = Math.min(...rows.map(({ unserved }) => unserved));
  const names = new Map<string, string[]>();
  for (const row of others) {
    const reason = reasonText(row, least);
    names.set(reason, [...(names.get(reason) ?? []), data.backends[row.backend]!]);
  }
  return [...names].map(([reason, backends]) => `${backends.join(', ')} (${reason})`).join('; ');
}

function reasonText(row: Standing, least: number): string {
  if (row.allocs === 0) return 'no request of these classes served';
  if (row.unserved > least) return `${formatFigure(row.unserved - least, 'count')} more requests left out`;
  return `${formatFigure(middle(row, 0), 'count')} requests refused`;
}

function meaningOf(table: StoredTable, column: string): string {
  return `${column}: ${table.field(column)?.description ?? ''}`;
}

import { visibleText } from '../../core/visible-text.js';
import type { Block, DataTable, ReportSection, TableCell } from '../content.js';
import { formatCount } from '../notation.js';
import type { ReportData } from '../report-data.js';
import type { StoredTable } from '../stored-table.js';

const REASONS = ['exhausted', 'fragmented', 'constraint', 'policy'] as const;

/** Requests that were refused and why, and cells that have no result. */
export const failuresSection: ReportSection = {
  id: 'failures',
  title: 'Refused requests and failed cells',
  render: (data) => [refusals(data), ...failedCells(data)],
};

function refusals(data: ReportData): Block {
  const nothing = { kind: 'paragraph', text: 'No request was refused.' } as const;
  if (!data.results.has('failures')) return nothing;
  const table = data.results.table('failures');
  const failures = table.numbers('failures');
  const rows = [...failures.keys()].filter((row) => failures[row]! > 0);
  return rows.length === 0 ? nothing : refusalTable(data, table, rows);
}

function refusalTable(data: ReportData, table: StoredTable, rows: readonly number[]): DataTable {
  const [workloads, backends, classes] = ['workload', 'backend', 'class'].map((name) => table.texts(name));
  const count = (name: string, row: number): TableCell => {
    const value = table.numbers(name)[row]!;
    return { text: formatCount(value), value };
  };
  const counted = ['requests', 'failures', ...REASONS];
  return {
    kind: 'table',
    caption: 'Requests that were refused, by class and reason',
    columns: [
      ...['workload', 'backend', 'seed', 'class'].map((name) => ({
        name,
        align: 'left' as const,
        meaning: '',
      })),
      ...counted.map((name) => ({
        name,
        align: 'right' as const,
        meaning: table.field(name)?.description ?? '',
      })),
    ],
    rows: rows.map((row) => [
      { text: workloads![row]! },
      { text: backends![row]!, backend: data.backendNumber(backends![row]!) },
      { text: String(table.numbers('seed')[row]!) },
      { text: classes![row]! },
      ...counted.map((name) => count(name, row)),
    ]),
    notes: [],
  };
}

function failedCells(data: ReportData): Block[] {
  const failed = data.results.cells.filter(({ failure }) => failure !== undefined);
  if (failed.length === 0) return [];
  return [
    {
      kind: 'table',
      caption: 'Cells without a result; failures/ in the folder of results has the whole error of each',
      columns: ['workload', 'backend', 'seed', 'reason'].map((name) => ({
        name,
        align: 'left',
        meaning: '',
      })),
      rows: failed.map(({ workload, backend, seed, failure }) => [
        { text: visibleText(workload) },
        { text: visibleText(backend), backend: data.backendNumber(backend) },
        { text: String(seed), value: seed },
        { text: failure! },
      ]),
      notes: [],
    },
  ];
}

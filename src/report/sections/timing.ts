import type { DataTable, ReportSection } from '../content.js';
import { formatRatio, formatSeconds } from '../notation.js';
import type { ReportData } from '../report-data.js';
import type { StoredTable } from '../stored-table.js';

/** Time that was measured with --timing, apart from everything exact. */
export const timingSection: ReportSection = {
  id: 'timing',
  title: 'Measured time',
  render: (data) => {
    if (!data.results.has('timing-summary')) return undefined;
    return [timingTable(data, data.results.table('timing-summary'))];
  },
};

function timingTable(data: ReportData, table: StoredTable): DataTable {
  const [clocks, metrics, workloads, backends] = ['clock', 'metrics', 'workload', 'backend'].map((name) =>
    table.texts(name),
  ) as [readonly string[], readonly string[], readonly string[], readonly string[]];
  const rows = [...clocks.keys()].filter((row) => clocks[row] === 'cpu' && metrics[row] === 'off');
  const figure = (name: string, row: number): number => table.numbers(name)[row]!;
  const { machine } = data.results.run;
  return {
    kind: 'table',
    caption: 'Median CPU time of a bare replay, with the 95 % bootstrap interval',
    columns: [
      { name: 'workload', align: 'left', meaning: '' },
      { name: 'backend', align: 'left', meaning: '' },
      { name: 'seed', align: 'right', meaning: '' },
      { name: 'ns/event', align: 'right', meaning: 'median_ns / events.' },
      {
        name: 'median',
        align: 'right',
        meaning: 'median_ns: median time of a replay, over all measured ones.',
      },
      { name: 'from', align: 'right', meaning: 'median_low_ns: lower bound of its interval.' },
      { name: 'to', align: 'right', meaning: 'median_high_ns: upper bound of its interval.' },
      { name: 'samples', align: 'right', meaning: 'Measured replays of all processes.' },
    ],
    rows: rows.map((row) => [
      { text: workloads[row]! },
      { text: backends[row]!, backend: data.backendNumber(backends[row]!) },
      { text: String(figure('seed', row)) },
      { text: formatRatio(figure('ns_per_event', row)), value: figure('ns_per_event', row) },
      ...['median_ns', 'median_low_ns', 'median_high_ns'].map((name) => ({
        text: formatSeconds(figure(name, row)),
        value: figure(name, row),
      })),
      { text: String(figure('samples', row)) },
    ]),
    notes: [
      `Measured on ${machine.cpu}, ${machine.cpus} processors, ${machine.platform} ${machine.release}, Node ${machine.node}; other machines take other times.`,
    ],
  };
}

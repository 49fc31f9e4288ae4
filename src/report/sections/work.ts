import { lowerBound, type Tail, tailChart } from '../charts/tail-chart.js';
import type { Figure, ReportSection } from '../content.js';
import { formatRatio } from '../notation.js';
import type { ReportData } from '../report-data.js';
import type { CellRows, StoredTable } from '../stored-table.js';

/** How much work single requests were: latency as far as the algorithm decides it. */
export const workSection: ReportSection = {
  id: 'work',
  title: 'Work of single requests',
  render: (data) => {
    if (!data.results.has('work')) return undefined;
    const table = data.results.table('work');
    const figures = data.workloads.flatMap((workload, index) => workFigure(data, table, workload, index));
    if (figures.length === 0) return undefined;
    return [
      {
        kind: 'figures',
        title: 'Share of requests that were at least so much work',
        definition:
          'Work: elements visited by searches and steps of lookups, over all arenas; classes are powers of two. Allocations, ' +
          `refusals and frees together, over ${data.seedText}. A line further left and lower is better.`,
        legend: data.backends.map((_, backend) => backend),
        figures,
      },
    ];
  },
};

function workFigure(data: ReportData, table: StoredTable, workload: string, index: number): Figure[] {
  const tails = [...data.cellsOf(table, workload)].flatMap(([backend, ranges]) => {
    const shares = sharesOf(table, ranges);
    return shares.length === 0 ? [] : [{ backend, shares }];
  });
  if (tails.length === 0) return [];
  const name = (backend: number): string => data.backends[backend]!;
  const worst = tails.map(({ backend, shares }) => `${name(backend)} ${worstText(shares)}`);
  const description = `Work of single requests, ${workload}. Most: ${worst.join(', ')}.`;
  const figure: Figure = {
    id: `work-${index + 1}`,
    title: workload,
    description,
    svg: () => tailChart(tails, name, 'work of a request, at least', description),
    data: [
      ['workload', 'backend', 'least_work', 'share'],
      ...tails.flatMap(({ backend, shares }: Tail) =>
        shares.map((share, at) => [workload, name(backend), lowerBound(at), share]),
      ),
    ],
    lines: tails.map(({ backend, shares }) => ({
      label: name(backend),
      values: shares,
      text: worstText(shares),
    })),
    command: data.commandFor(workload),
  };
  return [figure];
}

function worstText(shares: readonly number[]): string {
  return `from ${lowerBound(shares.length - 1)} for ${formatRatio(shares.at(-1)!)} of the requests`;
}

/** Shares of the requests in each class of work or above. */
function sharesOf(table: StoredTable, ranges: readonly CellRows[]): number[] {
  const from = table.numbers('from_work');
  const requests = table.numbers('requests');
  const counts: number[] = [];
  for (const { from: first, to } of ranges) {
    for (let row = first; row < to; row++) {
      const workClass = from[row] === 0 ? 0 : Math.round(Math.log2(from[row]!)) + 1;
      while (counts.length <= workClass) counts.push(0);
      counts[workClass]! += requests[row]!;
    }
  }
  const total = counts.reduce((sum, count) => sum + count, 0);
  let below = 0;
  return counts.map((count) => {
    const share = (total - below) / total;
    below += count;
    return share;
  });
}

import { median } from '../../harness/statistics.js';
import { scatter } from '../charts/scatter.js';
import type { Figure, ReportSection } from '../content.js';
import { formatFigure, formatRatio } from '../notation.js';
import type { ReportData } from '../report-data.js';
import type { CellRows, StoredTable } from '../stored-table.js';

/** A backend's medians: all three are better when they are less. */
interface Standing {
  readonly backend: number;
  readonly work: number;
  readonly holes: number;
  readonly metadata: number;
}

/** Which backends nobody beats in work, fragmentation and metadata at once. */
export const paretoSection: ReportSection = {
  id: 'pareto',
  title: 'Work against fragmentation against metadata',
  render: (data) => {
    const table = data.results.table('summary');
    const figures = data.workloads.flatMap((workload, index) => paretoFigure(data, table, workload, index));
    if (figures.length === 0) return undefined;
    return [
      {
        kind: 'figures',
        title: 'Pareto front',
        definition:
          'Across: (searches + lookups) / events of the workload. Up: hole_ratio_mean. Area: metadata_bytes_peak. ' +
          `Medians over ${data.seedText}. Filled: no other backend is at least as good in all three and better in one. ` +
          'Backends that leave requests out or refuse some are not drawn.',
        legend: data.backends.map((_, backend) => backend),
        figures,
      },
    ];
  },
};

function paretoFigure(data: ReportData, table: StoredTable, workload: string, index: number): Figure[] {
  const standings = [...data.cellsOf(table, workload)].flatMap(([backend, ranges]) =>
    standingOf(table, backend, ranges),
  );
  if (standings.length < 2) return [];
  const name = (backend: number): string => data.backends[backend]!;
  const front = standings.filter((one) => !standings.some((other) => dominates(other, one)));
  const most = Math.max(...standings.map(({ metadata }) => metadata));
  const description = `Work against holes against metadata, ${workload}. Front: ${front.map(({ backend }) => name(backend)).join(', ')}.`;
  const points = standings.map((standing) => {
    const { backend, work, holes, metadata } = standing;
    const isFront = front.includes(standing);
    const title = `${name(backend)}: ${textOf(standing)}`;
    return { backend, x: work, y: holes, weight: most === 0 ? 0 : metadata / most, isFront, title };
  });
  return [
    {
      id: `pareto-${index + 1}`,
      title: workload,
      description,
      svg: () => scatter(points, { x: 'searches + lookups per event', y: 'hole ratio, mean' }, description),
      data: [
        ['workload', 'backend', 'work_per_event', 'hole_ratio_mean', 'metadata_bytes_peak', 'front'],
        ...standings.map((standing) => {
          const { backend, work, holes, metadata } = standing;
          return [workload, name(backend), work, holes, metadata, front.includes(standing) ? 1 : 0];
        }),
      ],
      lines: standings.map((standing) => ({
        label: name(standing.backend),
        values: [],
        text: `${front.includes(standing) ? 'front' : 'beaten'}: ${textOf(standing)}`,
      })),
      command: data.commandFor(workload),
    },
  ];
}

function textOf({ work, holes, metadata }: Standing): string {
  return `work ${formatRatio(work)}, holes ${formatRatio(holes)}, metadata ${formatFigure(metadata, 'bytes')}`;
}

function standingOf(table: StoredTable, backend: number, ranges: readonly CellRows[]): Standing[] {
  const rows = ranges.map(({ from }) => from);
  const of = (name: string): number[] => rows.map((row) => table.numbers(name)[row]!);
  const middle = (values: readonly number[]): number => median(Float64Array.from(values).sort());
  const [searches, lookups, events] = [of('searches'), of('lookups'), of('events')];
  const standing = {
    backend,
    work: middle(events.map((count, index) => (searches[index]! + lookups[index]!) / count)),
    holes: middle(of('hole_ratio_mean')),
    metadata: middle(of('metadata_bytes_peak')),
  };
  const isWhole = [...of('failures'), ...of('unserved')].every((count) => count === 0);
  const isKnown = [standing.work, standing.holes, standing.metadata].every(Number.isFinite);
  return isWhole && isKnown ? [standing] : [];
}

function dominates(a: Standing, b: Standing): boolean {
  const noWorse = a.work <= b.work && a.holes <= b.holes && a.metadata <= b.metadata;
  return noWorse && (a.work < b.work || a.holes < b.holes || a.metadata < b.metadata);
}

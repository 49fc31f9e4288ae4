import { extremeLines } from '../charts/end-labels.js';
import { lineChart } from '../charts/line-chart.js';
import type { Figure, FigureGroup } from '../content.js';
import { formatFigure } from '../notation.js';
import type { ReportData } from '../report-data.js';
import type { StoredField, StoredTable } from '../stored-table.js';
import { type Timeline, timelines } from '../timelines.js';

const GREY_TEXT =
  ' Of more than ten lines, those that end lowest and highest have colours and names; +n counts others that end at the same value. Pointing at a name colours its line.';

/** A column of samples.csv as a figure over time. */
export interface TimelineMeasure {
  /** Of samples.csv. */
  readonly column: string;
  /** Beginning of the figures' names: letters, digits and `-`. */
  readonly id: string;
  readonly title: string;
}

/** A figure per workload of a column over time; undefined where no backend has figures. */
export function timelineGroup(data: ReportData, measure: TimelineMeasure): FigureGroup | undefined {
  const table = data.results.table('samples');
  const field = table.field(measure.column);
  if (field === undefined) return undefined;
  const charts = data.workloads
    .map((workload, index) => ({ workload, index, lines: timelines(data, table, workload, measure.column) }))
    .filter(({ lines }) => lines.length > 0);
  if (charts.length === 0) return undefined;
  const isGrey = charts.some(({ lines }) => extremeLines(lines) !== undefined);
  return {
    kind: 'figures',
    title: measure.title,
    definition: `${measure.column}: ${field.description} ${spreadText(data, table)}${isGrey ? GREY_TEXT : ''}`,
    legend: legendOrder(charts.map(({ lines }) => lines)),
    figures: charts.map(({ workload, index, lines }) =>
      timelineFigure(data, measure, field, workload, index, lines),
    ),
  };
}

/** Backends with a line in any of the charts, by where their lines end on the average: the highest first. */
function legendOrder(charts: readonly (readonly Timeline[])[]): number[] {
  const ranks = new Map<number, number[]>();
  for (const lines of charts) {
    const ends = lines.map(({ points }) => points.at(-1)!.middle);
    for (const [index, { backend }] of lines.entries()) {
      const higher = ends.filter((end) => end > ends[index]!).length;
      ranks.set(backend, [...(ranks.get(backend) ?? []), higher / lines.length]);
    }
  }
  const mean = (values: readonly number[]): number =>
    values.reduce((sum, value) => sum + value, 0) / values.length;
  return [...ranks]
    .sort(([a, some], [b, others]) => mean(some) - mean(others) || a - b)
    .map(([backend]) => backend);
}

function spreadText(data: ReportData, table: StoredTable): string {
  const samples = table.byCell().reduce((most, { from, to }) => Math.max(most, to - from), 0);
  if (data.seeds.length === 1 && samples <= 200) return `Each sample of ${data.seedText}.`;
  return `Median of the samples of ${data.seedText} in each of 200 steps of time; the band holds the middle half of them.`;
}

function timelineFigure(
  data: ReportData,
  { id, title, column }: TimelineMeasure,
  { unit }: StoredField,
  workload: string,
  index: number,
  lines: readonly Timeline[],
): Figure {
  const name = (backend: number): string => data.backends[backend]!;
  const last = lines.map(
    ({ backend, points }) => `${name(backend)} ${formatFigure(points.at(-1)!.middle, unit)}`,
  );
  const named = extremeLines(lines);
  const description = `${title} over time, ${workload}. At the end: ${last.join(', ')}.`;
  return {
    id: `${id}-${index + 1}`,
    title: workload,
    description,
    ...(named === undefined ? {} : { legend: named.map(({ backend }) => backend).reverse() }),
    svg: () => lineChart({ lines, name, label: axisLabel(column, unit), unit, description }),
    data: [
      ['workload', 'backend', 'time_s', `${column}_quartile`, `${column}_median`, `${column}_upper_quartile`],
      ...lines.flatMap(({ backend, points }) =>
        points.map(({ time, low, middle, high }) => [workload, name(backend), time, low, middle, high]),
      ),
    ],
    lines: lines.map(({ backend, points }) => ({
      label: name(backend),
      values: points.map(({ middle }) => middle),
      text: `${formatFigure(points.at(-1)!.middle, unit)} at the end`,
    })),
    command: data.commandFor(workload),
  };
}

function axisLabel(column: string, unit: string | undefined): string {
  const name = column.replaceAll('_', ' ');
  return unit === '1' || unit === 'count' || unit === undefined
    ? name
    : `${name.replace(/ bytes$/, '')}, ${unit}`;
}

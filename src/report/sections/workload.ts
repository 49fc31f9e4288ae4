import { highBit } from '../../core/units.js';
import { tickFormat } from '../charts/chart.js';
import { type HistogramBar, histogram } from '../charts/histogram.js';
import type { Figure, FigureGroup, ReportSection } from '../content.js';
import { formatCount, formatSeconds, formatShortBytes } from '../notation.js';
import type { ReportData } from '../report-data.js';
import type { CellRows, StoredTable } from '../stored-table.js';

/** A table that counts by a quantity, and how people read it. */
interface Distribution {
  readonly table: 'sizes' | 'lifetimes';
  readonly title: string;
  readonly quantity: string;
  readonly count: string;
  readonly axis: string;
  /** How a bar's lower bound is meant. */
  readonly bound: 'above' | 'from';
  readonly unit: 'bytes' | 'ns';
  format(value: number): string;
}

const DISTRIBUTIONS: readonly Distribution[] = [
  {
    table: 'sizes',
    title: 'Sizes asked for',
    quantity: 'to_bytes',
    count: 'requests',
    axis: 'size, bytes: above a power of two, up to twice of it',
    bound: 'above',
    unit: 'bytes',
    format: formatShortBytes,
  },
  {
    table: 'lifetimes',
    title: 'Lifetimes of objects',
    quantity: 'from_ns',
    count: 'objects',
    axis: 'simulated time from grant to free, at least',
    bound: 'from',
    unit: 'ns',
    format: formatSeconds,
  },
];

/** What the workloads ask for, and how long they keep it. */
export const workloadSection: ReportSection = {
  id: 'workload',
  title: 'The workloads',
  render: (data) => {
    const groups = DISTRIBUTIONS.flatMap((distribution) => groupOf(data, distribution) ?? []);
    return groups.length === 0 ? undefined : groups;
  },
};

function groupOf(data: ReportData, distribution: Distribution): FigureGroup | undefined {
  if (!data.results.has(distribution.table)) return undefined;
  const table = data.results.table(distribution.table);
  const figures = data.workloads.flatMap((workload, index) =>
    workloadFigures(data, table, distribution, workload, index),
  );
  if (figures.length === 0) return undefined;
  const { count, title } = distribution;
  return {
    kind: 'figures',
    title,
    definition: `${count}: ${table.field(count)!.description} By powers of two, over ${data.seedText}, as the backend counted that served the most.`,
    legend: [],
    figures,
  };
}

/** A figure per request class. */
function workloadFigures(
  data: ReportData,
  table: StoredTable,
  distribution: Distribution,
  workload: string,
  index: number,
): Figure[] {
  const counts = table.numbers(distribution.count);
  const servedBy = (ranges: readonly CellRows[]): number =>
    ranges.reduce((sum, { from, to }) => counts.subarray(from, to).reduce((all, each) => all + each, sum), 0);
  const candidates = [...data.cellsOf(table, workload).values()].sort((a, b) => servedBy(b) - servedBy(a));
  const [ranges] = candidates;
  if (ranges === undefined) return [];
  return [...barsByClass(table, distribution, ranges)].map(([cls, bars]) =>
    figureOf(data, distribution, workload, `${distribution.table}-${index + 1}-${cls}`, cls, bars),
  );
}

function barsByClass(
  table: StoredTable,
  { quantity, count, unit }: Distribution,
  ranges: readonly CellRows[],
): Map<string, HistogramBar[]> {
  const classes = table.texts('class');
  const values = table.numbers(quantity);
  const counts = table.numbers(count);
  const found = new Map<string, Map<number, number>>();
  for (const { from, to } of ranges) {
    for (let row = from; row < to; row++) {
      const bars = found.get(classes[row]!) ?? new Map<number, number>();
      const start = unit === 'bytes' ? halfBelow(values[row]!) : values[row]!;
      bars.set(start, (bars.get(start) ?? 0) + counts[row]!);
      found.set(classes[row]!, bars);
    }
  }
  const sorted = (bars: ReadonlyMap<number, number>): HistogramBar[] =>
    [...bars].sort(([a], [b]) => a - b).map(([from, total]) => ({ from, count: total }));
  return new Map([...found].map(([cls, bars]) => [cls, sorted(bars)]));
}

/** The power of two of which a row's sizes lie above, and at twice of it at most; 0 for size 1. */
function halfBelow(largest: number): number {
  return largest === 1 ? 0 : 2 ** (highBit(largest - 1) - 1);
}

function figureOf(
  data: ReportData,
  { title, axis, bound, unit, count, format }: Distribution,
  workload: string,
  id: string,
  cls: string,
  bars: readonly HistogramBar[],
): Figure {
  const most = bars.reduce((best, bar) => (bar.count > best.count ? bar : best));
  const text = `${formatCount(most.count)} ${bound} ${format(most.from)}, of ${formatCount(bars.reduce((sum, bar) => sum + bar.count, 0))}`;
  const description = `${title}, ${workload}, class ${cls}. Most: ${text} ${count}.`;
  const tick =
    unit === 'bytes' ? tickFormat('bytes') : (value: number) => format(value).replace(/\.0+(?= )/, '');
  return {
    id,
    title: `${workload}: ${cls}`,
    description,
    svg: () => histogram(bars, { x: axis, y: count, tick }, description),
    data: [
      ['workload', 'class', unit === 'bytes' ? 'above_bytes' : 'from_ns', count],
      ...bars.map(({ from, count: total }) => [workload, cls, from, total]),
    ],
    lines: [{ label: cls, values: bars.map((bar) => bar.count), text: `most: ${text}` }],
    command: data.commandFor(workload),
  };
}

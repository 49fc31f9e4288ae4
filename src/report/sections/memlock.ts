import { visibleText } from '../../core/visible-text.js';
import { type StepLine, stepChart } from '../charts/step-chart.js';
import type { Figure, ReportSection } from '../content.js';
import { formatFigure } from '../notation.js';
import type { ReportData } from '../report-data.js';
import type { CellRows, StoredTable } from '../stored-table.js';

const TABLE = 'memlock-timeline';
const NS_PER_HOUR = 3.6e12;

/** Locked-memory limits of guests against what is locked, over time, where a workload has them followed. */
export const memlockSection: ReportSection = {
  id: 'memlock',
  title: 'Locked-memory limits of guests',
  render: (data) => {
    if (!data.results.has(TABLE)) return undefined;
    const table = data.results.table(TABLE);
    const curves = data.workloads.flatMap((workload, index) => curvesOf(data, table, workload, index));
    if (curves.length === 0) return undefined;
    const entries = 1 + Math.max(...curves.map(({ lines }) => lines.length));
    return [
      {
        kind: 'figures',
        title: 'Limit against locked memory, by rule set of libvirt',
        definition:
          `limit_bytes: ${table.field('limit_bytes')!.description} locked_bytes: ${table.field('locked_bytes')!.description} ` +
          'Each sample of the first seed, the same on every backend; rule sets with the same limits at all samples share a line.',
        legend: [],
        figures: curves.map((each) => figureOf(data, each, entries)),
      },
    ];
  },
};

/** What the figure of a workload shows. */
interface Curves {
  readonly workload: string;
  readonly index: number;
  readonly locked: StepLine;
  readonly lines: readonly StepLine[];
}

function curvesOf(data: ReportData, table: StoredTable, workload: string, index: number): Curves[] {
  const cell = [...data.cellsOf(table, workload).values()][0]?.[0];
  if (cell === undefined) return [];
  const locked = { label: 'locked', steps: stepsOf(table, cell, 'locked_bytes').values().next().value! };
  return [{ workload, index, locked, lines: sharedLines(stepsOf(table, cell, 'limit_bytes')) }];
}

function figureOf(data: ReportData, { workload, index, locked, lines }: Curves, entries: number): Figure {
  const atEnd = ({ label, steps }: StepLine): string =>
    `${label} ${formatFigure(steps.at(-1)!.bytes, 'bytes')}`;
  const description = `Limit and locked memory over time, ${workload}. At the end: ${[locked, ...lines].map(atEnd).join(', ')}.`;
  return {
    id: `memlock-${index + 1}`,
    title: workload,
    description,
    svg: () =>
      stepChart({ lines, ground: locked, entries, label: 'limits of all guests, bytes', description }),
    data: [['workload', 'rules', 'time_h', 'bytes'], ...[locked, ...lines].flatMap(dataOf(workload))],
    lines: [locked, ...lines].map(({ label, steps }) => ({
      label,
      values: steps.map(({ bytes }) => bytes),
      text: `${formatFigure(steps.at(-1)!.bytes, 'bytes')} at the end`,
    })),
    command: data.commandFor(workload),
  };
}

const dataOf =
  (workload: string) =>
  ({ label, steps }: StepLine): (string | number)[][] =>
    steps.map(({ hours, bytes }) => [workload, label, hours, bytes]);

/** A column of a cell over time by rule set, oldest rules first. */
function stepsOf(table: StoredTable, { from, to }: CellRows, column: string): Map<string, StepLine['steps']> {
  const [rules, times, values] = [table.texts('rules'), table.numbers('time_ns'), table.numbers(column)];
  const found = new Map<string, { hours: number; bytes: number }[]>();
  for (let row = from; row < to; row++) {
    const name = visibleText(rules[row]!);
    if (!found.has(name)) found.set(name, []);
    found.get(name)!.push({ hours: times[row]! / NS_PER_HOUR, bytes: values[row]! });
  }
  return found;
}

/** One line for neighbours that are the same everywhere, called after the first and last of them. */
function sharedLines(limits: ReadonlyMap<string, StepLine['steps']>): StepLine[] {
  const groups: { first: string; last: string; steps: StepLine['steps'] }[] = [];
  for (const [name, steps] of limits) {
    const group = groups.at(-1);
    const isSame = group?.steps.every(({ bytes }, index) => bytes === steps[index]?.bytes) ?? false;
    if (isSame) group!.last = name;
    else groups.push({ first: name, last: name, steps });
  }
  return groups.map(({ first, last, steps }) => ({
    label: first === last ? first : `${first} to ${last}`,
    steps,
  }));
}

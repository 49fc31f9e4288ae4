import * as Plot from '@observablehq/plot';
import { backendColour, backendDash } from '../palette.js';
import type { Timeline, TimePoint } from '../timelines.js';
import { byteTicks, chartSvg, tickFormat } from './chart.js';
import { endLabels, extremeLines, LABEL_ROOM } from './end-labels.js';

/** What a chart of lines over time needs besides its lines. */
export interface LineChart {
  readonly lines: readonly Timeline[];
  /** Name of a backend, for tooltips. */
  name(backend: number): string;
  /** What stands at the vertical axis. */
  readonly label: string;
  readonly unit: string | undefined;
  readonly description: string;
}

/**
 * A line per backend over simulated time, with a band of the middle half where a step has several figures. Among more
 * than ten lines only those that end lowest and highest have colours, bands and names; the others are grey behind them.
 */
export function lineChart({ lines, name, label, unit, description }: LineChart): string {
  const highest = Math.max(0, ...lines.flatMap(({ points }) => points.map(({ high }) => high)));
  const labels = extremeLines(lines);
  const coloured = new Set((labels ?? lines).map(({ backend }) => backend));
  const shown = lines.filter(({ backend }) => coloured.has(backend));
  const grey = lines.filter(({ backend }) => !coloured.has(backend));
  const bands = shown.filter(({ points }) => points.some(({ low, high }) => low < high));
  const end = Math.max(...lines.flatMap(({ points }) => points.map(({ time }) => time)));
  const ticks = byteTicks(highest);
  const y = unit === 'bytes' && highest > 0 ? { ticks, domain: [0, ticks.at(-1)!] } : { ticks: 5, nice: 5 };
  return chartSvg(
    {
      ...(labels === undefined ? {} : { marginRight: LABEL_ROOM }),
      x: {
        label: 'simulated time, s',
        domain: [0, end],
        ticks: 5,
        tickFormat: tickFormat(undefined),
        labelArrow: 'none',
        labelAnchor: 'center',
      },
      y: {
        label,
        grid: true,
        zero: true,
        tickFormat: tickFormat(unit),
        labelArrow: 'none',
        ...y,
      },
      marks: [
        ...bands.map(({ backend, points }) =>
          Plot.areaY(thinned(points), {
            x: 'time',
            y1: 'low',
            y2: 'high',
            fill: backendColour(backend),
            fillOpacity: 0.15,
          }),
        ),
        ...grey.map((line) => lineOf(line, name(line.backend), GREY)),
        ...shown.map((line) => lineOf(line, name(line.backend), coloursOf(line.backend))),
        ...(labels === undefined ? [] : [endLabels(labels, name)]),
      ],
    },
    description,
  );
}

/** How a line is drawn. */
interface LineLook {
  readonly stroke: string;
  readonly strokeWidth: number;
  readonly strokeOpacity?: number;
  readonly strokeDasharray?: string;
}

const GREY: LineLook = { stroke: 'var(--faint)', strokeWidth: 1, strokeOpacity: 0.3 };

function coloursOf(backend: number): LineLook {
  const dash = backendDash(backend);
  const look = { stroke: backendColour(backend), strokeWidth: 1.75 };
  return dash === '' ? look : { ...look, strokeDasharray: dash };
}

function lineOf({ backend, points }: Timeline, name: string, look: LineLook): Plot.Markish {
  const shared = { x: 'time', y: 'middle', className: `backend-${backend}` } as const;
  if (points.length === 1) return Plot.dot(points, { ...shared, fill: look.stroke, r: 3, title: () => name });
  return Plot.lineY(thinned(points), { ...shared, ...look, z: () => name, title: () => name });
}

/** Without the points in the middle of a level stretch, which change nothing. */
function thinned(points: readonly TimePoint[]): TimePoint[] {
  const same = (a: TimePoint, b: TimePoint): boolean =>
    a.low === b.low && a.middle === b.middle && a.high === b.high;
  return points.filter((point, index) => {
    const [before, after] = [points[index - 1], points[index + 1]];
    return before === undefined || after === undefined || !same(before, point) || !same(point, after);
  });
}

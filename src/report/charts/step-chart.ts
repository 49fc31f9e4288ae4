import * as Plot from '@observablehq/plot';
import { backendColour, backendDash } from '../palette.js';
import { byteTicks, CHART_HEIGHT, chartSvg, tickFormat } from './chart.js';

/** Bytes from one time on, until the next. */
export interface Step {
  readonly hours: number;
  readonly bytes: number;
}

export interface StepLine {
  readonly label: string;
  readonly steps: readonly Step[];
}

/** What a chart of steps needs. */
export interface StepChart {
  readonly lines: readonly StepLine[];
  /** Drawn as an area below the lines. */
  readonly ground: StepLine;
  /** Entries that the legend has room for, so that charts side by side are of one height. */
  readonly entries: number;
  /** What stands at the vertical axis. */
  readonly label: string;
  readonly description: string;
}

const AXIS_ROOM = 40;
const LEGEND_LINE = 15;
const LEGEND_COLUMN = 176;

/** Lines in steps over simulated time above an area, with a legend of their own below: they are no backends. */
export function stepChart({ lines, ground, entries, label, description }: StepChart): string {
  const all = [ground, ...lines].flatMap(({ steps }) => steps);
  const ticks = byteTicks(Math.max(1, ...all.map(({ bytes }) => bytes)));
  const legendRows = Math.ceil(entries / 2);
  const shape = { x: 'hours', curve: 'step-after' } as const;
  return chartSvg(
    {
      height: CHART_HEIGHT + LEGEND_LINE * legendRows,
      marginBottom: AXIS_ROOM + LEGEND_LINE * legendRows,
      x: {
        label: 'simulated time, h',
        domain: [0, Math.max(...all.map(({ hours }) => hours))],
        ticks: 5,
        tickFormat: tickFormat(undefined),
        labelArrow: 'none',
        labelAnchor: 'center',
        labelOffset: 34,
      },
      y: {
        label,
        grid: true,
        ticks,
        domain: [0, ticks.at(-1)!],
        tickFormat: tickFormat('bytes'),
        labelArrow: 'none',
      },
      marks: [
        Plot.areaY(ground.steps, { ...shape, y: 'bytes', fill: 'currentColor', fillOpacity: 0.18 }),
        ...lines.map(({ steps }, index) => Plot.lineY(steps, { ...shape, y: 'bytes', ...strokeOf(index) })),
        ...[ground, ...lines].flatMap((line, place) => legendEntry(line, place)),
      ],
    },
    description,
  );
}

function strokeOf(index: number): { stroke: string; strokeWidth: number; strokeDasharray?: string } {
  const dash = backendDash(index);
  const stroke = { stroke: backendColour(index), strokeWidth: 1.75 };
  return dash === '' ? stroke : { ...stroke, strokeDasharray: dash };
}

/** A mark in the line's colour and its label, in two columns below the axis; the area comes first. */
function legendEntry({ label }: StepLine, place: number): Plot.Markish[] {
  const dx = (place % 2) * LEGEND_COLUMN;
  const dy = AXIS_ROOM + 10 + LEGEND_LINE * Math.floor(place / 2);
  const anchor = { frameAnchor: 'bottom-left', textAnchor: 'start', lineAnchor: 'bottom', dy } as const;
  const mark =
    place === 0
      ? { fill: 'currentColor', fillOpacity: 0.3 }
      : { fill: backendColour(place - 1), fontWeight: 'bold' };
  return [
    Plot.text([place === 0 ? '■' : '━'], { ...anchor, ...mark, dx }),
    Plot.text([label], { ...anchor, dx: dx + 16 }),
  ];
}

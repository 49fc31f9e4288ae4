import * as Plot from '@observablehq/plot';
import { shorten } from '../notation.js';
import { backendColour } from '../palette.js';
import type { Timeline } from '../timelines.js';

/** With more lines than this, only the extreme ones have colours. */
const MOST_COLOURED = 10;
const LEAST_NAMED = 3;
const GREATEST_NAMED = 3;
/** Room right of a chart for names, in user units. */
export const LABEL_ROOM = 116;
const LONGEST_LABEL = 16;
const LINE_HEIGHT = 12;
/** Middle of the uppermost name, in user units from the top of the chart. */
const HIGHEST_LABEL = 26;

/** A name at the end of a line, or of several that end at one value. */
export interface EndLabel {
  /** The first of the lines. */
  readonly backend: number;
  readonly backends: readonly number[];
  readonly time: number;
  readonly value: number;
}

/**
 * The lines that stand out among many: those that end at the three least and the three greatest values, ascending.
 * Undefined where there are so few lines that each has a colour of its own.
 */
export function extremeLines(lines: readonly Timeline[]): EndLabel[] | undefined {
  if (lines.length <= MOST_COLOURED) return undefined;
  const ends = new Map<number, EndLabel>();
  for (const { backend, points } of lines) {
    const { time, middle: value } = points.at(-1)!;
    const first = ends.get(value) ?? { backend, backends: [], time, value };
    ends.set(value, { ...first, backends: [...first.backends, backend] });
  }
  const ascending = [...ends.values()].sort((a, b) => a.value - b.value);
  return ascending.filter((_, index) => index < LEAST_NAMED || index >= ascending.length - GREATEST_NAMED);
}

/** Names right of the lines' ends, moved apart where they would overlap. */
export function endLabels(labels: readonly EndLabel[], name: (backend: number) => string): Plot.Markish {
  const options: Plot.TextOptions = {
    x: 'time',
    y: 'value',
    text: (label: EndLabel) => labelText(label, name),
    fill: { value: (label: EndLabel) => backendColour(label.backend), scale: null },
    textAnchor: 'start',
    fontSize: 10.5,
    dx: 5,
  };
  const apart: Plot.InitializerFunction = (data, facets, channels, scales) => {
    const values = [...(channels.y!.value as Iterable<number>)];
    return { data, facets, channels: { y: { value: spreadUp(values.map((value) => scales.y!(value))) } } };
  };
  return Plot.text(labels, Plot.initializer(options, apart));
}

function labelText({ backend, backends }: EndLabel, name: (backend: number) => string): string {
  const more = backends.length > 1 ? ` +${backends.length - 1}` : '';
  return `${shorten(name(backend), LONGEST_LABEL - more.length)}${more}`;
}

/** Heights in a picture from the bottom up, each at least a line above the one before, none above the top. */
function spreadUp(heights: readonly number[]): number[] {
  const spread: number[] = [];
  for (const height of heights) spread.push(Math.min(height, (spread.at(-1) ?? Infinity) - LINE_HEIGHT));
  let lowest = HIGHEST_LABEL;
  for (let index = spread.length - 1; index >= 0; index--) {
    spread[index] = Math.max(spread[index]!, lowest);
    lowest = spread[index]! + LINE_HEIGHT;
  }
  return spread;
}

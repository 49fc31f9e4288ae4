import * as Plot from '@observablehq/plot';
import { chartSvg, tickFormat } from './chart.js';

/** A bar of a histogram, from a power of two to twice of it, or of 0 alone. */
export interface HistogramBar {
  readonly from: number;
  readonly count: number;
}

/** A single size is one bar, not a wall. */
const FEWEST_PLACES = 8;

/** Bars over powers of two, from the first that is there to the last. */
export function histogram(
  bars: readonly HistogramBar[],
  labels: { readonly x: string; readonly y: string; tick(value: number): string },
  description: string,
): string {
  const places = bars.map(({ from }) => placeOf(from));
  const first = Math.min(...places);
  const last = Math.max(first + FEWEST_PLACES - 1, ...places);
  const every = Math.max(1, Math.ceil((last - first + 1) / 7));
  const most = Math.max(...bars.map(({ count }) => count));
  return chartSvg(
    {
      x: {
        label: labels.x,
        domain: [first, last + 1],
        ticks: Array.from(
          { length: Math.floor((last - first) / every) + 1 },
          (_, index) => first + index * every,
        ),
        tickFormat: (place: number) => labels.tick(place === 0 ? 0 : 2 ** (place - 1)),
        labelArrow: 'none',
        labelAnchor: 'center',
      },
      y: {
        label: labels.y,
        domain: [0, most],
        nice: 5,
        ticks: 5,
        tickFormat: tickFormat(undefined),
        grid: true,
        labelArrow: 'none',
      },
      marks: [
        Plot.rectY(bars, {
          x1: ({ from }: HistogramBar) => placeOf(from),
          x2: ({ from }: HistogramBar) => placeOf(from) + 1,
          y: 'count',
          fill: 'var(--heat)',
          insetLeft: 1,
          insetRight: 1,
        }),
      ],
    },
    description,
  );
}

/** Place on the axis: 0 for nothing, n for 2^(n − 1). */
function placeOf(from: number): number {
  return from === 0 ? 0 : Math.round(Math.log2(from)) + 1;
}

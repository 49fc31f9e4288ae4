import * as Plot from '@observablehq/plot';
import { CHART_WIDTH, chartSvg, tickFormat } from './chart.js';

/** A shade from `from` to before `to` on the time axis, in seconds, of the sizes from `size` to before twice of it. */
export interface HeatTile {
  readonly from: number;
  readonly to: number;
  readonly size: number;
  readonly segments: number;
}

/** Bounds of the shades: from each number of segments on. */
export const SHADES = [1, 2, 5, 20, 100, 1000] as const;

const SHADE_WIDTH = 30;

const OPACITIES = [0.22, 0.36, 0.5, 0.66, 0.83, 1] as const;

/** The number of a shade, -1 for no segments. */
export function shadeOf(segments: number): number {
  return SHADES.findLastIndex((bound) => segments >= bound);
}

/** Free segments by size and time as shades of one colour; `domain` is that of the sizes, powers of two. */
export function heatMap(
  tiles: readonly HeatTile[],
  domain: readonly [number, number],
  description: string,
): string {
  const chart = chartSvg(
    {
      x: {
        label: 'simulated time, s',
        ticks: 5,
        tickFormat: tickFormat(undefined),
        labelArrow: 'none',
        labelAnchor: 'center',
      },
      y: {
        type: 'log',
        base: 2,
        domain: [...domain],
        label: 'size of free segments, bytes',
        ticks: powerTicks(...domain),
        tickFormat: tickFormat('bytes'),
        labelArrow: 'none',
      },
      marks: SHADES.map((_, shade) =>
        Plot.rect(
          tiles.filter(({ segments }) => shadeOf(segments) === shade),
          {
            x1: 'from',
            x2: 'to',
            y1: 'size',
            y2: ({ size }: HeatTile) => 2 * size,
            fill: 'var(--heat)',
            fillOpacity: OPACITIES[shade]!,
          },
        ),
      ),
    },
    description,
  );
  return chart.replace('</svg>', `${shadeLegend()}</svg>`);
}

/** The shades with the numbers from which they begin, above the map on the right. */
function shadeLegend(): string {
  const entries = SHADES.map((bound, shade) => {
    const x = CHART_WIDTH - 12 - (SHADES.length - shade) * SHADE_WIDTH;
    const box = `<rect x="${x}" y="3" width="${SHADE_WIDTH - 2}" height="6" fill="var(--heat)" fill-opacity="${OPACITIES[shade]!}"/>`;
    return `${box}<text x="${x + SHADE_WIDTH / 2}" y="20" font-size="10">${bound}</text>`;
  });
  return `<g aria-hidden="true">${entries.join('')}</g>`;
}

/** At most eight powers of two from `low` to `high`. */
function powerTicks(low: number, high: number): number[] {
  const doublings = Math.round(Math.log2(high / low));
  const step = Math.max(1, Math.ceil(doublings / 7));
  return Array.from({ length: Math.floor(doublings / step) + 1 }, (_, index) => low * 2 ** (index * step));
}

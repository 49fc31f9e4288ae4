import * as Plot from '@observablehq/plot';
import { backendColour, backendDash } from '../palette.js';
import { chartSvg, tickFormat } from './chart.js';

/** How a quantity is distributed for one backend: the share of requests that are at least in a class. */
export interface Tail {
  readonly backend: number;
  /** Class 0 is no work, class n starts at 2^(n − 1); shares fall from 1. */
  readonly shares: readonly number[];
}

/** Complementary distributions, a stepped line per backend; shares on a logarithmic scale, since tails matter. */
export function tailChart(
  tails: readonly Tail[],
  name: (backend: number) => string,
  label: string,
  description: string,
): string {
  const classes = Math.max(...tails.map(({ shares }) => shares.length));
  const least = Math.min(...tails.flatMap(({ shares }) => shares.filter((share) => share > 0)));
  const lowest = Math.min(-1, Math.floor(Math.log10(least)));
  const everyPower = Math.ceil(-lowest / 5);
  const every = Math.max(1, Math.ceil(classes / 9));
  return chartSvg(
    {
      x: {
        label,
        domain: [0, classes],
        ticks: Array.from({ length: Math.floor(classes / every) + 1 }, (_, index) => index * every),
        tickFormat: (workClass: number) => tickFormat(undefined)(lowerBound(workClass)),
        labelArrow: 'none',
        labelAnchor: 'center',
      },
      y: {
        type: 'log',
        domain: [10 ** lowest, 1],
        label: 'share of requests',
        ticks: Array.from(
          { length: Math.floor(-lowest / everyPower) + 1 },
          (_, index) => 10 ** (-index * everyPower),
        ),
        tickFormat: tickFormat(undefined),
        grid: true,
        labelArrow: 'none',
      },
      marks: tails.map(({ backend, shares }) => {
        const dash = backendDash(backend);
        return Plot.lineY(pointsOf(shares), {
          x: 'at',
          y: 'share',
          curve: 'step-after',
          className: `backend-${backend}`,
          stroke: backendColour(backend),
          strokeWidth: 1.75,
          ...(dash === '' ? {} : { strokeDasharray: dash }),
          z: () => name(backend),
          title: () => name(backend),
        });
      }),
    },
    description,
  );
}

/** The least of a class: 0, 1, 2, 4, … */
export function lowerBound(workClass: number): number {
  return workClass === 0 ? 0 : 2 ** (workClass - 1);
}

function pointsOf(shares: readonly number[]): { at: number; share: number }[] {
  const points = shares.flatMap((share, at) => (share > 0 ? [{ at, share }] : []));
  return [...points, { at: points.length, share: points.at(-1)?.share ?? 1 }];
}

import * as Plot from '@observablehq/plot';
import { backendColour, backendSymbol } from '../palette.js';
import { chartSvg, tickFormat } from './chart.js';

/** A backend's point; `weight` from 0 to 1 is the area of its mark. */
export interface ScatterPoint {
  readonly backend: number;
  readonly x: number;
  readonly y: number;
  readonly weight: number;
  /** Those behind no other are filled. */
  readonly isFront: boolean;
  readonly title: string;
}

/** Points of backends in a plane, both axes better towards the origin. */
export function scatter(
  points: readonly ScatterPoint[],
  labels: { readonly x: string; readonly y: string },
  description: string,
): string {
  return chartSvg(
    {
      marginTop: 30,
      x: {
        label: labels.x,
        zero: true,
        nice: true,
        ticks: 6,
        tickFormat: tickFormat(undefined),
        grid: true,
        labelArrow: 'none',
        labelAnchor: 'center',
        insetRight: 14,
        insetLeft: 10,
      },
      y: {
        label: labels.y,
        zero: true,
        nice: true,
        ticks: 5,
        tickFormat: tickFormat(undefined),
        grid: true,
        labelArrow: 'none',
        insetTop: 10,
        insetBottom: 8,
      },
      r: { type: 'identity' },
      marks: points.map((point) =>
        Plot.dot([point], {
          x: 'x',
          y: 'y',
          r: 4 + 8 * Math.sqrt(point.weight),
          className: `backend-${point.backend}`,
          symbol: backendSymbol(point.backend),
          stroke: backendColour(point.backend),
          strokeWidth: 1.75,
          fill: backendColour(point.backend),
          fillOpacity: point.isFront ? 0.6 : 0,
          title: 'title',
        }),
      ),
    },
    description,
  );
}

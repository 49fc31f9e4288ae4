import * as Plot from '@observablehq/plot';
import { parseHTML } from 'linkedom';
import { escapeMarkup } from '../escape.js';

/** Size of a chart in user units; it scales with the room that it gets. */
export const CHART_WIDTH = 420;
export const CHART_HEIGHT = 240;

/** One document for all charts: it only makes elements. */
const { document } = parseHTML('<!doctype html><html><body></body></html>');

/** A tag: texts between tags keep every digit. */
const TAG = /<[a-zA-Z][^>]*>/g;

/** Digits that Plot writes and no eye sees; their last could differ between engines. */
const LONG_FRACTION = /-?\d+\.\d{3,}(?:e-?\d+)?/g;

/**
 * The SVG element of a plot: the same bytes for the same options, without style sheet or generated names, its colours
 * those of the custom properties around it.
 */
export function chartSvg(options: Plot.PlotOptions, description: string): string {
  const plotted = Plot.plot({
    document: document as unknown as NonNullable<Plot.PlotOptions['document']>,
    width: CHART_WIDTH,
    height: CHART_HEIGHT,
    marginLeft: 54,
    marginRight: 12,
    marginTop: 26,
    marginBottom: 36,
    className: 'chart',
    style: { fontSize: '12px' },
    ...options,
  });
  plotted.querySelector('style')?.remove();
  plotted.removeAttribute('style');
  const body = plotted.innerHTML.replaceAll(TAG, (tag: string) =>
    tag.replaceAll(LONG_FRACTION, shortFraction),
  );
  const { width = CHART_WIDTH, height = CHART_HEIGHT } = options;
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" class="chart" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" ` +
    `role="img" aria-label="${escapeMarkup(description)}" font-family="system-ui, sans-serif" font-size="12" ` +
    `fill="currentColor" text-anchor="middle">${body}</svg>`
  );
}

function shortFraction(text: string): string {
  return String(Number(Number(text).toFixed(2)) + 0);
}

/** Tick marks of a figure's unit. */
export function tickFormat(unit: string | undefined): (value: number) => string {
  if (unit === 'bytes') return byteTick;
  return countTick;
}

function byteTick(value: number): string {
  return scaled(value, 1024, ['', 'K', 'M', 'G', 'T', 'P']);
}

function countTick(value: number): string {
  if (value !== 0 && Math.abs(value) < 0.001)
    return value.toExponential(1).replace('.0e', 'e').replace('e-', 'e−');
  return scaled(value, 1000, ['', 'k', 'M', 'G', 'T']);
}

function scaled(value: number, base: number, units: readonly string[]): string {
  let rest = value;
  let unit = 0;
  while (Math.abs(rest) >= base && unit < units.length - 1) {
    rest /= base;
    unit++;
  }
  return `${Number(rest.toPrecision(3))}${units[unit]}`;
}

/** Ticks of a byte axis at round multiples of a power of two, at most six, the last not below `highest`. */
export function byteTicks(highest: number): number[] {
  let step = 1;
  while (highest / step > 5) step *= 2;
  return Array.from({ length: Math.ceil(highest / step) + 1 }, (_, index) => index * step);
}

import { type HeatTile, heatMap, SHADES, shadeOf } from '../charts/heat-map.js';
import type { Figure, ReportSection } from '../content.js';
import { formatShortBytes } from '../notation.js';
import type { ReportData } from '../report-data.js';
import type { CellRows, StoredTable } from '../stored-table.js';

/** Time steps of a map. */
const STEPS = 60;

/** How many free segments of each size there are, over time. */
export const spectrumSection: ReportSection = {
  id: 'spectrum',
  title: 'Free segments by size',
  render: (data) => {
    if (!data.results.has('spectrum')) return undefined;
    const table = data.results.table('spectrum');
    const figures = data.workloads.flatMap((workload, index) =>
      workloadFigures(data, table, workload, index),
    );
    if (figures.length === 0) return undefined;
    const bounds = SHADES.join(', ');
    return [
      {
        kind: 'figures',
        title: 'Free-segment spectrum',
        definition:
          `segments: ${table.field('segments')!.description} Summed over all arenas, at the last sample of each of ${STEPS} ` +
          `steps of time, for the first seed; shades from light to dark begin at ${bounds} segments.`,
        legend: [],
        figures,
      },
    ];
  },
};

function workloadFigures(data: ReportData, table: StoredTable, workload: string, index: number): Figure[] {
  const maps = [...data.cellsOf(table, workload)]
    .map(([backend, [first]]) => ({ backend, tiles: tilesOf(table, first!) }))
    .filter(({ tiles }) => tiles.length > 0);
  const sizes = maps.flatMap(({ tiles }) => tiles.map(({ size }) => size));
  const domain = [Math.min(...sizes), 2 * Math.max(...sizes)] as const;
  return maps.map(({ backend, tiles }) => spectrumFigure(data, { workload, index, backend, tiles, domain }));
}

interface SpectrumMap {
  readonly workload: string;
  readonly index: number;
  readonly backend: number;
  readonly tiles: readonly HeatTile[];
  /** Sizes from the least of any backend to twice the largest. */
  readonly domain: readonly [number, number];
}

function spectrumFigure(data: ReportData, { workload, index, backend, tiles, domain }: SpectrumMap): Figure {
  const name = data.backends[backend]!;
  const end = Math.max(...tiles.map(({ to }) => to));
  const last = tiles.filter(({ to }) => to === end).sort((a, b) => a.size - b.size);
  const ending = last.map(({ size, segments }) => `${segments} of ${formatShortBytes(size)}`).join(', ');
  const description = `Free segments by size over time, ${workload} on ${name}. At the end: ${ending}.`;
  return {
    id: `spectrum-${index + 1}-${backend + 1}`,
    title: `${workload}: ${name}`,
    description,
    svg: () => heatMap(shaded(tiles), domain, description),
    data: [
      ['workload', 'backend', 'from_s', 'to_s', 'class_bytes', 'segments'],
      ...tiles.map(({ from, to, size, segments }) => [workload, name, from, to, size, segments]),
    ],
    lines: [
      {
        label: name,
        values: last.map(({ segments }) => segments),
        text: `${last.length} sizes from ${formatShortBytes(last[0]!.size)} at the end`,
      },
    ],
    command: data.commandFor(workload),
  };
}

/** Segments by time step and size, those of all arenas together, at the last sample of each step. */
function tilesOf(table: StoredTable, { from, to }: CellRows): HeatTile[] {
  const times = table.numbers('time_ns');
  const sizes = table.numbers('class_bytes');
  const counts = table.numbers('segments');
  const end = times[to - 1]!;
  const stepNs = Math.max(1, end) / STEPS;
  const steps: { time: number; bySize: Map<number, number> }[] = [];
  for (let row = from; row < to; row++) {
    const time = times[row]!;
    const index = Math.min(STEPS - 1, Math.max(0, Math.ceil(time / stepNs) - 1));
    if (steps[index]?.time !== time) steps[index] = { time, bySize: new Map() };
    const { bySize } = steps[index]!;
    bySize.set(sizes[row]!, (bySize.get(sizes[row]!) ?? 0) + counts[row]!);
  }
  const taken = steps.filter((step) => step !== undefined);
  return taken.flatMap(({ time, bySize }, index) => {
    const start = index === 0 ? 0 : taken[index - 1]!.time;
    return [...bySize].map(([size, segments]) => ({ from: start / 1e9, to: time / 1e9, size, segments }));
  });
}

/** Neighbours in time of one size and shade as one tile. */
function shaded(tiles: readonly HeatTile[]): HeatTile[] {
  const open = new Map<number, HeatTile>();
  const merged: HeatTile[] = [];
  for (const tile of tiles) {
    const before = open.get(tile.size);
    if (
      before !== undefined &&
      before.to === tile.from &&
      shadeOf(before.segments) === shadeOf(tile.segments)
    ) {
      open.set(tile.size, { ...before, to: tile.to });
      continue;
    }
    if (before !== undefined) merged.push(before);
    open.set(tile.size, tile);
  }
  return [...merged, ...open.values()];
}

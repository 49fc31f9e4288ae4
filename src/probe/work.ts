import { type FigureName, sumFigure } from './arenas.js';
import { countColumn } from './column.js';
import type { Column, Probe, RunView } from './contract.js';

interface WorkFigure {
  readonly figure: FigureName;
  readonly column: Column;
}

const FIGURES: readonly WorkFigure[] = [
  work('allocs', 'arena_allocs', 'none', 'Segments allocated (kstat alloc); cache hits are not among them.'),
  work('frees', 'arena_frees', 'none', 'Segments freed (kstat free).'),
  work('fails', 'arena_fails', 'less', 'Segment allocations that failed (kstat fail), also of imports.'),
  work(
    'waits',
    'arena_waits',
    'less',
    'Segment allocations that the kernel would have slept for (kstat wait).',
  ),
  work('searches', 'searches', 'less', 'Elements visited by searches for a fit (kstat search).'),
  work('lookups', 'lookups', 'less', 'Steps along hash chains on free (kstat lookup).'),
  work('splits', 'splits', 'less', 'Segments cut by an allocation.'),
  work('merges', 'merges', 'none', 'Pairs of free neighbours made one.'),
  work('imports', 'imports', 'less', 'Spans imported from a source.'),
  work('releases', 'releases', 'none', 'Spans given back to a source.'),
];

/** Work counted since the start, over all arenas: the portable, exact stand-in for time. */
export const workProbe: Probe = {
  name: 'work',
  columns: [
    ...FIGURES.map(({ column }) => column),
    countColumn('lock_acquisitions', 'less', 'Acquisitions of simulated locks, never contended here.'),
  ],
  sample({ backend, simulation }: RunView, row: Float64Array, at: number): void {
    for (const [index, { figure }] of FIGURES.entries()) row[at + index] = sumFigure(backend.arenas, figure);
    row[at + FIGURES.length] = simulation.locks.acquisitions;
  },
};

function work(figure: FigureName, name: string, better: Column['better'], description: string): WorkFigure {
  return { figure, column: countColumn(name, better, description) };
}

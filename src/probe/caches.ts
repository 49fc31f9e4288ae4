import type { CacheFigures } from '../arena/view.js';
import type { Backend } from '../backend/contract.js';
import { countColumn, ratio, ratioColumn } from './column.js';
import type { Probe, RunView } from './contract.js';

/** Names of the cache figures that are numbers. */
type CacheFigureName = Exclude<keyof CacheFigures, 'name' | 'kind' | 'arena'>;

/** Object and quantum caches in front of the arenas: slabs, magazines and their hits, over all caches. */
export const cachesProbe: Probe = {
  name: 'caches',
  columns: [
    countColumn('slabs', 'none', 'Slabs of all object and quantum caches.', ['peak']),
    countColumn('cache_buffers', 'none', 'Buffers of all slabs.', ['peak']),
    countColumn(
      'cache_buffers_in_use',
      'none',
      'Buffers out of the slab layer: with clients or in magazines.',
    ),
    countColumn('magazine_buffers', 'none', 'Buffers in per-CPU magazines and full magazines of the depot.', [
      'peak',
    ]),
    countColumn('magazines', 'less', 'Magazines of all caches.', ['peak']),
    countColumn('cache_allocs', 'none', 'Allocations that a cache served.'),
    countColumn('magazine_hits', 'more', 'Allocations that a magazine served, without the slab layer.'),
    ratioColumn('magazine_hit_rate', 'more', 'magazine_hits / cache_allocs.'),
  ],
  sample({ backend }: RunView, row: Float64Array, at: number): void {
    const allocs = sumCaches(backend, 'allocs');
    const hits = sumCaches(backend, 'magazineHits');
    row[at] = sumCaches(backend, 'slabs');
    row[at + 1] = sumCaches(backend, 'buffers');
    row[at + 2] = sumCaches(backend, 'buffersInUse');
    row[at + 3] = sumCaches(backend, 'buffersInMagazines');
    row[at + 4] = sumCaches(backend, 'magazines');
    row[at + 5] = allocs;
    row[at + 6] = hits;
    row[at + 7] = ratio(hits, allocs);
  },
};

function sumCaches(backend: Backend, figure: CacheFigureName): number {
  let sum = 0;
  for (const arena of backend.arenas) {
    for (const cache of arena.caches) if (cache.kind !== 'metadata') sum += cache[figure];
  }
  return sum;
}

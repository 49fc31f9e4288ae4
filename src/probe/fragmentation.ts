import { extentOf, externalFragmentation, importingArenas, rootArenas, sumFigure } from './arenas.js';
import { bytesColumn, ratio, ratioColumn } from './column.js';
import type { Probe, RunView } from './contract.js';

/** How far address space is cut up, in the roots and inside imported spans, and how far requests are rounded. */
export const fragmentationProbe: Probe = {
  name: 'fragmentation',
  columns: [
    ratioColumn(
      'external_fragmentation',
      'less',
      '1 − largest free segment / free bytes of the root arenas. With several roots, which cannot lend to each ' +
        'other, both terms are summed: the mean of the roots weighted by their free bytes.',
      ['peak', 'mean'],
    ),
    ratioColumn(
      'import_fragmentation',
      'less',
      'The same over the arenas that import: how far the free space that they keep in imported spans is cut up.',
      ['mean'],
    ),
    ratioColumn(
      'internal_fragmentation',
      'less',
      '1 − live_bytes / footprint_bytes: the share of allocated bytes that is rounding.',
      ['mean'],
    ),
    bytesColumn('largest_free_bytes', 'more', 'Largest free segment of any root arena.'),
    bytesColumn(
      'va_reach_bytes',
      'less',
      'Address space needed so far: per root arena, from the lowest to the highest address ever allocated, summed. ' +
        'Followed at every request, not only at sample points.',
    ),
    bytesColumn(
      'va_extent_bytes',
      'less',
      'Address space spanned: per span of the root arenas, from the start of the first allocated segment to the end ' +
        'of the last, summed.',
      ['peak'],
    ),
    ratioColumn(
      'hole_ratio',
      'less',
      'Share of va_extent_bytes that lies in holes between allocated segments.',
      ['peak', 'mean'],
    ),
  ],
  sample({ backend, requests }: RunView, row: Float64Array, at: number): void {
    const roots = rootArenas(backend);
    const extent = extentOf(roots);
    row[at] = externalFragmentation(roots);
    row[at + 1] = externalFragmentation(importingArenas(backend));
    row[at + 2] = ratio(requests.footprintBytes - requests.liveBytes, requests.footprintBytes);
    row[at + 3] = roots.reduce((largest, arena) => Math.max(largest, arena.largestFree()), 0);
    row[at + 4] = sumFigure(roots, 'reachBytes');
    row[at + 5] = extent.bytes;
    row[at + 6] = ratio(extent.bytes - extent.allocatedBytes, extent.bytes);
  },
};

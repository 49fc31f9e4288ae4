import { importingArenas, rootArenas, sumFigure } from './arenas.js';
import { bytesColumn } from './column.js';
import type { Probe, RunView } from './contract.js';

/** Where the bytes are: asked for, rounded, taken from the roots, imported, spent on metadata. */
export const bytesProbe: Probe = {
  name: 'bytes',
  columns: [
    bytesColumn('live_bytes', 'none', 'Bytes of live objects as requested.', ['mean']),
    bytesColumn('peak_live_bytes', 'none', 'Largest live_bytes so far, after any request.'),
    bytesColumn('footprint_bytes', 'less', 'Bytes of live objects as the backend rounds them.', ['peak']),
    bytesColumn(
      'peak_footprint_bytes',
      'less',
      'Largest footprint_bytes so far, after any request: with this rounding, no placement of the objects needs less ' +
        'address space.',
    ),
    bytesColumn(
      'held_bytes',
      'less',
      'Address space taken from the root arenas (those without a source): their total minus their free bytes. What ' +
        'it exceeds footprint_bytes by lies in caches, slabs and imported spans.',
      ['peak', 'mean'],
    ),
    bytesColumn('va_total_bytes', 'none', 'Bytes of all spans of the root arenas (kstat mem_total).'),
    bytesColumn(
      'va_in_use_bytes',
      'less',
      'Bytes of allocated segments of the root arenas as requested, unrounded (kstat mem_inuse).',
    ),
    bytesColumn('imported_bytes', 'none', 'Bytes of imported spans, over all arenas (kstat mem_import).', [
      'peak',
    ]),
    bytesColumn(
      'metadata_bytes',
      'less',
      'Bytes of boundary tags or map entries, hash tables, slabs and magazines under the ABI parameter of the backend.',
      ['peak', 'mean'],
    ),
  ],
  sample({ backend, requests }: RunView, row: Float64Array, at: number): void {
    const roots = rootArenas(backend);
    const total = sumFigure(roots, 'totalBytes');
    row[at] = requests.liveBytes;
    row[at + 1] = requests.peakLiveBytes;
    row[at + 2] = requests.footprintBytes;
    row[at + 3] = requests.peakFootprintBytes;
    row[at + 4] = total - roots.reduce((sum, arena) => sum + arena.freeBytes(), 0);
    row[at + 5] = total;
    row[at + 6] = sumFigure(roots, 'inUseBytes');
    row[at + 7] = sumFigure(importingArenas(backend), 'importBytes');
    row[at + 8] = backend.arenas.reduce((sum, arena) => sum + arena.metadataBytes(), 0);
  },
};

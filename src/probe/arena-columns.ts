import type { ArenaView } from '../arena/view.js';
import { externalFragmentation, type FigureName } from './arenas.js';
import { bytesColumn, countColumn, ratioColumn } from './column.js';
import type { Column } from './contract.js';

const FIGURES: readonly (readonly [FigureName, Column])[] = [
  ['spanTags', countColumn('span_tags', 'less', 'Boundary tags that stand for spans.')],
  ['freeTags', countColumn('free_tags', 'less', 'Boundary tags of free segments.')],
  ['allocTags', countColumn('alloc_tags', 'less', 'Boundary tags of allocated segments.')],
  ['totalBytes', bytesColumn('total_bytes', 'none', 'Bytes of all spans (kstat mem_total).')],
  [
    'inUseBytes',
    bytesColumn('in_use_bytes', 'none', 'Bytes of allocated segments as requested (kstat mem_inuse).'),
  ],
  ['importBytes', bytesColumn('import_bytes', 'none', 'Bytes of imported spans (kstat mem_import).')],
  ['allocs', countColumn('allocs', 'none', 'Segments allocated (kstat alloc).')],
  ['frees', countColumn('frees', 'none', 'Segments freed (kstat free).')],
  ['fails', countColumn('fails', 'less', 'Allocations that failed (kstat fail).')],
  ['waits', countColumn('waits', 'less', 'Allocations that the kernel would have slept for (kstat wait).')],
  ['lookups', countColumn('lookups', 'less', 'Steps along hash chains on free (kstat lookup).')],
  ['searches', countColumn('searches', 'less', 'Elements visited by searches for a fit (kstat search).')],
  ['splits', countColumn('splits', 'less', 'Segments cut by an allocation.')],
  ['merges', countColumn('merges', 'none', 'Pairs of free neighbours made one.')],
  ['imports', countColumn('imports', 'less', 'Spans imported from the source.')],
  ['releases', countColumn('releases', 'none', 'Spans given back to the source.')],
  ['hashBuckets', countColumn('hash_buckets', 'none', 'Buckets of the hash table of allocated segments.')],
];

/** What is recorded of each arena by itself. */
export const ARENA_COLUMNS: readonly Column[] = [
  ...FIGURES.map(([, column]) => column),
  bytesColumn('free_bytes', 'none', 'Bytes of free segments.'),
  bytesColumn('largest_free_bytes', 'more', 'Largest free segment.'),
  ratioColumn('external_fragmentation', 'less', '1 − largest_free_bytes / free_bytes.'),
  bytesColumn('metadata_bytes', 'less', 'Bytes of tags, hash table and caches under the ABI parameter.'),
];

/** Figures of one arena in the order of ARENA_COLUMNS. */
export function sampleArena(arena: ArenaView): number[] {
  return [
    ...FIGURES.map(([figure]) => arena.figures[figure]),
    arena.freeBytes(),
    arena.largestFree(),
    externalFragmentation([arena]),
    arena.metadataBytes(),
  ];
}

import type { ArenaView, CacheFigures } from '../arena/view.js';
import { externalFragmentation, type FigureName } from './arenas.js';
import { bytesColumn, countColumn, ratio, ratioColumn } from './column.js';
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
  [
    'reachBytes',
    bytesColumn('reach_bytes', 'less', 'From the lowest to the highest address ever allocated.'),
  ],
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

const CACHE_FIGURES: readonly (readonly [Exclude<keyof CacheFigures, 'name' | 'kind' | 'arena'>, Column])[] =
  [
    ['bufferBytes', bytesColumn('buffer_bytes', 'none', 'Size of a buffer.')],
    ['slabBytes', bytesColumn('slab_bytes', 'none', 'Size of a slab.')],
    ['slabs', countColumn('slabs', 'none', 'Slabs.')],
    ['buffers', countColumn('buffers', 'none', 'Buffers of all slabs.')],
    ['buffersInUse', countColumn('buffers_in_use', 'none', 'Buffers with clients or in magazines.')],
    [
      'buffersInMagazines',
      countColumn('buffers_in_magazines', 'none', 'Buffers in per-CPU and full magazines.'),
    ],
    ['magazines', countColumn('magazines', 'less', 'Magazines.')],
    ['allocs', countColumn('allocs', 'none', 'Allocations that the cache served.')],
    ['magazineHits', countColumn('magazine_hits', 'more', 'Allocations that a magazine served.')],
    ['frees', countColumn('frees', 'none', 'Buffers freed to the cache.')],
  ];

/** What is recorded of each cache by itself. */
export const CACHE_COLUMNS: readonly Column[] = [
  ...CACHE_FIGURES.map(([, column]) => column),
  ratioColumn('magazine_hit_rate', 'more', 'magazine_hits / allocs.'),
];

/** Figures of one cache in the order of CACHE_COLUMNS. */
export function sampleCache(cache: CacheFigures): number[] {
  return [...CACHE_FIGURES.map(([figure]) => cache[figure]), ratio(cache.magazineHits, cache.allocs)];
}

import type { ArenaView, MapEntryFigures } from '../arena/view.js';
import { countColumn } from './column.js';
import type { Probe, RunView } from './contract.js';

/**
 * Map entries against boundary tags, as the kernel has allocated them: where entries are, what frees had to allocate, and
 * tags with those in reserve.
 */
export const entriesProbe: Probe = {
  name: 'entries',
  columns: [
    countColumn('map_entries', 'less', 'Entries in maps, static ones included, over all maps.', ['peak']),
    countColumn(
      'kept_entries',
      'less',
      'Entries kept aside for live ranges that share an entry since they merged.',
      ['peak'],
    ),
    countColumn('cached_entries', 'none', 'Entries that are free without further memory.'),
    countColumn(
      'allocated_entries',
      'less',
      'map_entries + kept_entries: what live ranges cost, and what the thread of 2011 counted.',
      ['peak'],
    ),
    countColumn('reserved_entries', 'less', 'Entries that frees took beforehand and gave back unused.'),
    countColumn('merged_mappings', 'none', "Mappings that extended a neighbour's entry."),
    countColumn(
      'free_allocates',
      'less',
      'Entries that frees had to allocate because they cut one in two ("allocate to free").',
    ),
    countColumn(
      'hangs',
      'less',
      'Frees that needed an entry which was not to be had: the kernel hangs, or sleeps until there is memory.',
    ),
    countColumn(
      'allocated_tags',
      'less',
      'Boundary tags of all arenas that are no maps, with those in reserve where the model has a reserve.',
      ['peak'],
    ),
    countColumn('refill_depth', 'less', 'Most refills of reserves of tags that were ever under way at once.'),
  ],
  sample({ backend }: RunView, row: Float64Array, at: number): void {
    const maps = backend.arenas.flatMap(({ mapEntries }) => (mapEntries === undefined ? [] : [mapEntries]));
    const linked = sum(maps, 'linkedEntries');
    const kept = sum(maps, 'keptEntries');
    row[at] = linked;
    row[at + 1] = kept;
    row[at + 2] = sum(maps, 'freeEntries');
    row[at + 3] = linked + kept;
    row[at + 4] = sum(maps, 'entriesReserved');
    row[at + 5] = sum(maps, 'mergedMappings');
    row[at + 6] = sum(maps, 'entriesForSplits');
    row[at + 7] = sum(maps, 'hangs');
    row[at + 8] = backend.arenas.reduce((tags, arena) => tags + allocatedTags(arena), 0);
    row[at + 9] = Math.max(...backend.arenas.map(({ spareTags }) => spareTags?.deepestRefill ?? 0));
  },
};

function sum(maps: readonly MapEntryFigures[], figure: keyof MapEntryFigures): number {
  return maps.reduce((total, figures) => total + figures[figure], 0);
}

function allocatedTags({ figures, mapEntries, spareTags }: ArenaView): number {
  if (mapEntries !== undefined) return 0;
  return figures.spanTags + figures.freeTags + figures.allocTags + (spareTags?.spareTags ?? 0);
}

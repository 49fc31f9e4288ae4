import { sumFigure } from './arenas.js';
import { countColumn } from './column.js';
import type { Probe, RunView } from './contract.js';

/** Boundary tags (or map entries) by type, over all arenas. */
export const tagsProbe: Probe = {
  name: 'tags',
  columns: [
    countColumn('span_tags', 'less', 'Boundary tags that stand for spans, over all arenas.', ['peak']),
    countColumn('free_tags', 'less', 'Boundary tags of free segments, over all arenas.', ['peak', 'mean']),
    countColumn('alloc_tags', 'less', 'Boundary tags of allocated segments, over all arenas.', [
      'peak',
      'mean',
    ]),
    countColumn('tags', 'less', 'Boundary tags of every type, over all arenas.', ['peak', 'mean']),
  ],
  sample({ backend }: RunView, row: Float64Array, at: number): void {
    const spans = sumFigure(backend.arenas, 'spanTags');
    const free = sumFigure(backend.arenas, 'freeTags');
    const allocated = sumFigure(backend.arenas, 'allocTags');
    row[at] = spans;
    row[at + 1] = free;
    row[at + 2] = allocated;
    row[at + 3] = spans + free + allocated;
  },
};

import { EntryMap } from '../arena/entry-map/entry-map.js';
import type { BackendDefinition } from './contract.js';
import { MAP_PARAMETERS, mapShape } from './map-structures.js';
import { createTwoArenas } from './two-arenas.js';

/** The naive baseline: what a kernel gets from sorted maps alone, without caches, free lists or boundary tags. */
export const firstFitMap: BackendDefinition = {
  name: 'first-fit-map',
  summary: 'naive baseline: sorted maps of entries, lowest fit, no caches; merging on or off',
  heldBy: [],
  parameters: MAP_PARAMETERS,
  create: (values, environment) =>
    createTwoArenas(values, environment, (range) => new EntryMap({ ...range, ...mapShape(values, false) })),
};

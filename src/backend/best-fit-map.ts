import { BestFitMap } from '../arena/best-fit-map/best-fit-map.js';
import type { BackendDefinition } from './contract.js';
import { MAP_PARAMETERS, mapShape } from './map-structures.js';
import { createTwoArenas } from './two-arenas.js';

/** The maps of first-fit-map with the other classical rule: what placement alone is worth. */
export const bestFitMap: BackendDefinition = {
  name: 'best-fit-map',
  summary: 'comparator: sorted maps of entries, smallest gap that fits, lowest of equals; merging on or off',
  heldBy: [],
  parameters: MAP_PARAMETERS,
  create: (values, environment) =>
    createTwoArenas(values, environment, (range) => new BestFitMap({ ...range, ...mapShape(values, true) })),
};

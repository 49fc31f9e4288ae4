import { describe, it } from 'vitest';
import { BestFitMap } from '../../src/arena/best-fit-map/best-fit-map.js';
import { SlowBestFitMap } from '../support/slow-map.js';
import { BASE, QUANTUM } from './quantum-constraints.js';
import { agreesWithSlowArena } from './range-arena-properties.js';

describe('the best-fit map agrees with a slow reference', () => {
  it.each([true, false])('on random histories with constraints, merging %s', (merge) => {
    agreesWithSlowArena(
      (range) => new BestFitMap({ ...range, merge, entryBytes: 1, mapBytes: 0 }),
      (quanta) => new SlowBestFitMap(BASE, quanta, QUANTUM, merge),
      200,
    );
  });
});

import { describe, expect, it } from 'vitest';
import { EntryMap } from '../../src/arena/entry-map/entry-map.js';
import { holdsOnAllHistories, holdsOnHistories } from './entry-map-properties.js';

describe('the entry map agrees with a slow reference', () => {
  it('on random histories with constraints, merging on and off', () => {
    holdsOnHistories((options) => new EntryMap(options), 300);
  });

  it('on every history of 4 steps in 5 quanta', () => {
    expect(holdsOnAllHistories((options) => new EntryMap(options), 5, 4)).toBe(8 ** 4);
  });
});

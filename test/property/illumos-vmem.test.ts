import { describe, it } from 'vitest';
import { agreesOnHistories } from './illumos-vmem-properties.js';

describe('illumos vmem agrees with the slow reference', () => {
  it('on random histories in random trees of arenas', () => {
    agreesOnHistories(4000, 5);
  });
});

import { describe, expect, it } from 'vitest';
import { ReclaimRing } from '../../../src/arena/uvm-map/reclaim-ring.js';

describe('the clients of a map without room', () => {
  const asked: string[] = [];
  const ring = new ReclaimRing();
  const map = { isStarved: true };
  for (const name of ['a', 'b', 'c']) {
    ring.add({
      reclaim() {
        asked.push(name);
        if (asked.length >= 5) map.isStarved = false;
      },
    });
  }

  it('are asked in turn, from the one after the last, until there is enough', () => {
    ring.run(map);
    ring.run(map);
    ring.run(map);
    expect(asked.join('')).toBe('abcabc');
  });
});

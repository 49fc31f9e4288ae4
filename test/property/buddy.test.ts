import { describe, it } from 'vitest';
import { Buddy } from '../../src/arena/buddy/buddy.js';
import { SlowBuddy } from '../support/slow-buddy.js';
import { BASE, QUANTUM } from './quantum-constraints.js';
import { agreesWithSlowArena } from './range-arena-properties.js';

describe('the buddy system agrees with a slow reference', () => {
  it.each([64, 45])('on random histories with constraints in %i quanta', (quanta) => {
    agreesWithSlowArena(
      (range) => new Buddy({ ...range, tagBytes: 1, arenaBytes: 0 }),
      (count) => new SlowBuddy(BASE, count, QUANTUM),
      150,
      quanta,
    );
  });
});

import { describe, it } from 'vitest';
import { Tlsf } from '../../src/arena/tlsf/tlsf.js';
import { SlowTlsf } from '../support/slow-tlsf.js';
import { BASE, QUANTUM } from './quantum-constraints.js';
import { agreesWithSlowArena } from './range-arena-properties.js';

describe('two-level segregated fit agrees with a slow reference', () => {
  it.each([1, 2, 5])('on random histories with constraints, 2^%i lists per level', (secondLevelLog2) => {
    agreesWithSlowArena(
      (range) => new Tlsf({ ...range, secondLevelLog2, tagBytes: 1, arenaBytes: 0 }),
      (quanta) => new SlowTlsf(BASE, quanta, QUANTUM, 2 ** secondLevelLog2),
      100,
    );
  });
});

import { describe, expect, it } from 'vitest';
import { BASE, flagsOf, newArena, newSystem, type Policy, QUANTUM } from '../../support/vmem-picture.js';

const POLICIES: readonly Policy[] = ['INSTANTFIT', 'BESTFIT', 'FIRSTFIT', 'NEXTFIT', 'ENDALLOC'];

describe('the work counter of a system', () => {
  it.each(POLICIES)('is the sum of searches and lookups of all arenas, under %s', (policy) => {
    const system = newSystem();
    const arenas = [newArena(system), newArena(system)];
    for (const [index, arena] of arenas.entries()) {
      arena.addSpan(BASE + index * 2 ** 30, 1000 * QUANTUM);
      const sizes = Array.from({ length: 60 }, (_, object) => QUANTUM * (1 + (object % 7)));
      const addresses = sizes.map((size) => arena.alloc(size, flagsOf(policy)));
      for (let object = 0; object < 60; object += 3) arena.free(addresses[object]!, sizes[object]!);
      for (let object = 0; object < 9; object++) arena.alloc(5 * QUANTUM, flagsOf(policy));
    }
    const sum = arenas.reduce((total, { searches, lookups }) => total + searches + lookups, 0);
    expect(sum).toBeGreaterThan(0);
    expect(system.work.steps).toBe(sum);
  });
});

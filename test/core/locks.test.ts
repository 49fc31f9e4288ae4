import { expect, it } from 'vitest';
import { LockTable } from '../../src/core/locks.js';

it('simulated locks are counted together and by name, names in order of creation', () => {
  const table = new LockTable();
  const [map, cpu0, cpu1] = [table.create('map'), table.create('cpu'), table.create('cpu')];
  cpu1.acquire();
  cpu0.acquire();
  map.acquire();
  map.acquire();
  expect(table.acquisitions).toBe(4);
  expect([...table.byName()]).toEqual([
    ['map', 2],
    ['cpu', 2],
  ]);
});

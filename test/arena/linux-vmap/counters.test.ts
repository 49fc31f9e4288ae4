import { expect, it } from 'vitest';
import { MAIN_WINDOW, Vmap } from '../../../src/arena/linux-vmap/vmap.js';
import { AddressSpace } from '../../../src/core/address.js';
import { LockTable } from '../../../src/core/locks.js';
import { MIB } from '../../../src/core/units.js';

const PAGE = 4096;
const START = AddressSpace.canonical.toNumber(0xffff_c900_0000_0000n);

it('counts each lock and each area of a pool through frees, hits, passes and a decay', () => {
  const locks = new LockTable();
  const vmap = new Vmap({ name: 'v', start: START, last: START + MIB - 1, cpus: 2, locks });
  const taken = () => ['busy', 'lazy'].map((name) => locks.byName().get(`vmap_node ${name}.lock`));
  const onePage = () => {
    const { slabs, buffersInMagazines, allocs, magazineHits, frees } = vmap.sizes.figures[0]!;
    return { slabs, idle: buffersInMagazines, allocs, hits: magazineHits, frees };
  };
  const addresses = [0, 1, 0, 1].map((cpu) => vmap.allocAddress(PAGE, 1, MAIN_WINDOW, cpu));
  for (const address of addresses.slice(1)) vmap.freeAt(address);
  expect(taken()).toEqual([7, 3]);
  expect(onePage()).toEqual({ slabs: 4, idle: 3, allocs: 4, hits: 0, frees: 3 });
  vmap.purge(false);
  // A pass takes the lazy lock of each node that has something waiting.
  expect(taken()).toEqual([7, 5]);
  vmap.alloc(PAGE, 1, MAIN_WINDOW, 1);
  expect(onePage()).toEqual({ slabs: 4, idle: 2, allocs: 5, hits: 1, frees: 3 });
  vmap.decay(true);
  expect(onePage()).toEqual({ slabs: 2, idle: 0, allocs: 5, hits: 1, frees: 3 });
  vmap.freeAt(addresses[0]!);
  vmap.purge(true);
  expect(onePage()).toEqual({ slabs: 1, idle: 0, allocs: 5, hits: 1, frees: 4 });
  expect(taken()).toEqual([9, 7]);
});

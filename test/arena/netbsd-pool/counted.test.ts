import { describe, expect, it } from 'vitest';
import { CountedCache } from '../../../src/arena/netbsd-pool/counted-cache.js';
import { poolGeometry } from '../../../src/arena/netbsd-pool/geometry.js';
import { Pool } from '../../../src/arena/netbsd-pool/pool.js';
import { PoolStructures } from '../../../src/arena/netbsd-pool/structures.js';
import { CountedPoolView, PoolView } from '../../../src/arena/netbsd-pool/view.js';
import { ABIS } from '../../../src/arena/netbsd-vmem/abi.js';
import { NO_ADDRESS } from '../../../src/core/address.js';
import { LockTable } from '../../../src/core/locks.js';

/** Pools of structures over so many pages. */
function structuresOn(limit: number) {
  let pages = 0;
  const source = {
    allocPage: () => (pages === limit ? NO_ADDRESS : ++pages * 4096),
    freePage: () => void pages--,
  };
  return { structures: new PoolStructures(source, ABIS.lp64), pages: () => pages };
}

/** A supply of so many items, with what is out. */
function supplyOf(limit: number) {
  const supply = {
    out: 0,
    take: () => supply.out < limit && ++supply.out > 0,
    give: () => void supply.out--,
  };
  return supply;
}

describe('a counted pool', () => {
  it('takes a page, and a header for it, when all items are out', () => {
    const { structures, pages } = structuresOn(3);
    const items = structures.pool('two', 2048, 0);
    expect([1, 2, 3].map(() => items.take())).toEqual([true, true, true]);
    expect([items.pages, structures.headerPools.map(({ pages }) => pages), pages()]).toEqual([2, [1], 3]);
    items.take();
    expect([items.take(), items.fails]).toEqual([false, 1]);
  });

  it('gives the page back when there is no header for it', () => {
    const { structures, pages } = structuresOn(1);
    expect([structures.pool('two', 2048, 0).take(), pages()]).toEqual([false, 0]);
  });
});

describe('the views of pools', () => {
  it('show pages, items in use, and how many were taken and given', () => {
    const { structures } = structuresOn(9);
    const counted = structures.pool('two', 2048, 0);
    for (let taken = 0; taken < 3; taken++) counted.take();
    counted.give();
    expect(new CountedPoolView(counted, 'kmem_map')).toMatchObject({
      name: 'two',
      arena: 'kmem_map',
      slabs: 2,
      slabBytes: 4096,
      buffers: 4,
      buffersInUse: 2,
      allocs: 3,
      frees: 1,
    });
    const geometry = poolGeometry(
      { itemBytes: 1024, align: 0, pageBytes: 4096, headerInPage: true },
      ABIS.lp64,
    );
    const source = { allocPage: () => 4096, freePage() {} };
    const pool = new Pool('own', geometry, source, null, { uptime: 0, locks: new LockTable() });
    pool.put(pool.addressOf(pool.take()));
    pool.take();
    expect(new PoolView(pool, 'object', 'kernel_map')).toMatchObject({
      name: 'own',
      arena: 'kernel_map',
      slabs: 1,
      slabBytes: 4096,
      buffers: 3,
      bufferBytes: 1024,
      buffersInUse: 1,
      allocs: 2,
      frees: 1,
    });
  });
});

describe('a counted cache', () => {
  it('gives objects out again before it asks its pool, and takes a group for every few', () => {
    const [objects, groups] = [supplyOf(100), supplyOf(100)];
    const cache = new CountedCache(objects, groups, 3);
    for (let taken = 0; taken < 10; taken++) cache.take();
    for (let given = 0; given < 10; given++) cache.give();
    expect([objects.out, groups.out, cache.cached]).toEqual([10, 4, 10]);
    for (let taken = 0; taken < 11; taken++) cache.take();
    expect([objects.out, groups.out, cache.cached]).toEqual([11, 4, 0]);
  });

  it('lets an object go back to its pool when there is no memory for a group', () => {
    const objects = supplyOf(100);
    const cache = new CountedCache(objects, supplyOf(0), 3);
    cache.take();
    cache.give();
    expect([objects.out, cache.cached]).toEqual([0, 0]);
  });
});

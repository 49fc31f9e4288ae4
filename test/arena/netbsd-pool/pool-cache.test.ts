import { describe, expect, it } from 'vitest';
import { poolGeometry } from '../../../src/arena/netbsd-pool/geometry.js';
import { NO_ITEM, Pool } from '../../../src/arena/netbsd-pool/pool.js';
import { PoolCache } from '../../../src/arena/netbsd-pool/pool-cache.js';
import { PoolCacheView } from '../../../src/arena/netbsd-pool/view.js';
import { ABIS } from '../../../src/arena/netbsd-vmem/abi.js';
import { NO_ADDRESS } from '../../../src/core/address.js';
import { MisuseError } from '../../../src/core/errors.js';
import { LockTable } from '../../../src/core/locks.js';

const ITEM = 4096;
const GROUP = 3;

/** A pool of three items and some slack per page, over a source of `limit` pages that lie one behind the other. */
function makePool(limit = 100, first = 1) {
  const host = { uptime: 0, locks: new LockTable(), cpu: 0, cpus: 2 };
  const spec = { itemBytes: ITEM, align: 1024, pageBytes: 3 * ITEM + 2048, noTouch: true, noAlign: true };
  const geometry = poolGeometry(spec, ABIS.lp64);
  const freed: number[] = [];
  let taken = first - 1;
  const source = {
    allocPage: () => (taken === limit ? NO_ADDRESS : ++taken * 2 ** 20),
    freePage: (base: number) => {
      freed.push(base / 2 ** 20);
    },
  };
  const headers = { out: 0, take: () => ++headers.out > 0, give: () => headers.out-- };
  return { host, pool: new Pool('p', geometry, source, headers, host), freed, headers };
}

/** Page of the address, its colour in kilobytes, and the item. */
function place(address: number): string {
  const offset = address % 2 ** 20;
  return `${Math.floor(address / 2 ** 20)}+${(offset % ITEM) / 1024}:${Math.floor(offset / ITEM)}`;
}

function take(pool: Pool, count: number): number[] {
  return Array.from({ length: count }, () => pool.addressOf(pool.take()));
}

describe('a pool', () => {
  it('takes the lowest item of the page, and shifts the items of each next page by a colour', () => {
    const { pool } = makePool();
    expect(take(pool, 10).map(place)).toEqual([
      '1+0:0',
      '1+0:1',
      '1+0:2',
      '2+1:0',
      '2+1:1',
      '2+1:2',
      '3+2:0',
      '3+2:1',
      '3+2:2',
      '4+0:0',
    ]);
  });

  it('goes on with a page that was full when an item comes back to it', () => {
    const { pool } = makePool();
    const items = take(pool, 7);
    pool.put(items[1]!);
    expect(take(pool, 2).map(place)).toEqual(['1+0:1', '3+2:1']);
  });

  it('prefers partial pages to empty ones', () => {
    const { pool } = makePool();
    const items = take(pool, 7);
    for (const item of items.slice(3, 6)) pool.put(item);
    expect(take(pool, 3).map(place)).toEqual(['3+2:1', '3+2:2', '2+1:0']);
  });

  it('takes the item that came back last where free items are chained, from the highest of a page down', () => {
    const { host } = makePool();
    const geometry = poolGeometry({ itemBytes: 1024, align: 0, pageBytes: 4096 }, ABIS.lp64);
    const source = { allocPage: () => 8192, freePage() {} };
    const pool = new Pool('chained', geometry, source, { take: () => true, give() {} }, host);
    const items = take(pool, 3);
    expect(items).toEqual([8192 + 3072, 8192 + 2048, 8192 + 1024]);
    pool.put(items[2]!);
    pool.put(items[0]!);
    expect(() => pool.put(items[0]!)).toThrow(MisuseError);
    expect(take(pool, 3)).toEqual([items[0], items[2], 8192]);
  });

  it('gives new empty pages back too when its source is starved', () => {
    const { host } = makePool();
    const freed: number[] = [];
    const geometry = poolGeometry({ itemBytes: 128, align: 0, pageBytes: 4096 }, ABIS.lp64);
    const source = {
      isStarved: false,
      allocPage: () => 4096,
      freePage: (base: number) => void freed.push(base),
    };
    const pool = new Pool('short', geometry, source, null, host);
    for (const item of take(pool, 2)) pool.put(item);
    expect([pool.reclaim(), freed]).toEqual([0, []]);
    source.isStarved = true;
    expect([pool.reclaim(), freed]).toEqual([1, [4096]]);
  });

  it('gives empty pages back once they have been idle for 10 seconds, the longest idle first', () => {
    const { pool, host, freed, headers } = makePool();
    for (const item of take(pool, 9)) pool.put(item);
    host.uptime = 9;
    expect([pool.reclaim(), freed]).toEqual([0, []]);
    host.uptime = 10;
    expect([pool.reclaim(), freed, headers.out]).toEqual([3, [1, 2, 3], 0]);
    expect(place(take(pool, 1)[0]!)).toBe('4+0:0');
  });

  it('is exhausted when its source is, and refuses what is not its own', () => {
    const { pool } = makePool(1);
    const [first] = take(pool, 3);
    expect([pool.take(), pool.fails]).toEqual([NO_ITEM, 1]);
    expect(() => pool.put(first! + 1)).toThrow(MisuseError);
    expect(() => pool.put(5)).toThrow(MisuseError);
    pool.put(first!);
    expect(() => pool.put(first!)).toThrow(MisuseError);
  });
});

it('a page at address 0 is taken for a failure and lost, as in the kernel', () => {
  const { pool, freed, headers } = makePool(100, 0);
  expect([pool.take(), pool.fails, pool.pages.count, freed, headers.out]).toEqual([NO_ITEM, 1, 0, [], 0]);
  expect(place(take(pool, 1)[0]!)).toBe('1+0:0');
});

describe('the geometry of pages', () => {
  const small = { align: 0, pageBytes: 4096 };
  it.each([
    ['small items leave room for the header', { itemBytes: 56 }, 72, true],
    ['middling ones do not', { itemBytes: 256 }, 16, false],
    ['those that leave room anyway do', { itemBytes: 2688 }, 1, true],
    ['items that are not touched do not', { itemBytes: 56, noTouch: true }, 73, false],
  ] as const)('%s', (_what, given, itemsPerPage, headerInPage) => {
    expect(poolGeometry({ ...small, ...given }, ABIS.lp64)).toMatchObject({ itemsPerPage, headerInPage });
  });

  it('takes pages of any length', () => {
    const large = poolGeometry({ itemBytes: 8192, align: 0, pageBytes: 65536 }, ABIS.lp64);
    expect(large).toMatchObject({ itemsPerPage: 8, headerInPage: false, maxColour: 0 });
    expect(() => poolGeometry({ itemBytes: 8192, align: 0, pageBytes: 4096 }, ABIS.lp64)).toThrow(
      MisuseError,
    );
  });
});

/** A cache with groups of three, `limit` of them. */
function makeCache(limit = 100) {
  const parts = makePool();
  const groups = { out: 0, take: () => groups.out < limit && ++groups.out > 0, give: () => groups.out-- };
  return { ...parts, groups, cache: new PoolCache(parts.pool, GROUP, groups, parts.host) };
}

describe('a pool cache', () => {
  it('keeps its previous group while full ones pile up in the depot', () => {
    const { cache, groups } = makeCache();
    const objects = Array.from({ length: 10 }, () => cache.get());
    for (const object of objects) cache.put(object);
    expect([groups.out, cache.objectsHeld, cache.puts]).toEqual([4, 10, 10]);
    const back = objects.map(() => objects.indexOf(cache.get()));
    expect([back, cache.gets]).toEqual([[9, 2, 1, 0, 8, 7, 6, 5, 4, 3], 10]);
  });

  it('puts to the pool when there is no group to be had', () => {
    const { cache, pool } = makeCache(0);
    cache.put(cache.get());
    expect([cache.puts, cache.destructions, pool.itemsOut]).toEqual([0, 1, 0]);
  });

  it('keeps the groups of each CPU apart, and flushes all of them', () => {
    const { cache, host, groups, pool } = makeCache();
    const [first, second] = [cache.get(), cache.get()];
    cache.put(first);
    host.cpu = 1;
    cache.put(second);
    expect([cache.objectsHeld, groups.out]).toEqual([2, 2]);
    expect(cache.get()).toBe(second);
    cache.put(second);
    cache.reclaim();
    expect([cache.objectsHeld, groups.out, pool.itemsOut, pool.pages.count]).toEqual([0, 0, 0, 1]);
  });

  it('of 5.2 flushes its depot, but not the groups of the CPUs', () => {
    const { cache, groups, pool } = makeCache();
    const objects = Array.from({ length: 10 }, () => cache.get());
    for (const object of objects) cache.put(object);
    cache.reclaimDepot();
    expect([groups.out, cache.objectsHeld, pool.itemsOut]).toEqual([2, 4, 4]);
  });

  it('gives a flushed page back at the second reclaim only', () => {
    const { cache, host, freed } = makeCache();
    cache.put(cache.get());
    host.uptime = 100;
    expect([cache.reclaim(), freed]).toEqual([0, []]);
    host.uptime = 110;
    expect([cache.reclaim(), freed]).toEqual([1, [1]]);
  });

  it('shows what it does', () => {
    const { cache } = makeCache();
    cache.put(cache.get());
    cache.get();
    const { buffers, buffersInUse, buffersInMagazines, allocs, magazineHits, frees } = new PoolCacheView(
      cache,
      'quantum',
      'a',
    );
    expect({ buffers, buffersInUse, buffersInMagazines, allocs, magazineHits, frees }).toEqual({
      buffers: 3,
      buffersInUse: 1,
      buffersInMagazines: 0,
      allocs: 2,
      magazineHits: 1,
      frees: 1,
    });
  });
});

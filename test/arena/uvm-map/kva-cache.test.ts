import { describe, expect, it, vi } from 'vitest';
import { CHUNK_BYTES, CHUNK_PAGES, KvaCache } from '../../../src/arena/uvm-map/kva-cache.js';
import { NO_ADDRESS } from '../../../src/core/address.js';
import { MisuseError } from '../../../src/core/errors.js';
import { drawMap, kernelMapOf, MapPicture } from '../../support/uvm-picture.js';

const PAGE = 4096;

/** A KVA cache on an empty map of so many chunks, the first of which holds the page of entries. */
function cacheOn(chunks: number, hasHeaders = true) {
  const map = kernelMapOf(chunks * CHUNK_PAGES);
  const clock = { uptime: 0 };
  const cache = new KvaCache(map, { take: () => hasHeaders, give() {} }, clock);
  map.kvaCache = cache;
  const page = (address: number) => (address - map.base) / PAGE;
  return {
    map,
    cache,
    clock,
    page,
    take: () => page(cache.alloc()),
    put: (at: number) => cache.free(map.base + at * PAGE),
  };
}

describe('the KVA cache', () => {
  it('takes the pages of an aligned chunk from the lowest on', () => {
    const { take, put, cache, map } = cacheOn(3);
    expect([take(), take(), take()]).toEqual([32, 33, 34]);
    put(33);
    expect([take(), take()]).toEqual([33, 35]);
    expect([cache.slabs, cache.buffersInUse, cache.buffers]).toEqual([1, 4, 32]);
    expect(drawMap(map)).toBe(`[K${'.'.repeat(31)}${'a'.repeat(32)}${'.'.repeat(32)}]`);
    map.check();
  });

  it('goes on in a full chunk of which a page came back', () => {
    const { take, put } = cacheOn(4);
    for (let taken = 0; taken <= CHUNK_PAGES; taken++) take();
    put(40);
    expect([take(), take()]).toEqual([40, 65]);
  });

  it('gives an empty chunk back after ten seconds', () => {
    const { take, put, cache, clock } = cacheOn(32);
    put(take());
    clock.uptime = 9;
    cache.reclaim();
    expect(cache.slabs).toBe(1);
    clock.uptime = 10;
    cache.reclaim();
    expect(cache.slabs).toBe(0);
  });

  it('gives the chunk that was emptied first back first', () => {
    const { map, take, put, cache, clock } = cacheOn(5);
    for (let taken = 0; taken < 3 * CHUNK_PAGES; taken++) take();
    for (const chunk of [2, 1, 3]) {
      for (let page = 0; page < CHUNK_PAGES; page++) put(chunk * CHUNK_PAGES + page);
    }
    clock.uptime = 10;
    const unmap = vi.spyOn(map, 'unmap');
    cache.reclaim();
    expect(unmap.mock.calls.map(([start]) => (start - map.base) / CHUNK_BYTES)).toEqual([2, 1, 3]);
  });

  it('gives an empty chunk back at once when the map has no room', () => {
    const { map, take, put } = cacheOn(3);
    put(take());
    expect(map.map(48 * PAGE, 0, 0, 0, 7)).toBe(map.base + PAGE);
    expect([map.figures.drains, map.kvaCache?.slabs, map.wantsSpace]).toEqual([1, 0, false]);
  });

  it('or when it is nearly full', () => {
    const { map, take, put, cache } = cacheOn(2);
    put(take());
    expect(map.isStarved).toBe(false);
    map.map(29 * PAGE, 0, 0, 0, 7);
    expect(map.isStarved).toBe(true);
    cache.reclaim();
    expect(cache.slabs).toBe(0);
  });

  it('has nothing when there is no room for a chunk, or no header for it', () => {
    const { cache, map } = cacheOn(1);
    expect([cache.alloc(), cache.fails, map.figures.drains]).toEqual([NO_ADDRESS, 1, 1]);
    const headless = cacheOn(2, false);
    expect(headless.cache.alloc()).toBe(NO_ADDRESS);
    expect(headless.map.figures.inUseBytes).toBe(PAGE);
  });

  it('refuses pages that it has not handed out', () => {
    const { take, put, cache, map } = cacheOn(3);
    put(take());
    expect(() => put(32)).toThrow(MisuseError);
    expect(() => put(0)).toThrow('not handed out [cache=map_vacache address=');
    expect(() => put(1e6)).toThrow(MisuseError);
    expect(() => cache.free(map.base - PAGE)).toThrow(MisuseError);
    take();
    expect(() => cache.free(map.base + 32 * PAGE + 1)).toThrow(MisuseError);
  });
});

describe('caller mistakes', () => {
  const picture = () => new MapPicture(12).enter(3, 1, { words: 'q' }).enter(2, 6, { hint: 6 });

  it('a size or alignment that is not of pages', () => {
    const { map } = picture();
    expect(() => map.map(100, 0, 0, 0, 7)).toThrow(
      'bad size or alignment of a mapping [map=map size=100 align=0]',
    );
    expect(() => map.map(0, 0, 0, 0, 7)).toThrow(MisuseError);
    expect(() => map.map(PAGE, 3 * PAGE, 0, 0, 7)).toThrow(MisuseError);
    expect(() => map.map(PAGE, 512, 0, 0, 7)).toThrow(MisuseError);
  });
  it('an unmap outside the map', () => {
    expect(() => picture().unmap(11, 2)).toThrow('outside the map');
    expect(() => picture().unmap(0.5, 1)).toThrow('outside the map');
  });
  it('an unmap of a quantum range that is not mapped', () => {
    expect(() => picture().unmap(3, 2, 'q')).toThrow('quantum range that is not mapped');
    expect(() => picture().unmap(9, 1, 'q')).toThrow('quantum range that is not mapped');
  });
  it('a split of a quantum entry when none is kept', () => {
    expect(() => picture().unmap(2, 1, 'q')).toThrow('none is kept');
  });
});

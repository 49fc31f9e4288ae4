import { describe, expect, it } from 'vitest';
import { netbsd2011 } from '../../src/backend/netbsd-2011.js';
import { Client, type Live } from '../../src/conformance/client.js';
import { InputError } from '../../src/core/errors.js';
import { RandomStream } from '../../src/core/random.js';
import { RequestClass } from '../../src/core/request.js';
import { KIB, MIB, SECOND } from '../../src/core/units.js';

const PAGE = 4 * KIB;

function figuresOf(client: Client) {
  const [kernelMap, kmemMap, kmem] = client.backend.arenas;
  return { kernelMap: kernelMap!, kmemMap: kmemMap!, kmem: kmem! };
}

/** Fills and empties at random, so that what is left lies scattered; every `keep`th object stays. */
function fragment(client: Client, cls: number, count: number): Live[] {
  const stream = new RandomStream(7, 'fragment');
  const all = Array.from({ length: count }, () => client.alloc(cls, (1 + stream.below(6)) * PAGE)!);
  const kept: Live[] = [];
  for (const live of all) {
    if (stream.below(3) === 0) kept.push(live);
    else client.free(live);
  }
  return kept;
}

describe('netbsd-2011', () => {
  it('takes each class from the layer that the kernel takes it from', () => {
    const client = new Client(netbsd2011);
    const { kernelMap, kmemMap, kmem } = figuresOf(client);
    const looks = () => [
      kernelMap.figures.allocs,
      kmemMap.figures.allocs,
      kmem.figures.allocs,
      kernelMap.caches.find(({ name }) => name === 'kernel_map_vacache')!.allocs,
      kmemMap.caches.find(({ name }) => name === 'kmem_map_vacache')!.allocs,
    ];
    const change = (cls: number, size: number) => {
      const before = looks();
      client.alloc(cls, size);
      return looks().map((value, index) => value - before[index]!);
    };
    // The first allocation of kmem brings a page of tags in a chunk of kmem_map, and pages for a group and its header.
    expect(change(RequestClass.kmem, 300)).toEqual([1, 3, 1, 0, 1]);
    expect(change(RequestClass.kmem, 3000)).toEqual([0, 0, 1, 0, 0]);
    expect(change(RequestClass.malloc, 300)).toEqual([0, 1, 0, 0, 0]);
    expect(change(RequestClass.malloc, 300)).toEqual([0, 0, 0, 0, 0]);
    expect(change(RequestClass.malloc, 9000)).toEqual([0, 1, 0, 0, 0]);
    expect(change(RequestClass.poolPage, PAGE)).toEqual([0, 0, 0, 1, 0]);
    expect(change(RequestClass.poolPage, 2 * PAGE)).toEqual([1, 0, 0, 0, 0]);
    expect(change(RequestClass.interrupt, 100)).toEqual([0, 0, 0, 0, 1]);
    expect(change(RequestClass.interrupt, 2 * PAGE)).toEqual([0, 1, 0, 0, 0]);
    for (const cls of [RequestClass.va, RequestClass.kstack, RequestClass.pageable]) {
      expect(change(cls, 3 * PAGE)).toEqual([1, 0, 0, 0, 0]);
    }
  });

  it('keeps an entry for each range, though merging unlinks it: linked and kept ones are as many as ranges', () => {
    const client = new Client(netbsd2011);
    const { mapEntries } = figuresOf(client).kernelMap;
    const before = mapEntries!.linkedEntries + mapEntries!.keptEntries;
    for (let count = 0; count < 100; count++) client.alloc(RequestClass.va, PAGE);
    const entries = mapEntries!.linkedEntries + mapEntries!.keptEntries;
    // Three pages of entries came, of which each describes itself.
    expect([entries - before, mapEntries!.keptEntries]).toEqual([103, 97]);
  });

  it('needs entries to free with merging, and none without', () => {
    const needed = [true, false].map((merge) => {
      const client = new Client(netbsd2011, { merge });
      fragment(client, RequestClass.va, 3000);
      client.check();
      return figuresOf(client).kernelMap.mapEntries!.entriesForSplits;
    });
    expect(needed[0]).toBeGreaterThan(500);
    expect(needed[1]).toBe(0);
  });

  it('would hang now and then where frees allocate the entries that they need', () => {
    const client = new Client(netbsd2011, { pageable_quantum: false });
    const kept = fragment(client, RequestClass.pageable, 3000);
    const { mapEntries } = figuresOf(client).kernelMap;
    expect(mapEntries!.hangs).toBeGreaterThan(0);
    expect(mapEntries!.hangs).toBeLessThan(mapEntries!.entriesForSplits);
    expect(mapEntries!.entriesReserved).toBeGreaterThanOrEqual(2 * (3000 - kept.length));
  });

  it('never hangs where the entry of each range is kept', () => {
    const client = new Client(netbsd2011);
    fragment(client, RequestClass.pageable, 3000);
    expect(figuresOf(client).kernelMap.mapEntries).toMatchObject({ hangs: 0, entriesReserved: 2 });
  });

  it('gives back under pressure all but pages of entries and structures', () => {
    const client = new Client(netbsd2011);
    const { kernelMap, kmem } = figuresOf(client);
    const before = kernelMap.figures.inUseBytes;
    for (const cls of client.backend.serves) fragment(client, cls, 300);
    client.freeAll();
    client.simulation.advance(20 * SECOND);
    client.backend.reap();
    expect(kmem.figures.totalBytes).toBe(0);
    // Chunks go back; of pages of entries one stays.
    expect(kernelMap.figures.inUseBytes - before).toBeLessThanOrEqual(PAGE);
    client.check();
  });

  it.each([
    ['arena_size', MIB, 'do not hold the image and kmem_map'],
    ['arena_size', 100, '100 bytes are no whole pages'],
    ['kmem_map_size', 0, '0 bytes are no whole pages'],
    ['image_size', 5000, '5000 bytes are no whole pages'],
    ['arena_base', '0xffff800000000001', 'not aligned'],
  ])('refuses %s=%s', (field, value, message) => {
    const make = () => new Client(netbsd2011, { [field]: value });
    expect(make).toThrow(InputError);
    expect(make).toThrow(message);
  });
});

import { describe, expect, it } from 'vitest';
import { UVM_ABIS } from '../../../src/arena/uvm-map/abi.js';
import { UvmSystem, type UvmSystemOptions } from '../../../src/arena/uvm-map/uvm-system.js';
import { NO_ADDRESS } from '../../../src/core/address.js';
import { InvariantError, MisuseError } from '../../../src/core/errors.js';
import { MIB } from '../../../src/core/units.js';

const PAGE = 4096;

function boot(changes: Partial<UvmSystemOptions> = {}): UvmSystem {
  return new UvmSystem({
    base: 2 ** 44,
    limit: 2 ** 44 + 256 * MIB,
    imageBytes: 16 * MIB,
    kmemMapPages: 4096,
    submaps: [
      { name: 'phys_map', size: MIB, isInterruptSafe: false, hasKvaCache: false },
      { name: 'mb_map', size: MIB, isInterruptSafe: true, hasKvaCache: false },
    ],
    ...changes,
  });
}

describe('the maps after boot', () => {
  it('are the image, a page of entries, the record of kmem_map, and submaps', () => {
    const { maps, kernelMap } = boot();
    expect(maps.map(({ name }) => name)).toEqual(['kernel_map', 'kmem_map', 'phys_map', 'mb_map']);
    for (const map of maps) map.check();
    expect([kernelMap.figures.allocTags, kernelMap.figures.freeEntries]).toEqual([6, 24]);
    expect(kernelMap.figures.entriesReserved).toBe(6);
    expect(kernelMap.metadataBytes()).toBe(288 + 6 * 136);
  });

  it('interrupt-safe ones have room for their entries: a page for each 28', () => {
    const [, kmem, phys, mb] = boot().maps;
    expect([kmem, phys, mb].map((map) => map!.figures.totalBytes / PAGE)).toEqual([
      4096 + 147,
      256,
      256 + 10,
    ]);
  });

  it('have other pages of entries on 32-bit kernels', () => {
    const { kernelMap, kmemMap } = boot({ abi: UVM_ABIS.ilp32 });
    expect(kernelMap.figures.freeEntries).toBe(48 - 5);
    expect(kmemMap.figures.totalBytes / PAGE).toBe(4096 + Math.ceil(4096 / 47));
    expect(kernelMap.metadataBytes()).toBe(160 + 6 * 84);
  });

  it('do not fit into any range', () => {
    expect(() => boot({ limit: 2 ** 44 + 24 * MIB })).toThrow('no room for a submap [name=kmem_map');
    expect(() => boot({ limit: 2 ** 44 + 100 })).toThrow(MisuseError);
  });
});

describe('a plain submap', () => {
  it('takes its entries from a pool in the KVA cache of kernel_map, with groups and headers in kmem_map', () => {
    const system = boot();
    const plain = system.maps[2]!;
    const first = system.allocate(plain, PAGE, 0);
    expect(first).toBe(plain.base);
    expect([system.kernelMap.kvaCache!.buffersInUse, system.kmemMap.figures.inUseBytes / PAGE]).toEqual([
      1, 2,
    ]);
    system.free(plain, first, PAGE);
    // A cache group and the header of its page come now; the first page is one of entries.
    expect([plain.figures.freeEntries, system.kmemMap.figures.inUseBytes / PAGE]).toEqual([1, 4]);
    for (const map of system.maps) map.check();
  });

  it('needs no entry beforehand, and reserves none', () => {
    const system = boot();
    const plain = system.maps[2]!;
    const address = plain.map(3 * PAGE, 0, 0, 0, 7);
    plain.unmap(address + PAGE, PAGE, false);
    expect([plain.figures.allocTags, plain.figures.entriesReserved, plain.figures.entriesForSplits]).toEqual([
      2, 0, 2,
    ]);
    expect(plain.figures.hangs).toBe(0);
  });

  it('refuses requests when kernel_map has no room for its entries', () => {
    const system = boot();
    while (system.allocate(system.kernelMap, 64 * PAGE, 0) !== NO_ADDRESS);
    while (system.allocate(system.kernelMap, PAGE, 0) !== NO_ADDRESS);
    const plain = system.maps[2]!;
    expect([plain.map(PAGE, 0, 0, 0, 7), system.allocate(plain, PAGE, 0)]).toEqual([NO_ADDRESS, NO_ADDRESS]);
    expect([plain.figures.fails, plain.figures.inUseBytes, plain.figures.splits]).toEqual([2, 0, 0]);
  });
});

describe('time', () => {
  it('makes chunks idle', () => {
    const system = boot();
    const cache = system.kernelMap.kvaCache!;
    cache.free(cache.alloc());
    system.reclaim(system.kernelMap, 9);
    expect(cache.slabs).toBe(1);
    system.reclaim(system.kernelMap, 1);
    expect(cache.slabs).toBe(0);
  });
});

describe('what probes see', () => {
  it('is one span with entries and holes', () => {
    const { kernelMap } = boot();
    const sums = [0, 0, 0];
    kernelMap.walk((type, _start, size) => {
      sums[type]! += size;
    });
    expect(sums).toEqual([256 * MIB, kernelMap.freeBytes(), kernelMap.figures.inUseBytes]);
    expect(kernelMap.largestFree()).toBe(kernelMap.freeBytes());
    expect(kernelMap.caches.map(({ name, kind }) => [name, kind])).toEqual([
      ['kernel_map_vacache', 'quantum'],
    ]);
    expect(kernelMap.mapEntries).toMatchObject({
      linkedEntries: 6,
      keptEntries: 0,
      freeEntries: 24,
      entriesReserved: 6,
    });
    expect(kernelMap.figures.reachBytes).toBeGreaterThan(16 * MIB);
  });

  it.each([
    [
      'bytes',
      ({ kernelMap }: UvmSystem) => {
        kernelMap.figures.inUseBytes += PAGE;
      },
      'in use',
    ],
    ['entries', (system: UvmSystem) => void system.kernelMap.supply.take(), 'entries on pages'],
    ['a kept entry', (system: UvmSystem) => system.kernelMap.kept.push(57), 'not quantum'],
    ['an entry twice', (system: UvmSystem) => system.kernelMap.kept.push(30), 'in two places'],
    [
      'first_free',
      ({ kernelMap }: UvmSystem) => {
        kernelMap.map(PAGE, 0, kernelMap.limit - PAGE, 0, 7);
        kernelMap.firstFree = kernelMap.tree.next[kernelMap.hint]!;
      },
      'first_free lies behind a hole',
    ],
  ])('and check finds a contradiction in %s', (_what, spoil, message) => {
    const system = boot();
    spoil(system);
    expect(() => system.kernelMap.check()).toThrow(InvariantError);
    expect(() => system.kernelMap.check()).toThrow(message);
  });
});

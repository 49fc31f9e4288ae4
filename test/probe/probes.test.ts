import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ArenaView, CacheFigures } from '../../src/arena/view.js';
import type { Backend } from '../../src/backend/contract.js';
import { Simulation } from '../../src/core/simulation.js';
import { extentOf, externalFragmentation } from '../../src/probe/arenas.js';
import { PROBE_COLUMNS, PROBES, sampleProbes } from '../../src/probe/registry.js';
import { RequestFigures } from '../../src/probe/request-figures.js';
import { pictured } from '../support/pictured-arena.js';
import { ToyBackend } from '../support/toy.js';

function rowOf(arenas: ArenaView[], figures: Partial<RequestFigures> = {}): Record<string, number> {
  const backend: Backend = Object.assign(new ToyBackend(), { arenas });
  const requests = Object.assign(new RequestFigures(), figures);
  const simulation = new Simulation(1);
  simulation.locks.create('a').acquire();
  const row = sampleProbes({ simulation, backend, requests });
  return Object.fromEntries(PROBE_COLUMNS.map(({ name }, index) => [name, row[index]!]));
}

describe('extentOf', () => {
  it.each([
    ['[....]', 0, 0],
    ['[####]', 64, 64],
    ['[.##.]', 32, 32],
    ['[#..#]', 64, 32],
    ['[.#.][..#]', 32, 32],
    ['[#.#][#.#]', 96, 64],
  ])('%s spans %d bytes, %d of them allocated', (text, bytes, allocatedBytes) => {
    expect(extentOf([pictured(text)])).toMatchObject({ bytes, allocatedBytes });
  });
});

describe('externalFragmentation', () => {
  it.each([
    ['[####]', Number.NaN],
    ['[#...]', 0],
    ['[.#.#]', 0.5],
    ['[.#..]', 1 / 3],
  ])('of %s is %d', (text, expected) => {
    expect(externalFragmentation([pictured(text)])).toBe(expected);
  });

  it('of several arenas is their mean, weighted by free bytes', () => {
    const arenas = [pictured('[.#.#.#.#]'), pictured('[............]')];
    expect(externalFragmentation(arenas)).toBe((16 - 13) / 16);
  });

  it('is at least 0 and below 1', () => {
    const arena = fc.stringMatching(/^[#.]{1,40}$/).map((text) => pictured(`[${text}]`));
    fc.assert(
      fc.property(fc.array(arena, { minLength: 1, maxLength: 4 }), (arenas) => {
        const value = externalFragmentation(arenas);
        return Number.isNaN(value) || (value >= 0 && value < 1);
      }),
    );
  });
});

describe('probes', () => {
  const cache: CacheFigures = {
    name: 'kmem_va_4096',
    kind: 'quantum',
    arena: 'importing',
    bufferBytes: 4096,
    slabBytes: 32_768,
    slabs: 2,
    buffers: 16,
    buffersInUse: 10,
    buffersInMagazines: 4,
    magazines: 3,
    allocs: 40,
    magazineHits: 30,
    frees: 20,
  };
  const importing = pictured('[.#..]', { name: 'importing', source: 'pictured', caches: [cache] });
  Object.assign(importing.figures, { importBytes: 64, imports: 3, releases: 2, lookups: 5, waits: 1 });

  it('have distinct column names, each explained', () => {
    const names = PROBE_COLUMNS.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    for (const column of PROBE_COLUMNS) {
      expect(column.name).toMatch(/^[a-z][a-z0-9_]*$/);
      expect(column.description).toMatch(/\.$/);
    }
  });

  it('fill each of their columns and no other', () => {
    for (const probe of PROBES) {
      const row = new Float64Array(probe.columns.length + 2).fill(-7);
      const run = {
        simulation: new Simulation(1),
        backend: new ToyBackend(),
        requests: new RequestFigures(),
      };
      probe.sample(run, row, 1);
      expect(row[0]).toBe(-7);
      expect(row.at(-1)).toBe(-7);
      expect(row.slice(1, -1)).not.toContain(-7);
    }
  });

  it('tell what is held from what is asked for', () => {
    const row = rowOf([pictured('[.##.#]'), importing], {
      liveBytes: 30,
      peakLiveBytes: 60,
      footprintBytes: 40,
      peakFootprintBytes: 64,
    });
    expect(row).toMatchObject({
      live_bytes: 30,
      peak_live_bytes: 60,
      footprint_bytes: 40,
      peak_footprint_bytes: 64,
      held_bytes: 48,
      va_total_bytes: 80,
      va_in_use_bytes: 48,
      imported_bytes: 64,
      metadata_bytes: 200,
      internal_fragmentation: 0.25,
      external_fragmentation: 0.5,
      import_fragmentation: 16 / 48,
      largest_free_bytes: 16,
      va_extent_bytes: 64,
      hole_ratio: 0.25,
    });
  });

  it('tell map entries from boundary tags, with what is kept, cached and in reserve', () => {
    const mapEntries = {
      linkedEntries: 7,
      keptEntries: 3,
      freeEntries: 5,
      entriesForSplits: 11,
      entriesReserved: 13,
      mergedMappings: 17,
      hangs: 1,
    };
    const map = pictured('[#.#]', { name: 'map', mapEntries });
    const other = pictured('[#]', { name: 'other', mapEntries: { ...mapEntries, keptEntries: 0 } });
    const deep = pictured('[.]', {
      name: 'deep',
      spareTags: { spareTags: 4, tagsTaken: 9, deepestRefill: 3 },
    });
    const flat = pictured('[#]', {
      name: 'flat',
      spareTags: { spareTags: 60, tagsTaken: 9, deepestRefill: 1 },
    });
    expect(rowOf([map, other, deep, flat])).toMatchObject({
      map_entries: 14,
      kept_entries: 3,
      cached_entries: 10,
      allocated_entries: 17,
      reserved_entries: 26,
      merged_mappings: 34,
      free_allocates: 22,
      hangs: 2,
      allocated_tags: 2 + 2 + 64,
      refill_depth: 3,
    });
    expect(rowOf([pictured('[.#]')])).toMatchObject({ map_entries: 0, allocated_tags: 3, refill_depth: 0 });
  });

  it('leave caches of metadata out of the sums', () => {
    const metadata = { ...cache, kind: 'metadata' } as const;
    const arena = pictured('[.#..]', { name: 'importing', caches: [cache, metadata] });
    expect(rowOf([arena])).toMatchObject({ slabs: 2, cache_buffers: 16, magazines: 3 });
  });

  it('sum tags, caches and work over the arenas', () => {
    expect(rowOf([pictured('[.##.#]'), importing])).toMatchObject({
      span_tags: 2,
      free_tags: 4,
      alloc_tags: 3,
      tags: 9,
      slabs: 2,
      cache_buffers: 16,
      cache_buffers_in_use: 10,
      magazine_buffers: 4,
      magazines: 3,
      cache_allocs: 40,
      magazine_hits: 30,
      magazine_hit_rate: 0.75,
      imports: 3,
      releases: 2,
      lookups: 5,
      arena_waits: 1,
      lock_acquisitions: 1,
    });
  });

  it('leave ratios without denominator empty', () => {
    const row = rowOf([pictured('[####]')]);
    expect(row.external_fragmentation).toBeNaN();
    expect(row.import_fragmentation).toBeNaN();
    expect(row.internal_fragmentation).toBeNaN();
    expect(row.magazine_hit_rate).toBeNaN();
  });
});

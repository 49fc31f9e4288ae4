import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type ArenaView, type CacheFigures, TagType, type TagVisitor } from '../../src/arena/view.js';
import type { Backend } from '../../src/backend/contract.js';
import { Simulation } from '../../src/core/simulation.js';
import { extentOf, externalFragmentation } from '../../src/probe/arenas.js';
import { PROBE_COLUMNS, PROBES, sampleProbes } from '../../src/probe/registry.js';
import { RequestFigures } from '../../src/probe/request-figures.js';
import { ToyArena, ToyBackend } from '../support/toy.js';

/** `[##..]`: a span of segments in quanta of 16 bytes, `#` allocated, `.` free; several spans lie 1 MiB apart. */
function picture(text: string, changes: Partial<ArenaView> = {}): ArenaView {
  const spans = [...text.matchAll(/\[([#.]+)\]/g)].map((match) => match[1]!);
  const tags = spans.flatMap((span, index) => spanTags(span, index * 2 ** 20));
  const bytes = (type: TagType): number[] => tags.filter((tag) => tag[0] === type).map((tag) => tag[2]);
  const sum = (values: number[]): number => values.reduce((total, value) => total + value, 0);
  return {
    name: 'pictured',
    source: null,
    quantum: 16,
    caches: [],
    figures: {
      ...new ToyArena(16, 16).figures,
      totalBytes: sum(bytes(TagType.span)),
      inUseBytes: sum(bytes(TagType.alloc)),
      spanTags: spans.length,
      freeTags: bytes(TagType.free).length,
      allocTags: bytes(TagType.alloc).length,
    },
    largestFree: () => Math.max(0, ...bytes(TagType.free)),
    freeBytes: () => sum(bytes(TagType.free)),
    metadataBytes: () => 100,
    walk: (visit: TagVisitor) => {
      for (const [type, start, size] of tags) visit(type, start, size);
    },
    check: () => {},
    ...changes,
  };
}

function spanTags(span: string, base: number): [TagType, number, number][] {
  const segments = [...span.matchAll(/#+|\.+/g)].map((match): [TagType, number, number] => [
    match[0].startsWith('#') ? TagType.alloc : TagType.free,
    base + match.index * 16,
    match[0].length * 16,
  ]);
  return [[TagType.span, base, span.length * 16], ...segments];
}

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
    expect(extentOf([picture(text)])).toMatchObject({ bytes, allocatedBytes });
  });
});

describe('externalFragmentation', () => {
  it.each([
    ['[####]', Number.NaN],
    ['[#...]', 0],
    ['[.#.#]', 0.5],
    ['[.#..]', 1 / 3],
  ])('of %s is %d', (text, expected) => {
    expect(externalFragmentation([picture(text)])).toBe(expected);
  });

  it('of several arenas is their mean, weighted by free bytes', () => {
    const arenas = [picture('[.#.#.#.#]'), picture('[............]')];
    expect(externalFragmentation(arenas)).toBe((16 - 13) / 16);
  });

  it('is at least 0 and below 1', () => {
    const arena = fc.stringMatching(/^[#.]{1,40}$/).map((text) => picture(`[${text}]`));
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
  const importing = picture('[.#..]', { name: 'importing', source: 'pictured', caches: [cache] });
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
    const row = rowOf([picture('[.##.#]'), importing], {
      liveBytes: 30,
      peakLiveBytes: 60,
      footprintBytes: 40,
    });
    expect(row).toMatchObject({
      live_bytes: 30,
      peak_live_bytes: 60,
      footprint_bytes: 40,
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

  it('sum tags, caches and work over the arenas', () => {
    expect(rowOf([picture('[.##.#]'), importing])).toMatchObject({
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
    const row = rowOf([picture('[####]')]);
    expect(row.external_fragmentation).toBeNaN();
    expect(row.import_fragmentation).toBeNaN();
    expect(row.internal_fragmentation).toBeNaN();
    expect(row.magazine_hit_rate).toBeNaN();
  });
});

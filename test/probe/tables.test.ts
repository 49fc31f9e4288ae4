import { Value } from '@sinclair/typebox/value';
import { describe, expect, it } from 'vitest';
import { type ArenaView, TagType } from '../../src/arena/view.js';
import type { Backend, Parameters } from '../../src/backend/contract.js';
import { firstFitMap } from '../../src/backend/first-fit-map.js';
import { BACKENDS } from '../../src/backend/registry.js';
import { NO_ADDRESS } from '../../src/core/address.js';
import { type Constraint, constraintTable, RequestClass, UNCONSTRAINED } from '../../src/core/request.js';
import { Simulation } from '../../src/core/simulation.js';
import { CheckedPort } from '../../src/harness/request-port.js';
import { rootArenas, rootsOf, walkFree } from '../../src/probe/arenas.js';
import type { Field, RunView, TableProbe } from '../../src/probe/contract.js';
import { failuresTable } from '../../src/probe/failures.js';
import { latencyTable } from '../../src/probe/latency.js';
import { locksTable } from '../../src/probe/locks.js';
import { TABLE_PROBES } from '../../src/probe/registry.js';
import { RequestFigures } from '../../src/probe/request-figures.js';
import { sumOfWork } from '../../src/probe/request-work.js';
import { spectrumTable } from '../../src/probe/spectrum.js';
import { unusableTable } from '../../src/probe/unusable.js';
import { lifetimesTable, sizesTable } from '../../src/probe/workload-tables.js';
import { pictured } from '../support/pictured-arena.js';
import { ToyBackend } from '../support/toy.js';

const { kmem, kstack, va } = RequestClass;
const PAGE = 4096;

function viewOf(arenas: ArenaView[], requests = new RequestFigures()): RunView {
  return { simulation: new Simulation(1), backend: Object.assign(new ToyBackend(), { arenas }), requests };
}

/** Rows with their columns' names. */
function named(probe: TableProbe, run: RunView): Record<string, Field>[] {
  const names = probe.columns.map(({ name }) => name);
  return probe.rows(run).map((row) => Object.fromEntries(row.map((field, index) => [names[index]!, field])));
}

/** first-fit-map of a few pages, and the port to it. */
function smallMap(pages: number, constraints: Constraint[] = [], changes: Parameters = {}) {
  const simulation = new Simulation(1);
  const given = { arena_base: '0x100000', arena_size: pages * PAGE, kmem_size: 16 * PAGE, ...changes };
  const parameters = Value.Default(firstFitMap.parameters, given) as Parameters;
  const table = constraintTable(constraints);
  const backend = firstFitMap.create(parameters, { simulation, constraints: table });
  const port = new CheckedPort(backend, {
    objectLimit: 64,
    cpus: 1,
    constraints: table.length,
    recording: true,
  });
  return { port, run: { simulation, backend, requests: port.figures } satisfies RunView };
}

function freeSizes(walk: (visit: (size: number) => void) => void): number[] {
  const sizes: number[] = [];
  walk((size) => sizes.push(size));
  return sizes.sort((a, b) => a - b);
}

describe('table probes', () => {
  it('have distinct names and columns, and their keys are columns', () => {
    expect(new Set(TABLE_PROBES.map(({ name }) => name)).size).toBe(TABLE_PROBES.length);
    for (const { columns, key } of TABLE_PROBES) {
      const names = columns.map(({ name }) => name);
      expect(new Set(names).size).toBe(names.length);
      for (const { name, description } of columns) {
        expect(name).toMatch(/^[a-z][a-z0-9_]*$/);
        expect(description).toMatch(/\.$/);
      }
      for (const column of key) expect(names).toContain(column);
    }
  });
});

describe('spectrum', () => {
  it('counts free segments by the power of two below their size, arena by arena', () => {
    const arenas = [pictured('[#.#..#...#....#]'), pictured('[####]', { name: 'full' })];
    expect(spectrumTable.rows(viewOf(arenas))).toEqual([
      ['pictured', 16, 1, 16],
      ['pictured', 32, 2, 80],
      ['pictured', 64, 1, 64],
    ]);
  });

  it('reaches to 2^53', () => {
    const arena = pictured('[#]', { walkFree: (visit) => visit(2 ** 53) });
    expect(spectrumTable.rows(viewOf([arena]))).toEqual([['pictured', 2 ** 53, 1, 2 ** 53]]);
  });
});

describe('unusable', () => {
  it('is the share of free bytes in segments smaller than the sizes asked for', () => {
    const requests = new RequestFigures();
    for (const size of [16, 16, 16, 32, 64, 64, 64, 64, 64, 128]) requests.sizes.record(va, size);
    // Free segments of 16, 32 and 64 bytes.
    const run = viewOf([pictured('[#.#..#....#]')], requests);
    expect(named(unusableTable, run)).toEqual([
      {
        class: 'va',
        requests: 10,
        p50_bytes: 64,
        p90_bytes: 64,
        max_bytes: 128,
        free_bytes: 112,
        unusable_p50_bytes: 48,
        unusable_p90_bytes: 48,
        unusable_max_bytes: 112,
        unusable_p50: 48 / 112,
        unusable_p90: 48 / 112,
        unusable_max: 1,
      },
    ]);
  });

  it('has no value where nothing is free', () => {
    const requests = new RequestFigures();
    requests.sizes.record(kmem, 16);
    const [row] = named(unusableTable, viewOf([pictured('[##]')], requests));
    expect(row).toMatchObject({ free_bytes: 0, unusable_p50: Number.NaN, unusable_max: Number.NaN });
  });

  it('looks at the roots of the class alone', () => {
    const { port, run } = smallMap(8);
    port.alloc(0, va, PAGE, UNCONSTRAINED, 0);
    port.alloc(1, kmem, 40, UNCONSTRAINED, 0);
    expect(named(unusableTable, run)).toMatchObject([
      { class: 'kmem', free_bytes: 16 * PAGE - 40 },
      { class: 'va', free_bytes: 7 * PAGE },
    ]);
  });
});

describe('failures', () => {
  it('tells exhausted, fragmented and constrained apart, class by class', () => {
    const { port, run } = smallMap(8, [{ maxAddress: 0x100000 + PAGE }]);
    for (let object = 0; object < 8; object++) port.alloc(object, va, PAGE, UNCONSTRAINED, 0);
    port.alloc(10, va, PAGE, UNCONSTRAINED, 0);
    port.free(2, 0);
    port.free(4, 0);
    port.alloc(11, va, 2 * PAGE, UNCONSTRAINED, 0);
    port.alloc(12, va, 3 * PAGE, UNCONSTRAINED, 0);
    port.alloc(13, va, PAGE, 0, 0);
    // A stack needs its guard page too.
    port.alloc(14, kstack, PAGE, UNCONSTRAINED, 0);
    expect(named(failuresTable, run)).toEqual([
      { class: 'kstack', requests: 1, failures: 1, exhausted: 0, fragmented: 1, constraint: 0, policy: 0 },
      { class: 'va', requests: 12, failures: 4, exhausted: 2, fragmented: 1, constraint: 1, policy: 0 },
    ]);
    expect(run.requests.failures).toBe(5);
  });

  it('gives the way of the backend as reason where the roots had room', () => {
    const backend = Object.assign(new ToyBackend(64), { alloc: () => NO_ADDRESS });
    const port = new CheckedPort(backend, { objectLimit: 2, cpus: 1, constraints: 0, recording: true });
    port.alloc(0, kmem, 64, UNCONSTRAINED, 0);
    const run: RunView = { simulation: new Simulation(1), backend, requests: port.figures };
    expect(named(failuresTable, run)).toMatchObject([{ class: 'kmem', failures: 1, policy: 1 }]);
  });
});

describe('locks', () => {
  it('have a row per name that adds up to the total', () => {
    const { port, run } = smallMap(8);
    port.alloc(0, va, PAGE, UNCONSTRAINED, 0);
    port.free(0, 0);
    port.alloc(1, kmem, 40, UNCONSTRAINED, 0);
    expect(locksTable.rows(run)).toEqual([
      ['kernel map', 2],
      ['kmem map', 1],
    ]);
    expect(run.simulation.locks.acquisitions).toBe(3);
  });
});

describe('sizes and lifetimes', () => {
  it('count every request by size, and every free by the time since its grant', () => {
    const clock = { now: 0 };
    const backend = new ToyBackend(64 * 1024);
    const port = new CheckedPort(backend, {
      objectLimit: 4,
      cpus: 1,
      constraints: 0,
      recording: true,
      clock,
    });
    port.alloc(0, kmem, 100, -1, 0);
    port.alloc(1, kmem, 100, -1, 0);
    port.alloc(2, kmem, 4096, -1, 0);
    expect(port.alloc(3, kmem, 2 ** 40, -1, 0)).toBe(false);
    port.free(0, 0);
    clock.now = 1000;
    port.free(1, 0);
    clock.now = 1024;
    port.free(2, 0);
    port.free(3, 0);
    const run = { simulation: new Simulation(), backend, requests: port.figures };
    expect(sizesTable.rows(run)).toEqual([
      ['kmem', 100, 2],
      ['kmem', 4096, 1],
      ['kmem', 2 ** 40, 1],
    ]);
    expect(lifetimesTable.rows(run)).toEqual([
      ['kmem', 0, 1],
      ['kmem', 512, 1],
      ['kmem', 1024, 1],
    ]);
  });
});

describe('lifetimes', () => {
  it('reach from no time to 2^53 ns, each power of two a row of its own', () => {
    const { port, run } = smallMap(8);
    for (const lifetime of [0, 1, 2, 3, 2 ** 32 - 1, 2 ** 32, 2 ** 40 + 1, 2 ** 53]) {
      port.figures.lifetimes.record(va, lifetime);
    }
    expect(named(lifetimesTable, run)).toEqual(
      [0, 1, 2, 2 ** 31, 2 ** 32, 2 ** 40, 2 ** 53].map((from_ns) => {
        return { class: 'va', from_ns, objects: from_ns === 2 ? 2 : 1 };
      }),
    );
  });
});

describe('work', () => {
  it('has each request in the class of its work, sums adding up', () => {
    const { port, run } = smallMap(8);
    const { figures } = run.backend.arenas[0]!;
    const works: number[] = [];
    for (let object = 0; object < 9; object++) {
      const before = figures.searches;
      port.alloc(object, va, PAGE, UNCONSTRAINED, 0);
      works.push(figures.searches - before);
    }
    port.free(3, 0);
    const rows = named(latencyTable, run);
    const granted = rows.filter(({ outcome }) => outcome === 'granted');
    for (const { from_work, requests, work } of granted) {
      const from = Number(from_work);
      const end = from === 0 ? 1 : 2 * from;
      const inside = works.slice(0, 8).filter((steps) => steps >= from && steps < end);
      expect([requests, work]).toEqual([inside.length, inside.reduce((sum, steps) => sum + steps, 0)]);
    }
    expect(granted.reduce((sum, { requests }) => sum + Number(requests), 0)).toBe(8);
    expect(rows.filter(({ outcome }) => outcome === 'refused')).toMatchObject([
      { requests: 1, work: works[8] },
    ]);
    expect(rows.filter(({ outcome }) => outcome === 'freed')).toMatchObject([
      { class: 'va', requests: 1, work: figures.lookups },
    ]);
    expect(rows.reduce((sum, { work }) => sum + Number(work), 0)).toBe(figures.searches + figures.lookups);
  });

  it('does not count what happens between requests', () => {
    const backend = new ToyBackend();
    const port = new CheckedPort(backend, { objectLimit: 2, cpus: 1, constraints: 0, recording: true });
    port.alloc(0, kmem, 64, UNCONSTRAINED, 0);
    backend.arena.searches += 1000;
    port.free(0, 0);
    const run: RunView = { simulation: new Simulation(1), backend, requests: port.figures };
    expect(latencyTable.rows(run)).toEqual([
      ['kmem', 'granted', 1, 1, 1],
      ['kmem', 'freed', 0, 1, 0],
    ]);
  });
});

describe.each(BACKENDS.map((definition) => [definition.name, definition] as const))(
  '%s',
  (_name, definition) => {
    const create = (): Backend => {
      const environment = { simulation: new Simulation(1), constraints: constraintTable([]) };
      return definition.create(Value.Default(definition.parameters, {}) as Parameters, environment);
    };

    it('shows probes the same free segments by either way, their bytes adding up', () => {
      const backend = create();
      const port = new CheckedPort(backend, { objectLimit: 64, cpus: 1, constraints: 0, recording: true });
      for (let object = 0; object < 64; object++) {
        const cls = backend.serves[object % backend.serves.length]!;
        port.alloc(object, cls, PAGE * (1 + (object % 7)), UNCONSTRAINED, 0);
      }
      for (let object = 0; object < 64; object += 3) port.free(object, 0);
      for (const arena of backend.arenas) {
        const sizes = freeSizes((visit) => walkFree(arena, visit));
        const walked = freeSizes((visit) =>
          arena.walk((type, _start, size) => type === TagType.free && visit(size)),
        );
        expect(sizes).toEqual(walked);
        expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(arena.freeBytes());
      }
    });

    it('answers for its work as its arenas count it', () => {
      const simulation = new Simulation(2);
      const constraints = constraintTable([{ align: 2 * PAGE }]);
      const parameters = Value.Default(definition.parameters, {}) as Parameters;
      const backend = definition.create(parameters, { simulation, constraints });
      const port = new CheckedPort(backend, { objectLimit: 512, cpus: 2, constraints: 1, recording: true });
      for (let round = 0; round < 3; round++) {
        for (let object = 0; object < 512; object++) {
          const cls = backend.serves[object % backend.serves.length]!;
          const row = object % 5 === 0 ? 0 : UNCONSTRAINED;
          port.alloc(object, cls, PAGE * (1 + (object % 61)), row, object % 2);
          expect(backend.workDone?.() ?? sumOfWork(backend)).toBe(sumOfWork(backend));
        }
        for (let object = 0; object < 512; object++) port.free((object * 7) % 512, 0);
        backend.reap();
        expect(backend.workDone?.() ?? sumOfWork(backend)).toBe(sumOfWork(backend));
      }
      expect(sumOfWork(backend)).toBeGreaterThan(0);
    });

    it('names roots for each class that it serves', () => {
      const backend = create();
      for (const cls of backend.serves) {
        const roots = rootsOf(backend, cls);
        expect(roots.length).toBeGreaterThan(0);
        for (const root of roots) expect(rootArenas(backend)).toContain(root);
      }
    });
  },
);

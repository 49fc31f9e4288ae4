import { describe, expect, it } from 'vitest';
import { type ArenaFigures, TagType } from '../../src/arena/view.js';
import type { BackendDefinition, Parameters } from '../../src/backend/contract.js';
import { type Constraint, RequestClass } from '../../src/core/request.js';
import { KIB, MIB } from '../../src/core/units.js';
import { Client, type Live } from '../support/client.js';
import { runHistory } from '../support/history.js';

/** A contract test that a backend is known not to pass. */
export interface Skip {
  readonly test: string;
  readonly reason: string;
}

export interface ConformanceOptions {
  readonly parameters?: Parameters;
  readonly skips?: readonly Skip[];
}

/** Every figure that a view has. */
const FIGURES: readonly (keyof ArenaFigures)[] = [
  'totalBytes',
  'inUseBytes',
  'importBytes',
  'spanTags',
  'freeTags',
  'allocTags',
  'allocs',
  'frees',
  'fails',
  'waits',
  'lookups',
  'searches',
  'splits',
  'merges',
  'imports',
  'releases',
  'hashBuckets',
  'reachBytes',
];

type MakeClient = (rows?: readonly Constraint[]) => Client;

/** One promise of src/backend/contract.ts. */
export interface ContractTest {
  readonly name: string;
  run(makeClient: MakeClient): void;
}

const MOST_LIVE = 100_000;

/** Classes that are driven to exhaustion: those in which any size may be asked for. */
const UNBOUNDED = [RequestClass.kmem, RequestClass.va, RequestClass.guest] as const;

/** A size of which a few dozen fit: a sixteenth of the largest power of two that is granted. */
function largeSize(client: Client, cls: number): number {
  for (let size = 2 ** 52; size >= 16 * MIB; size /= 2) {
    const live = client.alloc(cls, size);
    if (live === undefined) continue;
    client.free(live);
    return size / 16;
  }
  throw new Error(`not even ${16 * MIB} bytes of class ${cls} are granted`);
}

/** Allocates until the backend refuses. */
function exhaust(client: Client, cls: number, size: number): Live[] {
  const got: Live[] = [];
  for (let live = client.alloc(cls, size); live !== undefined; live = client.alloc(cls, size)) {
    got.push(live);
    expect(got.length, 'allocations without exhaustion').toBeLessThan(MOST_LIVE);
  }
  return got;
}

/** Constraint rows that can be met anywhere in an arena of some GiB, whatever its base. */
const ANYWHERE: readonly Constraint[] = [
  { align: 64 * KIB },
  { align: 2 * MIB },
  { align: 64 * KIB, phase: 8 * KIB },
  { nocross: 256 * KIB },
  { align: 16 * KIB, phase: 4 * KIB, nocross: MIB },
  { align: 512 },
];

/** The contract, a test for each promise; conformance() runs them, the canary test holds them against broken ones. */
export const CONTRACT: readonly ContractTest[] = [
  {
    name: 'serves at least one class, and each once',
    run(makeClient) {
      const { serves, arenas } = makeClient().backend;
      expect(serves.length).toBeGreaterThan(0);
      expect(new Set(serves).size).toBe(serves.length);
      expect(serves).not.toContain(RequestClass.task);
      expect(arenas.length).toBeGreaterThan(0);
    },
  },
  {
    name: 'lists each arena once, sources before those that import from them',
    run(makeClient) {
      const seen = new Set<string>();
      for (const { name, source } of makeClient().backend.arenas) {
        expect(seen.has(name), `${name} twice`).toBe(false);
        if (source !== null) expect(seen.has(source), `${source} before ${name}`).toBe(true);
        seen.add(name);
      }
    },
  },
  {
    name: 'live ranges of all classes never overlap',
    run(makeClient) {
      for (const seed of [1, 2, 3]) runHistory(makeClient(), seed, { operations: 1500, live: 150 });
    },
  },
  {
    name: 'constraints of va requests are met',
    run(makeClient) {
      const client = makeClient(ANYWHERE);
      if (!client.backend.serves.includes(RequestClass.va)) return;
      runHistory(client, 4, { operations: 1500, live: 150, constraintRows: ANYWHERE.length });
      expect(client.live.some((live) => live.constraint >= 0)).toBe(true);
    },
  },
  {
    name: 'address bounds of va requests are met',
    run(makeClient) {
      const probe = makeClient();
      if (!probe.backend.serves.includes(RequestClass.va)) return;
      const { address } = probe.alloc(RequestClass.va, 128 * MIB)!;
      const bounds = { minAddress: address + 64 * MIB, maxAddress: address + 65 * MIB };
      const client = makeClient([bounds]);
      client.free(client.alloc(RequestClass.va, 128 * MIB)!);
      const granted = Array.from({ length: 300 }, () => client.alloc(RequestClass.va, 4 * KIB, 0));
      const room = MIB / client.backend.footprint(RequestClass.va, 4 * KIB);
      expect(granted.filter((live) => live !== undefined)).toHaveLength(room);
    },
  },
  {
    name: 'a freed range serves a request that needs exactly it',
    run(makeClient) {
      for (const cls of UNBOUNDED) {
        const client = makeClient();
        if (!client.backend.serves.includes(cls)) continue;
        const size = largeSize(client, cls);
        const all = exhaust(client, cls, size);
        expect(all.length, 'large requests granted').toBeGreaterThan(1);
        const freed = all[all.length >> 1]!;
        client.free(freed);
        expect(client.alloc(cls, size)?.address).toBe(freed.address);
      }
    },
  },
  {
    name: 'exhaustion changes nothing, and ends with the first free',
    run(makeClient) {
      for (const cls of UNBOUNDED) {
        const client = makeClient();
        if (!client.backend.serves.includes(cls)) continue;
        const size = largeSize(client, cls);
        const all = exhaust(client, cls, size);
        const before = client.inUseBytes;
        expect(client.alloc(cls, size)).toBeUndefined();
        expect(client.inUseBytes).toEqual(before);
        client.check();
        for (const live of all) client.free(live);
        expect(exhaust(client, cls, size)).toHaveLength(all.length);
        client.check();
      }
    },
  },
  {
    name: 'after everything is freed only caches hold anything',
    run(makeClient) {
      const client = makeClient();
      const initial = [client.clientBytes, client.clientBuffers];
      runHistory(client, 5, { operations: 2000, live: 300, cpus: 4 });
      expect([client.clientBytes, client.clientBuffers]).not.toEqual(initial);
      client.freeAll();
      client.check();
      expect([client.clientBytes, client.clientBuffers]).toEqual(initial);
    },
  },
  {
    name: 'a reap gives back, and without caches everything is as it was',
    run(makeClient) {
      const client = makeClient();
      const initial = client.inUseBytes;
      runHistory(client, 5, { operations: 2000, live: 300, cpus: 4 });
      client.freeAll();
      const before = client.inUseBytes;
      client.backend.reap();
      client.check();
      client.inUseBytes.forEach((bytes, arena) => void expect(bytes).toBeLessThanOrEqual(before[arena]!));
      const hasCaches = client.backend.arenas.some((arena) => arena.caches.length > 0);
      if (!hasCaches) expect(client.inUseBytes).toEqual(initial);
    },
  },
  {
    name: 'reaping takes nothing from live objects',
    run(makeClient) {
      const client = makeClient();
      runHistory(client, 6, { operations: 500, live: 100, cpus: 4 });
      client.backend.reap();
      client.check();
      runHistory(client, 7, { operations: 500, live: 100, cpus: 4 });
    },
  },
  {
    name: 'a footprint is no smaller than its request and does not depend on what is live',
    run(makeClient) {
      const client = makeClient();
      for (const cls of client.backend.serves) {
        for (const size of [1, 7, 512, 4095, 4096, 4097, 16 * KIB]) {
          const fresh = client.backend.footprint(cls, size);
          expect(fresh).toBeGreaterThanOrEqual(size);
          client.alloc(cls, size);
          expect(client.backend.footprint(cls, size)).toBe(fresh);
        }
      }
    },
  },
  {
    name: 'the same history gives the same addresses and figures',
    run(makeClient) {
      const [one, other] = [makeClient(ANYWHERE), makeClient(ANYWHERE)];
      const options = { operations: 1000, live: 120, cpus: 4, constraintRows: ANYWHERE.length };
      expect(runHistory(one, 8, options)).toEqual(runHistory(other, 8, options));
      const figures = [one, other].map((client) =>
        client.backend.arenas.map((arena) => ({
          figures: FIGURES.map((name) => arena.figures[name]),
          metadata: arena.metadataBytes(),
        })),
      );
      expect(figures[0]).toEqual(figures[1]);
      expect(one.simulation.locks.byName()).toEqual(other.simulation.locks.byName());
    },
  },
  {
    name: 'reach spans every segment that was ever allocated',
    run(makeClient) {
      const client = makeClient();
      const { arenas, serves } = client.backend;
      const extents = arenas.map(() => ({ lowest: Number.POSITIVE_INFINITY, highest: 0 }));
      const look = (): void => {
        arenas.forEach((arena, index) => {
          const extent = extents[index]!;
          arena.walk((type, start, size) => {
            if (type !== TagType.alloc) return;
            extent.lowest = Math.min(extent.lowest, start);
            extent.highest = Math.max(extent.highest, start + size);
          });
        });
      };
      for (let n = 0; n < 120; n++) {
        for (const cls of serves) client.alloc(cls, (1 + ((n * 7) % 11)) * 4 * KIB);
        look();
        // The highest go first, so that the reach is more than what is allocated at the end.
        if (n % 3 === 2) for (const live of client.live.slice(-4)) client.free(live);
      }
      const freed = [...client.live].reverse().slice(0, client.live.length >> 1);
      for (const live of freed) client.free(live);
      for (const cls of serves) client.alloc(cls, 4 * KIB);
      look();
      const reached = extents.map(({ lowest, highest }) => Math.max(0, highest - lowest));
      expect(arenas.map(({ figures }) => figures.reachBytes)).toEqual(reached);
      expect(Math.max(...reached)).toBeGreaterThan(0);
    },
  },
  {
    name: 'what one CPU allocates another may free',
    run(makeClient) {
      const client = makeClient();
      for (const cls of client.backend.serves) {
        const got = Array.from({ length: 200 }, (_, i) => client.alloc(cls, 4 * KIB, -1, i % 4)!);
        got.forEach((live, i) => void client.free(live, (i + 1) % 4));
        client.check();
      }
      runHistory(client, 9, { operations: 1000, live: 100, cpus: 4 });
    },
  },
  {
    name: 'operations take simulated locks',
    run(makeClient) {
      const client = makeClient();
      const before = client.simulation.locks.acquisitions;
      runHistory(client, 10, { operations: 1000, live: 100 });
      expect(client.simulation.locks.acquisitions).toBeGreaterThan(before);
    },
  },
];

/**
 * Holds a backend against the contract. A skipped test must fail: a skip that is not needed any more, or names no
 * test, is an error.
 */
export function conformance(definition: BackendDefinition, options: ConformanceOptions = {}): void {
  const { parameters = {}, skips = [] } = options;
  const variant = Object.entries(parameters).map(([key, value]) => `${key}=${value}`);
  describe(`${definition.name}${variant.length > 0 ? `:${variant.join(',')}` : ''} keeps the contract`, () => {
    const makeClient: MakeClient = (rows = []) => new Client(definition, parameters, rows);
    for (const { test, reason } of skips) {
      it(`has a test for its skip: ${test}`, () => {
        expect(CONTRACT.map(({ name }) => name)).toContain(test);
        expect(reason).not.toBe('');
      });
    }
    for (const { name, run } of CONTRACT) {
      const skip = skips.find(({ test }) => test === name);
      if (skip === undefined) it(name, () => run(makeClient));
      else it(`does not hold (${skip.reason}): ${name}`, () => expect(() => run(makeClient)).toThrow());
    }
  });
}

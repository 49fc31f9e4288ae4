import assert from 'node:assert/strict';
import { isDeepStrictEqual } from 'node:util';
import { TagType } from '../arena/view.js';
import { FIGURES } from '../backend/guarded-arena.js';
import { type Constraint, RequestClass, UNCONSTRAINED } from '../core/request.js';
import { KIB, MIB } from '../core/units.js';
import { type Client, describeLive, type Live } from './client.js';
import { requireEqual } from './expectation.js';
import { runHistory } from './history.js';

/** Builds the backend anew, with rows for its constraint table. */
export type MakeClient = (rows?: readonly Constraint[]) => Client;

/** One promise of src/backend/contract.ts. */
export interface ContractTest {
  readonly name: string;
  /** @throws AssertionError, or what the backend throws, where the promise is not kept. */
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
  assert.fail(`not even ${16 * MIB} bytes of class ${cls} are granted`);
}

/** An allocation that cannot fail on a backend that has next to nothing to do. */
function granted(client: Client, cls: number, size: number, cpu = 0): Live {
  return (
    client.alloc(cls, size, UNCONSTRAINED, cpu) ?? assert.fail(`${size} bytes of class ${cls} were refused`)
  );
}

/** Allocates until the backend refuses. */
function exhaust(client: Client, cls: number, size: number): Live[] {
  const got: Live[] = [];
  for (let live = client.alloc(cls, size); live !== undefined; live = client.alloc(cls, size)) {
    got.push(live);
    assert.ok(got.length < MOST_LIVE, `${MOST_LIVE} requests of ${size} bytes and no exhaustion`);
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

/** The contract, a test for each promise. */
export const CONTRACT: readonly ContractTest[] = [
  {
    name: 'serves at least one class, and each once',
    run(makeClient) {
      const { serves, arenas } = makeClient().backend;
      assert.ok(serves.length > 0, 'it serves no class');
      requireEqual(new Set(serves).size, serves.length, 'number of different classes');
      assert.ok(!serves.includes(RequestClass.task), 'it serves tasks, which have no bytes');
      assert.ok(arenas.length > 0, 'it has no arena');
    },
  },
  {
    name: 'lists each arena once, sources before those that import from them',
    run(makeClient) {
      const seen = new Set<string>();
      for (const { name, source } of makeClient().backend.arenas) {
        assert.ok(!seen.has(name), `arena '${name}' twice`);
        assert.ok(source === null || seen.has(source), `arena '${name}' before its source '${source}'`);
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
      const granted = client.live.some((live) => live.constraint >= 0);
      assert.ok(granted, 'not one constrained request was granted');
    },
  },
  {
    name: 'address bounds of va requests are met',
    run(makeClient) {
      const probe = makeClient();
      if (!probe.backend.serves.includes(RequestClass.va)) return;
      const { address } = granted(probe, RequestClass.va, 128 * MIB);
      const bounds = { minAddress: address + 64 * MIB, maxAddress: address + 65 * MIB };
      const client = makeClient([bounds]);
      client.free(granted(client, RequestClass.va, 128 * MIB));
      const answers = Array.from({ length: 300 }, () => client.alloc(RequestClass.va, 4 * KIB, 0));
      const room = MIB / client.backend.footprint(RequestClass.va, 4 * KIB);
      const count = answers.filter((live) => live !== undefined).length;
      requireEqual(count, room, 'requests of 4 KiB granted within bounds 1 MiB apart');
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
        assert.ok(all.length > 1, `only one request of ${size} bytes granted`);
        const freed = all[all.length >> 1]!;
        client.free(freed);
        const again = client.alloc(cls, size)?.address;
        requireEqual(
          again,
          freed.address,
          `address of ${size} bytes when just ${describeLive(freed)} was freed`,
        );
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
        requireEqual(client.alloc(cls, size), undefined, 'a request after one was refused');
        requireEqual(client.inUseBytes, before, 'bytes in use after a refusal');
        client.check();
        for (const live of all) client.free(live);
        const again = exhaust(client, cls, size).length;
        requireEqual(again, all.length, `requests of ${size} bytes granted when all was freed`);
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
      const used = [client.clientBytes, client.clientBuffers];
      assert.ok(!isDeepStrictEqual(used, initial), 'nothing was in use while objects were live');
      client.freeAll();
      client.check();
      const left = [client.clientBytes, client.clientBuffers];
      requireEqual(left, initial, 'bytes by arena, and buffers, with clients when all was freed');
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
      const grown = client.inUseBytes.some((bytes, arena) => bytes > before[arena]!);
      assert.ok(!grown, `bytes in use by arena: ${client.inUseBytes} after the reap, ${before} before`);
      const hasCaches = client.backend.arenas.some((arena) => arena.caches.length > 0);
      if (!hasCaches) requireEqual(client.inUseBytes, initial, 'bytes in use by arena after the reap');
    },
  },
  {
    name: 'after a reap a backend without caches grants what a new one grants',
    run(makeClient) {
      const client = makeClient();
      runHistory(client, 5, { operations: 2000, live: 300, cpus: 4 });
      client.freeAll();
      client.backend.reap();
      if (client.backend.arenas.some((arena) => arena.caches.length > 0)) return;
      const fresh = makeClient();
      for (const cls of UNBOUNDED) {
        if (!client.backend.serves.includes(cls)) continue;
        const size = 16 * largeSize(fresh, cls);
        const again =
          client.alloc(cls, size) ?? assert.fail(`${size} bytes of class ${cls} are refused: a leak`);
        client.free(again);
      }
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
          assert.ok(fresh >= size, `footprint ${fresh} of ${size} bytes of class ${cls}`);
          client.alloc(cls, size);
          const later = client.backend.footprint(cls, size);
          requireEqual(later, fresh, `footprint of ${size} bytes of class ${cls} with another one live`);
        }
      }
    },
  },
  {
    name: 'the same history gives the same addresses and figures',
    run(makeClient) {
      const [one, other] = [makeClient(ANYWHERE), makeClient(ANYWHERE)];
      const options = { operations: 1000, live: 120, cpus: 4, constraintRows: ANYWHERE.length };
      const [addresses, others] = [runHistory(one, 8, options), runHistory(other, 8, options)];
      const apart = addresses.findIndex((address, index) => address !== others[index]);
      requireEqual(others[apart], addresses[apart], `address of allocation ${apart} in a second instance`);
      const figures = [one, other].map((client) =>
        client.backend.arenas.map((arena) => ({
          figures: FIGURES.map((name) => arena.figures[name]),
          metadata: arena.metadataBytes(),
        })),
      );
      requireEqual(figures[1], figures[0], 'figures of a second instance');
      const [locks, otherLocks] = [one.simulation.locks.byName(), other.simulation.locks.byName()];
      requireEqual(otherLocks, locks, 'locks of a second instance');
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
      const said = arenas.map(({ figures }) => figures.reachBytes);
      requireEqual(said, reached, 'reachBytes by arena');
      assert.ok(Math.max(...reached) > 0, 'no arena has allocated anything');
    },
  },
  {
    name: 'what one CPU allocates another may free',
    run(makeClient) {
      const client = makeClient();
      for (const cls of client.backend.serves) {
        const got = Array.from({ length: 200 }, (_, i) => granted(client, cls, 4 * KIB, i % 4));
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
      assert.ok(client.simulation.locks.acquisitions > before, 'no lock was taken');
    },
  },
];

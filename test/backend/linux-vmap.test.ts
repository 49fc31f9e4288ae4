import { describe, expect, it } from 'vitest';
import type { BackendDefinition, Parameters } from '../../src/backend/contract.js';
import { linuxVmap } from '../../src/backend/linux-vmap.js';
import { linuxVmapNopool } from '../../src/backend/linux-vmap-nopool.js';
import { Client } from '../../src/conformance/client.js';
import { InputError } from '../../src/core/errors.js';
import { RequestClass } from '../../src/core/request.js';
import { KIB, MIB, SECOND } from '../../src/core/units.js';

const { kstack, va, guest } = RequestClass;
const MILLISECOND = SECOND / 1000;

/** Runs the clock on for some milliseconds, as a workload without requests would. */
function pass(client: Client, milliseconds: number): void {
  const { simulation } = client;
  const handler = simulation.register({ fire: () => simulation.workloadFinished() });
  simulation.workloadStarted();
  simulation.schedule(simulation.now + milliseconds * MILLISECOND, 2, handler);
  simulation.run();
}

const cacheNamed = (client: Client, name: string) =>
  client.backend.arenas[0]!.caches.find((cache) => cache.name === name)!;

/** Offsets of allocations from the first of them. */
function offsets(client: Client, cls: number, sizes: readonly number[]): number[] {
  const addresses = sizes.map((size) => client.alloc(cls, size)!.address);
  return addresses.map((address) => address - addresses[0]!);
}

function refusal(parameters: Parameters): string {
  try {
    new Client(linuxVmap, parameters);
  } catch (error) {
    expect(error).toBeInstanceOf(InputError);
    return (error as InputError).message;
  }
  throw new Error(`accepted ${JSON.stringify(parameters)}`);
}

describe('linux-vmap', () => {
  it('puts stacks 32 KiB apart and small areas into the holes between them', () => {
    const client = new Client(linuxVmap);
    expect(offsets(client, kstack, [16 * KIB, 16 * KIB, 16 * KIB])).toEqual([0, 32 * KIB, 64 * KIB]);
    const small = client.alloc(va, 8 * KIB)!;
    expect(small.address - client.live[0]!.address).toBe(20 * KIB);
  });

  it('gives va a guard page unless the sizes have it', () => {
    const sizes = [4 * KIB, 4 * KIB];
    expect(offsets(new Client(linuxVmap), va, sizes)).toEqual([0, 8 * KIB]);
    expect(offsets(new Client(linuxVmap, { guard_pages: false }), va, sizes)).toEqual([0, 4 * KIB]);
  });

  it('rounds guests from 2 MiB up to huge pages', () => {
    const { backend } = new Client(linuxVmap);
    expect(backend.footprint(guest, 3 * MIB)).toBe(4 * MIB + 4 * KIB);
    expect(backend.footprint(guest, MIB)).toBe(MIB + 4 * KIB);
    expect(offsets(new Client(linuxVmap), guest, [2 * MIB, 2 * MIB])).toEqual([0, 4 * MIB]);
  });

  it('keeps two stacks per CPU, after a grace period', () => {
    const client = new Client(linuxVmap);
    const stacks = Array.from({ length: 3 }, () => client.alloc(kstack, 16 * KIB)!);
    const [first, second, third] = stacks.map(({ address }) => address);
    for (const stack of stacks) client.free(stack, 1);
    // Before its end nothing is given out again.
    expect(stacks.map(({ address }) => address)).not.toContain(
      client.alloc(kstack, 16 * KIB, -1, 1)!.address,
    );
    pass(client, 11);
    client.check();
    expect(cacheNamed(client, 'thread_stack').buffersInMagazines).toBe(2);
    expect(cacheNamed(client, 'vmap_pool_5').buffersInMagazines).toBe(1);
    expect(client.alloc(kstack, 16 * KIB, -1, 0)!.address).toBeGreaterThan(third!);
    expect(client.alloc(kstack, 16 * KIB, -1, 1)!.address).toBe(first);
    expect(client.alloc(kstack, 16 * KIB, -1, 1)!.address).toBe(second);
    expect(cacheNamed(client, 'thread_stack').magazineHits).toBe(2);
  });

  it('keeps no stack of another size', () => {
    const client = new Client(linuxVmap);
    client.free(client.alloc(kstack, 8 * KIB)!);
    pass(client, 11);
    expect(cacheNamed(client, 'thread_stack').buffersInMagazines).toBe(0);
  });

  it('purges when more waits than the CPUs allow, into pools that the next requests are served from', () => {
    const client = new Client(linuxVmap, { cpus: 1 });
    const pooled = new Client(linuxVmap, { cpus: 2 });
    for (const [one, limit] of [
      [client, 32 * MIB],
      [pooled, 64 * MIB],
    ] as const) {
      const areas = Array.from({ length: limit / MIB + 1 }, () => one.alloc(va, MIB - 4 * KIB)!);
      const [waiting] = areas;
      for (const area of areas.slice(1)) one.free(area);
      pass(one, 1);
      expect(one.clientBytes[0]).toBe(MIB);
      expect(one.backend.arenas[0]!.figures.merges).toBe(0);
      one.free(waiting!);
      pass(one, 1);
    }
    expect(client.inUseBytes).toEqual([0]);
    expect(cacheNamed(pooled, 'vmap_pool_256').buffersInMagazines).toBe(65);
    const before = pooled.backend.workDone!();
    pooled.alloc(va, MIB - 4 * KIB);
    // No range of the free tree was looked at; the area went into an empty busy tree.
    expect(pooled.backend.workDone!()).toBe(before);
    expect(cacheNamed(pooled, 'vmap_pool_256').magazineHits).toBe(1);
  });

  it('empties the pools under pressure, and by the clock if asked', () => {
    const fill = (parameters: Parameters) => {
      const client = new Client(linuxVmap, { cpus: 2, ...parameters });
      const areas = Array.from({ length: 65 }, () => client.alloc(va, MIB - 4 * KIB)!);
      for (const area of areas) client.free(area);
      pass(client, 1);
      expect(client.inUseBytes[0]).toBe(65 * MIB);
      return client;
    };
    const client = fill({});
    client.backend.reap();
    expect(client.inUseBytes).toEqual([0]);
    const timed = fill({ shrink_interval: SECOND });
    pass(timed, 1000);
    expect(timed.inUseBytes).toEqual([0]);
  });

  it('serves windows and alignments, but no phase', () => {
    const [{ address }] = [new Client(linuxVmap).alloc(va, 4 * KIB)!];
    const rows = [
      { minAddress: address + MIB, maxAddress: address + MIB + 8 * KIB },
      { align: MIB, phase: 4 * KIB },
      { nocross: 64 * KIB },
      { minAddress: address + 2 * MIB + 1 },
    ];
    const client = new Client(linuxVmap, {}, rows);
    expect(client.alloc(va, 4 * KIB, 0)!.address).toBe(address + MIB);
    expect(client.alloc(va, 4 * KIB, 0)).toBeUndefined();
    expect(client.alloc(va, 4 * KIB, 1)).toBeUndefined();
    expect(client.alloc(va, 20 * KIB, 2)!.address).toBe(address);
    expect(client.alloc(va, 20 * KIB, 2)!.address).toBe(address + 32 * KIB);
    expect(client.alloc(va, 68 * KIB, 2)).toBeUndefined();
    // An area begins with a page, so this is the lowest address that there is.
    expect(client.alloc(va, 4 * KIB, 3)!.address).toBe(address + 2 * MIB + 4 * KIB);
  });

  it.each([
    [{ arena_size: 4097 }, 'arena_size: 4097 bytes are no main range (allowed: a multiple of 4096)'],
    [{ arena_base: '0x1000' }, "arena_base: '0x1000' is no address of the kernel half"],
    [{ thread_size: 20480 }, 'thread_size: 20480 bytes are no stack'],
  ])('refuses %o', (parameters, message) => {
    expect(refusal(parameters)).toContain(message);
  });
});

describe('linux-vmap-nopool', () => {
  it("is named 'linux-vmap-nopool', has the same limit of waiting pages and never pools", () => {
    const last = (definition: BackendDefinition) => {
      const client = new Client(definition, { cpus: 4 });
      for (let turn = 0; turn < 3; turn++) {
        const areas = Array.from({ length: 100 }, () => client.alloc(va, MIB - 4 * KIB)!);
        for (const area of areas) client.free(area);
        pass(client, 1);
      }
      client.check();
      return cacheNamed(client, 'vmap_pool_256')?.magazineHits ?? 0;
    };
    expect(linuxVmapNopool.name).toBe('linux-vmap-nopool');
    expect(last(linuxVmapNopool)).toBe(0);
    expect(last(linuxVmap)).toBeGreaterThan(100);
  });
});

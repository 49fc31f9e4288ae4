import { describe, expect, it } from 'vitest';
import type { Parameters } from '../../src/backend/contract.js';
import { illumosVmem } from '../../src/backend/illumos-vmem.js';
import { illumosVmemNoqc } from '../../src/backend/illumos-vmem-noqc.js';
import { Client } from '../../src/conformance/client.js';
import { InputError } from '../../src/core/errors.js';
import { RequestClass, UNCONSTRAINED } from '../../src/core/request.js';
import { GIB, KIB, MIB, SECOND } from '../../src/core/units.js';

const arenaNamed = (client: Client, name: string) =>
  client.backend.arenas.find((arena) => arena.name === name)!;

/** Runs the clock to `seconds` as a workload without requests would. */
function pass(client: Client, seconds: number): void {
  const { simulation } = client;
  const handler = simulation.register({ fire: () => simulation.workloadFinished() });
  simulation.workloadStarted();
  simulation.schedule(seconds * SECOND, 2, handler);
  simulation.run();
}

function refusal(parameters: Parameters): string {
  try {
    new Client(illumosVmem, parameters);
  } catch (error) {
    expect(error).toBeInstanceOf(InputError);
    return (error as InputError).message;
  }
  throw new Error(`accepted ${JSON.stringify(parameters)}`);
}

describe('illumos-vmem', () => {
  it('serves small kmem requests from kmem_alloc caches over kmem_va', () => {
    const client = new Client(illumosVmem);
    client.alloc(RequestClass.kmem, 100);
    const kmemDefault = arenaNamed(client, 'kmem_default');
    const cache = kmemDefault.caches.find(({ name }) => name === 'kmem_alloc_112')!;
    expect(cache.buffersInUse).toBe(1);
    // One slab of a page, which kmem_va took from its own cache of pages.
    expect(kmemDefault.figures.importBytes).toBe(4096);
    const quantumCache = arenaNamed(client, 'kmem_va').caches.find(
      ({ bufferBytes }) => bufferBytes === 4096,
    )!;
    expect([quantumCache.kind, quantumCache.buffersInUse, quantumCache.slabBytes]).toEqual([
      'quantum',
      1,
      128 * KIB,
    ]);
  });

  it('serves large kmem requests from kmem_oversize behind a firewall page', () => {
    const client = new Client(illumosVmem);
    client.alloc(RequestClass.kmem, 200 * KIB);
    expect(arenaNamed(client, 'kmem_oversize').figures.inUseBytes).toBe(200 * KIB);
    expect(arenaNamed(client, 'heap').figures.inUseBytes).toBe(204 * KIB);
  });

  it('puts a red-zone page in front of each stack and takes default stacks by best fit', () => {
    const client = new Client(illumosVmem);
    const stack = client.alloc(RequestClass.kstack, 20 * KIB)!;
    const segkp = arenaNamed(client, 'segkp');
    expect(segkp.figures.inUseBytes).toBe(24 * KIB);
    expect(stack.address % 4096).toBe(0);
    // 6 pages are above the 5-page quantum caches, so the list was searched.
    expect(segkp.figures.searches).toBeGreaterThan(0);
    client.free(stack);
    expect(segkp.figures.inUseBytes).toBe(0);
  });

  it('serves stacks of at most 4 pages and their red zone from quantum caches', () => {
    const client = new Client(illumosVmem);
    client.alloc(RequestClass.kstack, 16 * KIB);
    expect(arenaNamed(client, 'segkp').figures.inUseBytes).toBe(64 * KIB);
  });

  it('serves guests in MiB from an arena that imports from kvmm_arena', () => {
    const client = new Client(illumosVmem);
    const guest = client.alloc(RequestClass.guest, 3 * GIB + 1)!;
    expect(arenaNamed(client, 'vmm_alloc_arena').figures.totalBytes).toBe(3 * GIB + MIB);
    client.free(guest);
    expect(arenaNamed(client, 'vmm_alloc_arena').figures.totalBytes).toBe(0);
  });

  it('resizes hash tables with the 15 s tick', () => {
    const client = new Client(illumosVmem);
    for (let n = 0; n < 1000; n++) client.alloc(RequestClass.va, 4096);
    const heap = arenaNamed(client, 'heap');
    pass(client, 14);
    expect(heap.figures.hashBuckets).toBe(16);
    pass(client, 16);
    expect(heap.figures.hashBuckets).toBe(1024);
  });

  it('gives back after a failed request what lay idle in the depots for a whole interval', () => {
    const client = new Client(illumosVmem, { arena_size: 4 * MIB });
    const objects = Array.from({ length: 200 }, () => client.alloc(RequestClass.kmem, 4096)!);
    for (const object of objects) client.free(object);
    const { figures, caches } = arenaNamed(client, 'kmem_default');
    expect(figures.totalBytes).toBe(200 * 4096);
    pass(client, 31);
    expect(client.alloc(RequestClass.va, 64 * MIB)).toBeUndefined();
    // The task that the failure set off has not run yet.
    expect(figures.totalBytes).toBe(200 * 4096);
    pass(client, 32);
    // What is left sits in the loaded and the previous magazine of the CPU, one round each.
    expect(figures.totalBytes).toBe(2 * 4096);
    expect(caches.find(({ bufferBytes }) => bufferBytes === 4096)!.buffersInMagazines).toBe(2);
    client.check();
  });

  it('counts a magazine hit as one lock and no arena lock', () => {
    const client = new Client(illumosVmem);
    client.free(client.alloc(RequestClass.kmem, 64)!);
    const before = client.simulation.locks.byName();
    client.alloc(RequestClass.kmem, 64);
    const after = client.simulation.locks.byName();
    expect(after.get('kmem cpu cache')! - before.get('kmem cpu cache')!).toBe(1);
    expect(after.get('vmem')).toBe(before.get('vmem'));
  });

  it('refuses parameters that make no kernel, with the field and what is allowed', () => {
    expect(refusal({ arena_size: 4096 })).toMatch(/arena_size.*4096 bytes.*at least 1048576/);
    expect(refusal({ segkp_size: 4096 })).toMatch(/segkp_size.*at least 8192/);
    expect(refusal({ page_size: 5000 })).toMatch(/page_size.*power of two/);
    expect(refusal({ quantum: 8192 })).toMatch(/quantum.*up to 4096/);
    expect(refusal({ arena_base: '0xfffffffffffff000' })).toMatch(/arena_base/);
    expect(refusal({ arena_base: 'here' })).toMatch(/arena_base.*here/);
  });
});

it('refuses constraints that vmem_xalloc would panic on', () => {
  const make = () =>
    new Client(illumosVmem, { page_size: 8192, quantum: 8192 }, [{ align: 65536, phase: 4096 }]);
  expect(make).toThrow(/phase: constraint 0 has phase 4096 \(allowed: multiples of the quantum, 8192\)/);
});

describe('illumos-vmem-noqc', () => {
  it('has object caches but no quantum caches', () => {
    const client = new Client(illumosVmemNoqc);
    client.alloc(RequestClass.kstack, 16 * KIB);
    client.alloc(RequestClass.kmem, 100);
    const kinds = client.backend.arenas.flatMap(({ caches }) => caches.map(({ kind }) => kind));
    expect(kinds).toContain('object');
    expect(kinds).not.toContain('quantum');
    expect(arenaNamed(client, 'segkp').figures.inUseBytes).toBe(20 * KIB);
  });

  it('places large requests where illumos-vmem does', () => {
    const place = (definition: typeof illumosVmem) => {
      const { backend } = new Client(definition);
      return [MIB, 3 * MIB, 64 * KIB].map((size) => backend.alloc(RequestClass.va, size, UNCONSTRAINED, 0));
    };
    expect(place(illumosVmemNoqc)).toEqual(place(illumosVmem));
  });
});

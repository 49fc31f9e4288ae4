import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { KernelTree } from '../../src/arena/illumos-kernel/kernel-tree.js';
import { checkArena } from '../../src/arena/illumos-vmem/check.js';
import { VmFlag } from '../../src/arena/illumos-vmem/flags.js';
import { AddressSpace, NO_ADDRESS } from '../../src/core/address.js';
import { InvariantError, MisuseError } from '../../src/core/errors.js';
import { KIB, MIB } from '../../src/core/units.js';
import { metadataBalance } from '../support/metadata-balance.js';

const HEAP = 2 ** 40;

function treeWithHeap(bytes: number, cpus = 1): KernelTree {
  const space = AddressSpace.canonical;
  return new KernelTree({ space, cpus, heap: { base: HEAP, bytes }, staticArenas: 2 ** 30 });
}

/** A client of kmem_alloc that remembers what it holds. */
class Client {
  failures = 0;
  private readonly live: { address: number; size: number }[] = [];

  constructor(readonly tree: KernelTree) {}

  alloc(size: number): void {
    const address = this.tree.kmemAlloc(size, VmFlag.NOSLEEP);
    if (address === NO_ADDRESS) this.failures++;
    else this.live.push({ address, size });
  }

  free(choice: number): void {
    const [taken] = this.live.splice(choice % Math.max(1, this.live.length), 1);
    if (taken !== undefined) this.tree.kmemFree(taken.address, taken.size);
  }

  freeAll(): void {
    while (this.live.length > 0) this.free(0);
  }
}

/** Sizes of every kind: unhashed, hashed, several to a slab, one to a slab, above all caches. */
const sizes = fc.oneof(
  fc.integer({ min: 1, max: 511 }),
  fc.integer({ min: 512, max: 4 * KIB }),
  fc.integer({ min: 4 * KIB, max: 128 * KIB }),
  fc.integer({ min: 128 * KIB + 1, max: 400 * KIB }),
);

const operations = fc.array(
  fc.oneof(
    { weight: 12, arbitrary: fc.record({ op: fc.constant('alloc' as const), value: sizes }) },
    { weight: 9, arbitrary: fc.record({ op: fc.constant('free' as const), value: fc.nat() }) },
    {
      weight: 1,
      arbitrary: fc.record({ op: fc.constantFrom('tick' as const, 'reap' as const), value: fc.nat() }),
    },
    { weight: 2, arbitrary: fc.record({ op: fc.constant('cpu' as const), value: fc.nat({ max: 1 }) }) },
  ),
  { minLength: 50, maxLength: 600 },
);

describe('the kernel tree', () => {
  it('has its arenas and caches in the order of the start-up, and none of the first pass', () => {
    const { system } = treeWithHeap(64 * MIB);
    expect(system.arenas.map((arena) => arena.name)).toEqual([
      'heap',
      'vmem_metadata',
      'vmem_seg',
      'vmem_hash',
      'vmem_vmem',
      'kmem_metadata',
      'kmem_msb',
      'kmem_cache',
      'kmem_hash',
      'kmem_log',
      'kmem_firewall_va',
      'kmem_firewall',
      'kmem_oversize',
      'kmem_va',
      'kmem_default',
    ]);
    const names = system.caches.map((cache) => cache.name);
    expect(names.slice(0, 13).at(-1)).toBe('kmem_va_4096');
    expect(names.slice(-2)).toEqual(['kmem_defrag_cache', 'kmem_move_cache']);
    expect(new Set(names).size).toBe(12 + 8 + 46 + 2);
    for (const arena of system.arenas) checkArena(arena);
    metadataBalance(system);
  });

  it('gives each client structures of its own: what one gets depends on what others took', () => {
    const quiet = treeWithHeap(64 * MIB);
    const busy = treeWithHeap(64 * MIB);
    const first = quiet.heap.alloc(4 * KIB, VmFlag.NOSLEEP);
    expect(busy.heap.alloc(4 * KIB, VmFlag.NOSLEEP)).toBe(first);
    for (let count = 0; count < 40; count++) busy.kmemAlloc(16 * KIB, VmFlag.NOSLEEP);
    const taken = busy.system.arenas.find((arena) => arena.name === 'kmem_msb')!;
    expect(taken.inUseBytes).toBe(2 * 4 * KIB);
  });

  it('never loses or doubles a structure, and keeps every arena whole, to exhaustion and back', () => {
    let failures = 0;
    fc.assert(
      fc.property(operations, fc.constantFrom(1 * MIB, 3 * MIB, 64 * MIB), (history, bytes) => {
        const client = new Client(treeWithHeap(bytes, 2));
        const { system } = client.tree;
        for (const { op, value } of history) {
          if (op === 'alloc') client.alloc(value);
          else if (op === 'free') client.free(value);
          else if (op === 'tick') system.tick();
          else if (op === 'reap') system.reap();
          else system.cpu = value;
        }
        for (const arena of system.arenas) checkArena(arena);
        metadataBalance(system);
        client.freeAll();
        metadataBalance(system);
        failures += client.failures;
      }),
      { numRuns: 60, seed: 11 },
    );
    expect(failures).toBeGreaterThan(0);
  });

  it('notices a structure that got lost', () => {
    const { system } = treeWithHeap(64 * MIB);
    system.kernelMetadata.allocBufctl(VmFlag.NOSLEEP);
    expect(() => metadataBalance(system)).toThrow(InvariantError);
  });

  it('recycles the structure and the spares of a destroyed arena', () => {
    const { system } = treeWithHeap(64 * MIB);
    const structures = system.arenas.find((arena) => arena.name === 'vmem_vmem')!;
    const before = structures.allocTags;
    const spec = { name: 'idle', quantum: 4 * KIB, qcacheMax: 0, flags: 0, source: null };
    const arena = system.createArena(spec);
    expect(structures.allocTags).toBe(before + 1);
    arena.ensureSegments(0);
    const spare = arena.spareSegments;
    const pool = system.kernelMetadata.pooledSegments;
    system.destroyArena(arena);
    expect(structures.allocTags).toBe(before);
    expect(system.kernelMetadata.pooledSegments).toBe(pool + spare);
    expect(system.arenas).not.toContain(arena);
  });

  it('says so when the heap is too small for the structures of the start-up', () => {
    for (const kibibytes of [4, 64, 160, 256]) {
      expect(() => treeWithHeap(kibibytes * KIB)).toThrow(MisuseError);
    }
  });

  it('refuses to destroy what was used', () => {
    const tree = treeWithHeap(64 * MIB);
    tree.kmemAlloc(8, VmFlag.NOSLEEP);
    const used = tree.system.caches.find((cache) => cache.name === 'kmem_alloc_8')!;
    expect(() => tree.system.destroyCache(used)).toThrow(MisuseError);
    expect(() => tree.system.destroyArena(tree.heap)).toThrow(MisuseError);
  });
});

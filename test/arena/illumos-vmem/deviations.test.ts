import { describe, expect, it } from 'vitest';
import { VmFlag } from '../../../src/arena/illumos-vmem/flags.js';
import { VmemSystem } from '../../../src/arena/illumos-vmem/system.js';
import { AddressSpace, NO_ADDRESS } from '../../../src/core/address.js';

function arenaOfOnePage() {
  const system = new VmemSystem({ space: AddressSpace.canonical, cpus: 1 });
  const arena = system.createArena({ name: 'a', quantum: 4096, qcacheMax: 0, flags: 0, source: null });
  arena.addSpan(0x1000, 4096);
  return arena;
}

describe('the numbered deviations of illumos vmem', () => {
  it('D1: a request that would sleep is counted as waiting and refused', () => {
    const arena = arenaOfOnePage();
    expect(arena.alloc(4096, 0)).toBe(0x1000);
    expect(arena.alloc(4096, 0)).toBe(NO_ADDRESS);
    expect([arena.waits, arena.fails]).toEqual([1, 0]);
    expect(arena.alloc(4096, VmFlag.NOSLEEP)).toBe(NO_ADDRESS);
    expect([arena.waits, arena.fails]).toEqual([1, 1]);
  });

  it('D1: next fit that would sleep is counted once as well', () => {
    const arena = arenaOfOnePage();
    expect(arena.alloc(4096, VmFlag.NEXTFIT)).toBe(0x1000);
    expect(arena.alloc(4096, VmFlag.NEXTFIT)).toBe(NO_ADDRESS);
    expect(arena.waits).toBe(1);
  });

  it('D2: tags, hash tables and magazines take nothing from the arena', () => {
    const system = new VmemSystem({ space: AddressSpace.canonical, cpus: 1 });
    const heap = system.createArena({ name: 'heap', quantum: 4096, qcacheMax: 0, flags: 0, source: null });
    heap.addSpan(2 ** 40, 2 ** 30);
    for (let page = 0; page < 10_000; page++) heap.alloc(4096, VmFlag.NOSLEEP);
    system.tick();
    expect(heap.hashBuckets).toBeGreaterThan(16);
    expect(heap.inUseBytes).toBe(10_000 * 4096);
  });
});

it('an unaligned size at the end of a segment, which a DEBUG kernel asserts against, is a misuse', () => {
  const system = new VmemSystem({ space: AddressSpace.canonical, cpus: 1 });
  const arena = system.createArena({ name: 'a', quantum: 4096, qcacheMax: 0, flags: 0, source: null });
  arena.addSpan(0x10000, 0x10000);
  expect(() => arena.alloc(5000, VmFlag.NOSLEEP | VmFlag.ENDALLOC)).toThrow(
    /ENDALLOC.*size=5000 quantum=4096/,
  );
  expect(arena.alloc(8192, VmFlag.NOSLEEP | VmFlag.ENDALLOC)).toBe(0x1e000);
});

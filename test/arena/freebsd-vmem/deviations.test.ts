import { describe, expect, it } from 'vitest';
import { EndlessScanError } from '../../../src/arena/freebsd-vmem/cursor.js';
import { VmemFlag } from '../../../src/arena/freebsd-vmem/flags.js';
import { createKernelArenas } from '../../../src/arena/freebsd-vmem/kernel-arenas.js';
import { AllocSource } from '../../../src/arena/freebsd-vmem/span-source.js';
import { NO_ADDRESS } from '../../../src/core/address.js';
import { MisuseError } from '../../../src/core/errors.js';
import { GIB, MIB } from '../../../src/core/units.js';
import {
  BASE,
  bound,
  exactly,
  newArena,
  newSystem,
  QUANTUM,
  viewOf,
  xalloc,
} from '../../support/freebsd-picture.js';
import { draw } from '../../support/picture.js';

const { NOWAIT, BESTFIT, FIRSTFIT, NEXTFIT } = VmemFlag;
const TOP = 2 ** 53;

function arenaWith(base: number, quanta: number) {
  const system = newSystem();
  const arena = newArena(system);
  arena.addSpan(base, quanta * QUANTUM);
  return { system, arena };
}

describe('the upstream defects of next fit', () => {
  it('1: an endless scan of an empty arena that imports is reported, and nothing has changed', () => {
    const { system, arena: heap } = arenaWith(BASE, 8);
    const source = new AllocSource(heap, QUANTUM, true);
    const child = newArena(system, { name: 'child', source });
    const request = () => child.alloc(QUANTUM, NOWAIT | NEXTFIT);
    expect(request).toThrow(EndlessScanError);
    expect(request).toThrow('next fit would scan for ever: the cursor is first and nothing fits');
    expect([child.imports, heap.allocs, child.allocs]).toEqual([0, 0, 0]);
    expect(child.alloc(QUANTUM, NOWAIT | BESTFIT)).toBe(BASE);
    viewOf(child).check();
  });

  it('1: so is one of an exhausted arena whose cursor went to the head', () => {
    const { arena } = arenaWith(BASE, 2);
    expect(arena.alloc(2 * QUANTUM, NOWAIT | NEXTFIT)).toBe(BASE);
    expect(() => arena.alloc(QUANTUM, NOWAIT | NEXTFIT)).toThrow(EndlessScanError);
    arena.free(BASE, 2 * QUANTUM);
    expect(arena.alloc(QUANTUM, NOWAIT | NEXTFIT)).toBe(BASE);
  });

  it('1: with the cursor elsewhere exhaustion is a refusal', () => {
    const { arena } = arenaWith(BASE, 3);
    expect(arena.alloc(2 * QUANTUM, NOWAIT | NEXTFIT)).toBe(BASE);
    expect(arena.alloc(2 * QUANTUM, NOWAIT | NEXTFIT)).toBe(NO_ADDRESS);
    expect(arena.fails).toBe(1);
  });

  it('2: a size that is not whole quanta is refused as misuse', () => {
    const { arena } = arenaWith(BASE, 8);
    expect(() => arena.alloc(QUANTUM + 1, NOWAIT | NEXTFIT)).toThrow(MisuseError);
    expect(arena.alloc(QUANTUM + 1, NOWAIT | BESTFIT)).toBe(BASE);
  });

  it('3: what merges at the cursor stays on its old list, so that best fit misses it, or takes it early', () => {
    const { arena } = arenaWith(BASE, 12);
    expect(arena.alloc(3 * QUANTUM, NOWAIT | NEXTFIT)).toBe(BASE);
    expect(xalloc(arena, QUANTUM, exactly(5, 1), NOWAIT | BESTFIT)).toBe(bound(5));
    arena.free(BASE, 3 * QUANTUM);
    expect(draw(viewOf(arena))).toBe('[...,,a......]');
    expect(arena.alloc(4 * QUANTUM, NOWAIT | NEXTFIT)).toBe(bound(6));
    expect(draw(viewOf(arena))).toBe('[.....abbbb..]');
    viewOf(arena).check();
    expect(arena.alloc(5 * QUANTUM, NOWAIT | BESTFIT)).toBe(NO_ADDRESS);
    expect(arena.alloc(3 * QUANTUM, NOWAIT | BESTFIT)).toBe(BASE);
    expect(draw(viewOf(arena))).toBe('[aaa..bcccc..]');
  });

  it('quantum caches cannot be filled by next fit', () => {
    const arena = newArena(newSystem(), { qcacheMax: 4 * QUANTUM });
    arena.addSpan(BASE, 8 * QUANTUM);
    expect(() => arena.alloc(QUANTUM, NOWAIT | NEXTFIT)).toThrow('next fit through a quantum cache');
  });
});

describe('the numbered deviations of FreeBSD vmem', () => {
  it('D1: a request that would sleep is counted as waiting and refused', () => {
    const { arena } = arenaWith(BASE, 1);
    expect(arena.alloc(QUANTUM, BESTFIT)).toBe(BASE);
    expect(arena.alloc(QUANTUM, BESTFIT)).toBe(NO_ADDRESS);
    expect([arena.waits, arena.fails]).toEqual([1, 0]);
    expect(arena.alloc(QUANTUM, FIRSTFIT | NOWAIT)).toBe(NO_ADDRESS);
    expect([arena.waits, arena.fails]).toEqual([1, 1]);
  });

  it('D3: the root of the arenas of a kernel is an arena; each level asks for two alignments more', () => {
    const system = newSystem();
    const kernelBase = system.space.toNumber(0xfffffe0000000000n);
    const stacks = { slotPages: 5, kernelBase };
    const options = { base: kernelBase + 256 * MIB, bytes: 8 * GIB, domains: 1, stacks };
    const kernel = createKernelArenas(system, options);
    const slot = 5 * 4096;
    const stack = kernel.stacks[0]!.alloc(slot, NOWAIT | BESTFIT);
    expect((stack - kernelBase) % slot).toBe(0);
    expect([kernel.domains[0]!, kernel.kernel, kernel.map].map(({ inUseBytes }) => inUseBytes / MIB)).toEqual(
      [10, 14, 18],
    );
    expect(kernel.stacks[0]!.totalBytes).toBe(511 * slot);
    kernel.stacks[0]!.free(stack, slot);
    expect([
      kernel.stacks[0]!.totalBytes,
      kernel.domains[0]!.inUseBytes,
      kernel.kernel.inUseBytes / MIB,
    ]).toEqual([0, 0, 14]);
  });

  it.each([
    [1, 2],
    [2, 256],
  ])('D3: with %i memory domains an arena of one imports %i MiB', (domains, mebibytes) => {
    const system = newSystem();
    const kernel = createKernelArenas(system, { base: 2 ** 44, bytes: 64 * GIB, domains });
    for (const domain of kernel.domains) {
      expect(domain.alloc(4096, NOWAIT | BESTFIT)).not.toBe(NO_ADDRESS);
      expect(domain.totalBytes / MIB).toBe(mebibytes);
    }
    expect(kernel.stacks).toEqual([]);
  });

  it('D4: an aligned start beyond the last address does not fit', () => {
    const { arena } = arenaWith(TOP - 3 * QUANTUM, 3);
    expect(xalloc(arena, QUANTUM, { align: 64 * QUANTUM }, NOWAIT | BESTFIT)).toBe(NO_ADDRESS);
    expect(xalloc(arena, 3 * QUANTUM, {}, NOWAIT | BESTFIT)).toBe(TOP - 3 * QUANTUM);
  });

  it('D5: locks are counted, and buckets keep their size', () => {
    const { system, arena } = arenaWith(BASE, 4);
    const before = system.locks.acquisitions;
    const address = arena.alloc(QUANTUM, NOWAIT | BESTFIT);
    const between = system.locks.acquisitions;
    arena.free(address, QUANTUM);
    expect([between - before, system.locks.acquisitions - between]).toEqual([1, 1]);
  });

  it('D6: a span that is not whole quanta is misuse', () => {
    const { system, arena } = arenaWith(BASE, 8);
    expect(() => arena.addSpan(BASE + 4096 + 1, QUANTUM)).toThrow(MisuseError);
    expect(() => arena.addSpan(BASE + 4096, QUANTUM - 1)).toThrow(MisuseError);
    const child = newArena(system, { quantum: 4 * QUANTUM, source: new AllocSource(arena, QUANTUM, true) });
    arena.alloc(QUANTUM, NOWAIT | BESTFIT);
    expect(() => child.alloc(2 * QUANTUM, NOWAIT | BESTFIT)).toThrow('bad span');
  });

  it('D7: imports that do not help use up the spare tags of a request', () => {
    const { system, arena: heap } = arenaWith(BASE, 64);
    const child = newArena(system, { name: 'child', source: new AllocSource(heap, QUANTUM, true) });
    const request = () => child.xalloc(QUANTUM, 0, 0, 0, 0, BASE - 1, NOWAIT | BESTFIT);
    expect(request).toThrow('a request ran out of spare tags [arena=child]');
    expect(child.imports).toBe(3);
  });
});

import { expect } from 'vitest';
import { ABIS } from '../../src/arena/netbsd-vmem/abi.js';
import { type ArenaSpec, LAST_ADDRESS, type VmemArena } from '../../src/arena/netbsd-vmem/arena.js';
import { VmFlag } from '../../src/arena/netbsd-vmem/flags.js';
import { VmemSystem } from '../../src/arena/netbsd-vmem/system.js';
import { VmemView } from '../../src/arena/netbsd-vmem/view.js';
import { type Address, AddressSpace } from '../../src/core/address.js';
import type { Constraint } from '../../src/core/request.js';
import { GIB } from '../../src/core/units.js';
import { Picture, type PictureSubject, picture } from './picture.js';

export const QUANTUM = 16;
export const BASE = 2 ** 44;

export type Policy = 'INSTANTFIT' | 'BESTFIT';

/** A bound for a constraint, in quanta from the base. */
export function bound(quanta: number): Address {
  return BASE + quanta * QUANTUM;
}

/** The constraint that leaves just one place. */
export function exactly(quanta: number, length: number): Constraint {
  return { minAddress: bound(quanta), maxAddress: bound(quanta + length) };
}

/** A kernel whose metadata lie far from the arenas under test. */
export function newSystem(cpus = 1): VmemSystem {
  return new VmemSystem({ space: AddressSpace.canonical, cpus, kmem: { base: 2 ** 46, bytes: GIB } });
}

/** An arena without spans and quantum caches, of quantum 16. */
export function newArena(system: VmemSystem, given: Partial<ArenaSpec> = {}): VmemArena {
  const spec = { name: 'arena', quantum: QUANTUM, qcacheMax: 0, flags: 0, source: null };
  return system.createArena({ ...spec, ...given });
}

export function viewOf(arena: VmemArena): VmemView {
  return new VmemView(arena, ABIS.lp64);
}

/** vmem_xalloc with a constraint, whose upper bound is exclusive. */
export function xalloc(arena: VmemArena, size: number, constraint: Constraint, flags: number): Address {
  const { align = 0, phase = 0, nocross = 0, minAddress = 0, maxAddress = 0 } = constraint;
  const last = maxAddress === 0 ? LAST_ADDRESS : maxAddress - 1;
  return arena.xalloc(size, align, phase, nocross, minAddress, last, flags);
}

/** An arena as pictures drive it, every request made with one policy. */
export function subjectOf(arena: VmemArena, policy: Policy): PictureSubject {
  const flags = VmFlag[policy] | VmFlag.NOSLEEP;
  return {
    view: viewOf(arena),
    base: BASE,
    alloc: (size, constraint) =>
      constraint === undefined ? arena.alloc(size, flags) : xalloc(arena, size, constraint, flags),
    free: (address, size) => arena.free(address, size),
    place(start, size) {
      const given = { minAddress: start, maxAddress: start + size };
      expect(xalloc(arena, size, given, VmFlag.BESTFIT | VmFlag.NOSLEEP)).toBe(start);
    },
  };
}

/** One arena with one span in the state that is drawn; gaps are listed in the order of the runs before them. */
export function drawn(policy: Policy, drawing: string): Picture {
  return picture((quanta) => {
    const arena = newArena(newSystem());
    arena.addSpan(BASE, quanta * QUANTUM);
    return subjectOf(arena, policy);
  }, drawing);
}

/** An arena with spans in order of creation, each [first quantum, quanta] from the base. */
export function spans(
  policy: Policy,
  ...ranges: readonly (readonly [from: number, quanta: number])[]
): Picture {
  const arena = newArena(newSystem());
  for (const [from, quanta] of ranges) arena.addSpan(bound(from), quanta * QUANTUM);
  return new Picture(subjectOf(arena, policy));
}

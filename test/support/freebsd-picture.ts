import { expect } from 'vitest';
import { ABIS } from '../../src/arena/freebsd-vmem/abi.js';
import type { ArenaSpec, VmemArena } from '../../src/arena/freebsd-vmem/arena.js';
import { VmemFlag } from '../../src/arena/freebsd-vmem/flags.js';
import { LAST_ADDRESS } from '../../src/arena/freebsd-vmem/placement.js';
import { VmemSystem } from '../../src/arena/freebsd-vmem/system.js';
import { VmemView } from '../../src/arena/freebsd-vmem/view.js';
import { type Address, AddressSpace } from '../../src/core/address.js';
import type { Constraint } from '../../src/core/request.js';
import { Picture, type PictureSubject, picture } from './picture.js';

export const QUANTUM = 16;
export const BASE = 2 ** 44;

export type Policy = 'FIRSTFIT' | 'BESTFIT' | 'NEXTFIT';

/** A bound for a constraint, in quanta from the base. */
export function bound(quanta: number): Address {
  return BASE + quanta * QUANTUM;
}

/** The constraint that leaves just one place. */
export function exactly(quanta: number, length: number): Constraint {
  return { minAddress: bound(quanta), maxAddress: bound(quanta + length) };
}

export function newSystem(cpus = 1): VmemSystem {
  return new VmemSystem({ space: AddressSpace.canonical, cpus });
}

/** An arena without spans and quantum caches, of quantum 16. */
export function newArena(system: VmemSystem, given: Partial<ArenaSpec> = {}): VmemArena {
  return system.createArena({ name: 'arena', quantum: QUANTUM, qcacheMax: 0, source: null, ...given });
}

export function viewOf(arena: VmemArena, cpus = 1): VmemView {
  return new VmemView(arena, ABIS[13], cpus);
}

/** vmem_xalloc with a constraint, whose upper bound is exclusive. */
export function xalloc(arena: VmemArena, size: number, constraint: Constraint, flags: number): Address {
  const { align = 0, phase = 0, nocross = 0, minAddress = 0, maxAddress = 0 } = constraint;
  const last = maxAddress === 0 ? LAST_ADDRESS : maxAddress - 1;
  return arena.xalloc(size, align, phase, nocross, minAddress, last, flags);
}

/** An arena as pictures drive it, every request made with one policy. */
export function subjectOf(arena: VmemArena, policy: Policy): PictureSubject {
  const flags = VmemFlag[policy] | VmemFlag.NOWAIT;
  return {
    view: viewOf(arena),
    base: BASE,
    alloc: (size, constraint) =>
      constraint === undefined ? arena.alloc(size, flags) : xalloc(arena, size, constraint, flags),
    free: (address, size) => arena.free(address, size),
    place(start, size) {
      const given = { minAddress: start, maxAddress: start + size };
      expect(xalloc(arena, size, given, VmemFlag.BESTFIT | VmemFlag.NOWAIT)).toBe(start);
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

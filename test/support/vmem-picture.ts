import { expect } from 'vitest';
import { ABIS } from '../../src/arena/illumos-vmem/abi.js';
import type { ArenaSpec, VmemArena } from '../../src/arena/illumos-vmem/arena.js';
import { VmFlag } from '../../src/arena/illumos-vmem/flags.js';
import { VmemSystem } from '../../src/arena/illumos-vmem/system.js';
import { VmemView } from '../../src/arena/illumos-vmem/view.js';
import { type Address, AddressSpace } from '../../src/core/address.js';
import type { Constraint } from '../../src/core/request.js';
import { Picture, type PictureSubject, picture } from './picture.js';

export const QUANTUM = 16;
export const BASE = 2 ** 44;

export type Policy = 'INSTANTFIT' | 'BESTFIT' | 'FIRSTFIT' | 'NEXTFIT' | 'ENDALLOC';

export function flagsOf(policy: Policy): number {
  return VmFlag.NOSLEEP | (policy === 'INSTANTFIT' ? 0 : VmFlag[policy]);
}

/** A bound for a constraint, in quanta from the base. */
export function bound(quanta: number): Address {
  return BASE + quanta * QUANTUM;
}

/** The constraint that leaves just one place. */
export function exactly(quanta: number, length: number): Constraint {
  return { minAddress: bound(quanta), maxAddress: bound(quanta + length) };
}

export function newSystem(): VmemSystem {
  return new VmemSystem({ space: AddressSpace.canonical, cpus: 1 });
}

/** An arena without spans and quantum caches, of quantum 16. */
export function newArena(system: VmemSystem, given: Partial<ArenaSpec> = {}): VmemArena {
  return system.createArena({
    name: 'arena',
    quantum: QUANTUM,
    qcacheMax: 0,
    flags: 0,
    source: null,
    ...given,
  });
}

export function viewOf(arena: VmemArena): VmemView {
  return new VmemView(arena, [], ABIS.lp64, 1);
}

/** An arena as pictures drive it, every request made with one policy. */
export function subjectOf(arena: VmemArena, policy: Policy): PictureSubject {
  const xalloc = (size: number, constraint: Constraint, flags: number) => {
    const { align = 0, phase = 0, nocross = 0, minAddress = 0, maxAddress = 0 } = constraint;
    return arena.xalloc(size, align, phase, nocross, minAddress, maxAddress, flags);
  };
  return {
    view: viewOf(arena),
    base: BASE,
    alloc: (size, constraint) =>
      constraint === undefined
        ? arena.alloc(size, flagsOf(policy))
        : xalloc(size, constraint, flagsOf(policy)),
    free: (address, size) => arena.free(address, size),
    place(start, size) {
      const flags = VmFlag.NOSLEEP | VmFlag.BESTFIT;
      expect(xalloc(size, { minAddress: start, maxAddress: start + size }, flags)).toBe(start);
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

import { describe, expect, it } from 'vitest';
import type { VmemArena } from '../../../src/arena/illumos-vmem/arena.js';
import { AddressSpace, NO_ADDRESS } from '../../../src/core/address.js';
import { flagsOf, newArena, newSystem, viewOf } from '../../support/vmem-picture.js';

const PAGE = 4096;
const TOP = 2n ** 64n;
const { canonical } = AddressSpace;

/** An arena whose one span is the last `bytes` of the address space. */
function lastBytes(bytes: number, quantum: number): VmemArena {
  const arena = newArena(newSystem(), { quantum });
  arena.addSpan(canonical.toNumber(TOP - BigInt(bytes)), bytes);
  return arena;
}

describe('at the top of the address space', () => {
  it.each([
    [1, 1, 2],
    [PAGE, 1, 2 * PAGE],
    [PAGE, PAGE, 2 * PAGE],
    [PAGE, PAGE - 1, 2 ** 30],
  ])('quantum %i, %i bytes: no address beyond the end although aligned to %i', (quantum, size, align) => {
    const arena = lastBytes(quantum, quantum);
    expect(arena.xalloc(size, align, 0, 0, 0, 0, flagsOf('BESTFIT'))).toBe(NO_ADDRESS);
    viewOf(arena).check();
  });

  it('the last quantum is allocated and freed as any other', () => {
    const arena = lastBytes(4 * PAGE, PAGE);
    const last = arena.alloc(PAGE, flagsOf('ENDALLOC'));
    expect(canonical.format(last)).toBe('0xfffffffffffff000');
    expect(canonical.format(arena.alloc(3 * PAGE, flagsOf('NEXTFIT')))).toBe('0xffffffffffffc000');
    arena.free(last, PAGE);
    expect(arena.xalloc(1, PAGE, 0, 0, last, 0, flagsOf('FIRSTFIT'))).toBe(last);
    viewOf(arena).check();
  });
});

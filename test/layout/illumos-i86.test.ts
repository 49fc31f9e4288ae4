import { describe, expect, it } from 'vitest';
import { i86Bases, i86Layout } from '../../src/layout/illumos-i86.js';
import { isSound } from '../../src/layout/layout.js';
import { inputErrorOf } from '../support/input-error.js';

const MIB = 1n << 20n;
const GIB = 1n << 30n;

describe('the layout of 32-bit x86', () => {
  it.each([
    [1n, 0xd180_0000n, 684n],
    [4n, 0xca00_0000n, 744n],
    [64n, 0x3400_0000n, 1944n],
  ])('has the heap of the table in startup.c for %d GiB', (gib, kernelbase, spanMib) => {
    const bases = i86Bases({ physmem: gib * GIB, segkp: 'heap' });
    expect([bases.kernelbase, bases.heapSpan]).toEqual([kernelbase, spanMib * MIB]);
  });

  it('loses exactly segkp where that is static', () => {
    const machine = { physmem: 4n * GIB } as const;
    const heap = i86Layout({ ...machine, segkp: 'heap' }).heap.size;
    expect(heap - i86Layout({ ...machine, segkp: 'static' }).heap.size).toBe(200n * MIB);
  });

  it('tells of a kernelbase that the ABI forbids, and works all the same', () => {
    const layout = i86Layout({ physmem: 16n * GIB, segkp: 'heap' });
    expect(layout.findings.map(({ kind }) => kind)).toEqual(['note']);
    expect(isSound(layout)).toBe(true);
  });

  it('flags tables that reach down through the red zone', () => {
    const layout = i86Layout({ physmem: 64n * GIB, segkp: 'heap', kernelbase: 0xe000_0000n });
    const kinds = new Set(layout.findings.map(({ kind }) => kind));
    expect(kinds).toEqual(new Set(['does not fit', 'overlap', 'red zone']));
  });

  it('rounds kernelbase of eeprom down and bounds it', () => {
    const at = (kernelbase: bigint) => i86Bases({ physmem: GIB, segkp: 'heap', kernelbase }).kernelbase;
    expect(at(0xd010_0000n)).toBe(0xd000_0000n);
    expect(at(0xf000_0000n)).toBe(0xe000_0000n);
    expect(i86Bases({ physmem: GIB, segkp: 'heap', kernelbase: 0xd030_0000n, pae: false }).kernelbase).toBe(
      0xd000_0000n,
    );
  });

  it.each([
    ['65 GiB', { physmem: 65n * GIB }, 'physmem: 69793218560 bytes'],
    ['5 GiB without PAE', { physmem: 5n * GIB, pae: false }, 'physmem: 5368709120 bytes'],
    ['no kernelbase', { physmem: GIB, kernelbase: 0n }, 'kernelbase: 0x0 is no kernelbase'],
    ['a segkp of nothing', { physmem: GIB, segkpSize: 0n }, 'segkp-size: 0 bytes'],
  ])('refuses %s', (_what, machine, message) => {
    expect(inputErrorOf(() => i86Layout({ segkp: 'static', ...machine }))).toContain(message);
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type AddressRange, AddressSpace } from '../../src/core/address.js';
import { InputError } from '../../src/core/errors.js';

const WORD = 1n << 64n;
const canonicalAddress = fc
  .tuple(fc.bigInt({ min: 0n, max: (1n << 52n) - 1n }), fc.boolean())
  .map(([low, isHigh]) => (isHigh ? WORD - 1n - low : low));

describe('the canonical address space', () => {
  const space = AddressSpace.canonical;

  it('maps addresses to numbers and back, in order', () => {
    fc.assert(
      fc.property(canonicalAddress, canonicalAddress, (one, other) => {
        expect(space.toBigInt(space.toNumber(one))).toBe(one);
        expect(space.toNumber(one) < space.toNumber(other)).toBe(one < other);
      }),
      {
        examples: [
          [0n, WORD - 1n],
          [WORD - (1n << 52n), (1n << 52n) - 1n],
        ],
      },
    );
  });

  it('keeps every alignment up to 2^48, and distances within a half', () => {
    fc.assert(
      fc.property(
        canonicalAddress,
        fc.integer({ min: 0, max: 48 }),
        fc.nat(),
        (address, exponent, distance) => {
          const align = 2 ** exponent;
          expect(space.toNumber(address) % align).toBe(Number(address % BigInt(align)));
          const other = address + BigInt(distance);
          if (other >= WORD || (address < WORD / 2n && other >= 1n << 52n)) return;
          expect(space.toNumber(other) - space.toNumber(address)).toBe(distance);
        },
      ),
    );
  });

  it('holds the top of the address space as an exclusive end', () => {
    expect(space.endToNumber(WORD)).toBe(2 ** 53);
    expect(space.endToNumber(0n)).toBe(2 ** 53);
    expect(space.format(2 ** 53)).toBe('0x10000000000000000');
    expect(space.format(space.toNumber(WORD - 1n))).toBe('0xffffffffffffffff');
  });

  it('prints sign-extended in lower case', () => {
    expect(space.format(space.toNumber(0xffffc90000000000n))).toBe('0xffffc90000000000');
    expect(space.format(0)).toBe('0x0');
  });

  it('refuses what no kernel maps', () => {
    expect(() => space.toNumber(1n << 52n)).toThrow(InputError);
    expect(() => space.toNumber(1n << 63n)).toThrow('0x8000000000000000 is outside');
  });

  it('clamps a bound to the next address that exists', () => {
    expect(space.clamp(0x1234n)).toBe(0x1234);
    expect(space.clamp(1n << 60n)).toBe(space.toNumber(WORD - (1n << 52n)));
    expect(AddressSpace.covering([{ start: 1n << 60n, end: (1n << 60n) + 1n }]).clamp(WORD - 1n)).toBe(
      2 ** 53,
    );
  });
});

describe('a space that covers given ranges', () => {
  const range = fc
    .tuple(fc.bigInt({ min: 0n, max: WORD - 1n }), fc.bigInt({ min: 1n, max: 1n << 49n }))
    .map(([start, size]): AddressRange => ({ start, end: start + size > WORD ? WORD : start + size }));

  it('holds every byte of them, in order', () => {
    fc.assert(
      fc.property(fc.array(range, { minLength: 1, maxLength: 5 }), (ranges) => {
        const space = AddressSpace.covering(ranges);
        const addresses = ranges
          .flatMap(({ start, end }) => [start, end - 1n])
          .sort((a, b) => (a < b ? -1 : 1));
        for (const address of addresses) expect(space.toBigInt(space.toNumber(address))).toBe(address);
        const numbers = addresses.map((address) => space.toNumber(address));
        expect(numbers).toEqual([...numbers].sort((a, b) => a - b));
        for (const { start, end } of ranges) {
          expect(BigInt(space.endToNumber(end) - space.toNumber(start))).toBe(end - start);
        }
      }),
    );
  });

  it('is the canonical one where that suffices', () => {
    expect(AddressSpace.covering([{ start: 0x1000n, end: 0x2000n }])).toBe(AddressSpace.canonical);
  });

  it('never makes ranges adjacent that are not', () => {
    const ranges = [
      { start: 1n << 60n, end: (1n << 60n) + (1n << 48n) },
      { start: (1n << 60n) + (2n << 48n), end: (1n << 60n) + (3n << 48n) },
    ] as const;
    const space = AddressSpace.covering(ranges);
    expect(space.endToNumber(ranges[0].end)).toBeLessThan(space.toNumber(ranges[1].start));
  });

  it('refuses an empty range and too many windows', () => {
    expect(() => AddressSpace.covering([{ start: 5n, end: 5n }])).toThrow('bad address range 0x5..0x5');
    expect(() => AddressSpace.covering([{ start: 0n, end: WORD }])).toThrow(InputError);
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { after, scanHexAddress } from '../../src/trace/text-scan.js';
import {
  afterName,
  COLONS,
  FieldName,
  firstNonSpace,
  firstOf,
  RepeatedBytes,
  SPACES,
  standsAt,
  viewOf,
  wholeAddress,
} from '../../src/trace/word-scan.js';

const bytes = (text: string) => Uint8Array.from(Buffer.from(text, 'latin1'));
const NAMES = [
  ' ptr=',
  ' size=',
  ' align=',
  ' va_end=',
  ' va_start=',
  ' va_start: ',
  ' call_site=',
  ' bytes_alloc=',
];

/** Texts in which names, beginnings of names and what differs from a space in a bit come thick. */
const text = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        ...NAMES,
        ...NAMES.map((name) => name.slice(0, -1)),
        ' ',
        '  ',
        '!',
        '\x1f',
        '\xa0',
        '\0',
      ),
      fc.string({ maxLength: 6 }),
    ),
    { maxLength: 12 },
  )
  .map((parts) => parts.join(''));

describe('names of fields', () => {
  it('are found where they are byte by byte, and not beyond the end', () => {
    const property = fc.property(
      text,
      fc.constantFrom(...NAMES),
      fc.nat(9),
      fc.nat(9),
      (line, name, from, less) => {
        const all = bytes(line);
        const end = Math.max(0, all.length - less);
        const field = new FieldName(name);
        const wanted = after(all, bytes(name), from, end);
        expect(afterName(viewOf(all), field, from, end)).toBe(wanted);
        for (let at = 0; at < end; at++) {
          expect(standsAt(viewOf(all), field, at, end)).toBe(
            line.startsWith(name, at) && at + name.length <= end,
          );
        }
      },
    );
    fc.assert(property, { numRuns: 1000 });
  });
});

describe('bytes of another line', () => {
  it('stand where they are one by one, and not beyond the end', () => {
    const property = fc.property(text, fc.nat(20), fc.nat(40), fc.nat(40), (line, from, to, capacity) => {
      const all = bytes(line);
      const [start, end] = [Math.min(from, all.length), Math.min(Math.max(from, to), all.length)];
      const repeated = new RepeatedBytes(capacity);
      repeated.take(viewOf(all), start, end);
      const held = end - start >= 8 && end - start <= capacity;
      expect(repeated.length).toBe(held ? end - start : 0);
      const part = line.slice(start, end);
      // A copy: what they were taken from may be gone.
      for (let flipped = 0; flipped <= part.length; flipped++) {
        const other = bytes(part);
        if (flipped < part.length) other[flipped]! ^= 1;
        const stands = held && flipped === part.length;
        expect(repeated.standAt(viewOf(other), 0, other.length)).toBe(stands);
      }
      for (let at = 0; at < all.length; at++) {
        const stands = held && line.startsWith(part, at);
        expect(repeated.standAt(viewOf(all), at, all.length)).toBe(stands);
        expect(repeated.standAt(viewOf(all), at, at + part.length - 1)).toBe(false);
      }
    });
    fc.assert(property, { numRuns: 500 });
  });

  it('do not stand where doubles are equal and bytes are not, or equal nothing', () => {
    const zeros = new Uint8Array(12);
    const negative = Uint8Array.from({ length: 12 }, (_, index) => (index === 11 ? 0x80 : 0));
    const noNumber = new Uint8Array(12).fill(0xff);
    for (const taken of [zeros, negative, noNumber]) {
      const repeated = new RepeatedBytes(12);
      repeated.take(viewOf(taken), 0, 12);
      for (const other of [zeros, negative, noNumber])
        expect(repeated.standAt(viewOf(other), 0, 12)).toBe(false);
    }
  });
});

describe('bytes', () => {
  it('are found where they are one by one', () => {
    const property = fc.property(text, fc.nat(9), fc.nat(9), (line, from, less) => {
      const all = bytes(line.replaceAll('=', ':'));
      const end = Math.max(from, all.length - less);
      fc.pre(end <= all.length);
      const view = viewOf(all);
      const part = [...all.subarray(from, end)];
      const place = (index: number) => (index < 0 ? end : from + index);
      expect(firstOf(view, SPACES, from, end)).toBe(place(part.indexOf(0x20)));
      expect(firstOf(view, COLONS, from, end)).toBe(place(part.indexOf(0x3a)));
      expect(firstNonSpace(view, from, end)).toBe(place(part.findIndex((byte) => byte !== 0x20)));
    });
    fc.assert(property, { numRuns: 1000 });
  });
});

describe('addresses of sixteen digits', () => {
  const digits = (alphabet: string) =>
    fc.array(fc.constantFrom(...alphabet), { minLength: 12, maxLength: 18 }).map((list) => list.join(''));

  it('are read as digit by digit, and nothing else is', () => {
    const prefix = fc.constantFrom('', 'ffff', 'fff', '0000', '000', '0x', 'fffe');
    const property = fc.property(
      prefix,
      digits('0123456789abcdefABCDEF'),
      fc.constantFrom('', ' ', 'g'),
      (...parts) => {
        const line = bytes(parts.join(''));
        const found = wholeAddress(viewOf(line), 0, line.length);
        const isWhole = /^[0-9a-f]{16}([^0-9a-f]|$)/i.test(parts.join(''));
        expect(found).toBe(isWhole ? scanHexAddress(line, 0, line.length) : Number.NaN);
      },
    );
    fc.assert(property, { numRuns: 1000 });
    const cut = bytes('ffff888000100000');
    expect(wholeAddress(viewOf(cut), 0, 15)).toBeNaN();
    expect(wholeAddress(viewOf(cut), -1, 16)).toBeNaN();
  });
});

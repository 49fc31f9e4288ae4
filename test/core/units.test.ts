import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { InputError } from '../../src/core/errors.js';
import {
  formatBytes,
  formatDuration,
  highBit,
  isPowerOfTwo,
  parseBytes,
  parseDuration,
  roundDown,
  roundUp,
} from '../../src/core/units.js';

const length = fc.maxSafeInteger().filter((value) => value >= 0);
const power = fc.integer({ min: 0, max: 53 }).map((exponent) => 2 ** exponent);

describe('integers up to 2^53', () => {
  it('highBit is the length of the binary notation', () => {
    const check = (value: number) => {
      expect(highBit(value)).toBe(value === 0 ? 0 : value.toString(2).length);
    };
    for (let exponent = 0; exponent <= 53; exponent++) {
      check(2 ** exponent);
      check(2 ** exponent - 1);
    }
    fc.assert(fc.property(length, check));
  });

  it('isPowerOfTwo knows the powers and nothing else', () => {
    fc.assert(fc.property(power, (value) => isPowerOfTwo(value)));
    fc.assert(
      fc.property(length, (value) => isPowerOfTwo(value) === /^10*$/.test(value.toString(2))),
      { examples: [[0], [1], [3], [2 ** 32 + 1], [2 ** 32 - 1], [2 ** 52 + 2 ** 32]] },
    );
  });

  it('rounds to the nearest multiple on either side', () => {
    const value = fc.integer({ min: 0, max: 2 ** 52 });
    const unit = fc.integer({ min: 1, max: 2 ** 40 });
    fc.assert(
      fc.property(value, unit, (value, unit) => {
        expect(BigInt(roundUp(value, unit))).toBe(
          ((BigInt(value) + BigInt(unit) - 1n) / BigInt(unit)) * BigInt(unit),
        );
        expect(BigInt(roundDown(value, unit))).toBe((BigInt(value) / BigInt(unit)) * BigInt(unit));
      }),
    );
  });
});

describe('lengths as text', () => {
  it.each([
    ['4096', 4096],
    ['0x1000', 4096],
    ['64KiB', 65536],
    ['64k', 65536],
    ['1.5G', 1.5 * 2 ** 30],
    ['32 TiB', 2 ** 45],
    [' 7 B ', 7],
    ['9007199254740992', 2 ** 53],
    [512, 512],
  ])('reads %s', (text, bytes) => {
    expect(parseBytes(text)).toBe(bytes);
  });

  it.each(['', '-1', '1.5', 'abc', '4 parsecs', '9007199254740994', '0x', '1e3', Number.NaN, -4096, 0.5])(
    'refuses %s',
    (text) => {
      expect(() => parseBytes(text, { field: 'size' })).toThrow(InputError);
      expect(() => parseBytes(text, { field: 'size' })).toThrow(`size: '${text}' is not a length (allowed: `);
    },
  );

  it.each([
    [0, '0 B'],
    [1023, '1023 B'],
    [1536, '1.50 KiB'],
    [2 ** 45, '32 TiB'],
    [2 ** 53, '8 PiB'],
    [2 ** 64 - 2 ** 48, '16.0 EiB'],
    [1234567, '1.18 MiB'],
  ])('formats %d', (bytes, text) => {
    expect(formatBytes(bytes)).toBe(text);
  });
});

describe('durations as text', () => {
  it.each([
    ['250', 250],
    ['2s', 2e9],
    ['1.1s', 1_100_000_000],
    ['0.3us', 300],
    ['500ms', 5e8],
    [' 10 us ', 10_000],
    ['10min', 6e11],
    ['3h', 3 * 3600e9],
    ['9007199254740992', 2 ** 53],
    [1000, 1000],
  ])('reads %s', (text, duration) => {
    expect(parseDuration(text)).toBe(duration);
  });

  it.each(['', '-1s', '1.5', '1.0000000001s', 's', '4 fortnights', '9007199254740994', '1e3', '0x10', 0.5])(
    'refuses %s',
    (text) => {
      expect(() => parseDuration(text)).toThrow(InputError);
    },
  );

  it('prints what it reads', () => {
    expect([0, 1500, 2e9, 9e10, 36e11, 5e5].map(formatDuration)).toEqual([
      '0s',
      '1500ns',
      '2s',
      '90s',
      '1h',
      '500us',
    ]);
    fc.assert(fc.property(length, (value) => parseDuration(formatDuration(value)) === value));
  });
});

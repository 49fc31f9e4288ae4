import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AddressSpace } from '../../src/core/address.js';
import { RecordedClock } from '../../src/trace/recorded-clock.js';
import { scanDecimalAddress, scanHexAddress, scanInteger } from '../../src/trace/text-scan.js';

const bytes = (text: string) => Uint8Array.from(Buffer.from(text));
const canonical = fc
  .tuple(fc.bigInt({ min: 0n, max: 2n ** 52n - 1n }), fc.boolean())
  .map(([low, upper]) => (upper ? 2n ** 64n - 2n ** 52n + low : low));

describe('addresses in text', () => {
  it('are those of the canonical address space, in hexadecimal and in decimal', () => {
    fc.assert(
      fc.property(canonical, (address) => {
        const wanted = AddressSpace.canonical.toNumber(address);
        const plain = bytes(`${address.toString(16)} `);
        const decimal = bytes(`${address} `);
        const prefixed = bytes(`0x${address.toString(16)}`);
        expect(scanHexAddress(plain, 0, plain.length)).toBe(wanted);
        expect(scanHexAddress(prefixed, 0, prefixed.length)).toBe(wanted);
        expect(scanDecimalAddress(decimal, 0, decimal.length)).toBe(wanted);
      }),
    );
  });

  it.each(['', 'x', '0x', '12345678901234567', '0123456789abcdef'])('are not found in %j', (text) => {
    expect(scanHexAddress(bytes(text), 0, text.length)).toBeNaN();
  });

  it.each(['', 'f', '123456789012345678901', '18446744073709551616', '9999999999999999999'])(
    'are not found in decimal %j',
    (text) => {
      expect(scanDecimalAddress(bytes(text), 0, text.length)).toBeNaN();
    },
  );
});

describe('integers in text', () => {
  it.each([
    ['20480 align', 20480],
    ['0x5000 (20480)', 20480],
    ['0', 0],
    ['-1', Number.NaN],
    ['', Number.NaN],
    ['99999999999999999', Number.NaN],
  ])('%j is %d', (text, value) => {
    expect(scanInteger(bytes(text), 0, text.length)).toBe(value);
  });
});

describe('recorded clock', () => {
  const readAll = (stamps: string[], tickNs = 1) => {
    const clock = new RecordedClock(tickNs);
    return stamps.map((stamp) => (clock.read(bytes(stamp), 0, stamp.length) ? clock.nowNs : undefined));
  };

  it('keeps stamps above 2^53 ns exact', () => {
    expect(readAll(['1795232102.577700', '1795232102.577701', '1795232103.000000'])).toEqual([
      0, 1000, 422_300_000,
    ]);
    expect(readAll(['1795232102.577700001', '1795232102.577700002'])).toEqual([0, 1]);
    expect(readAll(['18446744073709551000', '18446744073709551615'])).toEqual([0, 615]);
  });

  it('counts ticks as long as it is told', () => {
    expect(readAll(['1324', '1325'], 4_000_000)).toEqual([0, 4_000_000]);
  });

  it('refuses what is no stamp and a change of the clock', () => {
    expect(readAll(['1.5', '2', '', 'a', '1.', '1.x', '1.1234567890'])).toEqual([
      0,
      undefined,
      undefined,
      undefined,
      undefined,
      undefined,
      undefined,
    ]);
  });
});

import { describe, expect, it } from 'vitest';
import { parseMemory, scaledKib } from '../../src/memlock/memory-units.js';
import { inputErrorOf } from '../support/input-error.js';

describe("libvirt's units", () => {
  it.each([
    ['1024', undefined, 1024n],
    ['1', 'KiB', 1n],
    ['1', 'k', 1n],
    ['1000', 'KB', 977n],
    ['1', 'MB', 977n],
    ['1', 'm', 1024n],
    ['2', 'GiB', 2n << 20n],
    ['1', 'GB', 976_563n],
    ['1', 'TIB', 1n << 30n],
    ['1', 'P', 1n << 40n],
    ['7', 'E', 7n << 50n],
    ['1025', 'bytes', 2n],
    ['1', 'b', 1n],
    [' 5 ', 'KiB', 5n],
  ])('%s %s rounds up to KiB', (digits, unit, kib) => {
    expect(scaledKib(digits, unit, {})).toBe(kib);
  });

  it.each([
    ['1', 'XB', "unknown unit 'XB'"],
    ['1', 'KiBi', "unknown unit 'KiBi'"],
    ['1', '', "unknown unit ''"],
    ['-1', 'KiB', "'-1' is not a length"],
    ['1.5', 'GiB', "'1.5' is not a length"],
    ['8', 'EiB', 'is too large'],
    ['9'.repeat(40), 'KiB', 'is too large'],
    ['9'.repeat(4000), 'KiB', 'is not a length'],
  ])('%s %s is refused', (digits, unit, message) => {
    expect(inputErrorOf(() => scaledKib(digits, unit, { field: 'memory' }))).toContain(message);
  });

  it('reads one word', () => {
    expect([parseMemory('8GiB', {}), parseMemory('12', {})]).toEqual([8n << 20n, 12n]);
    expect(inputErrorOf(() => parseMemory('GiB', {}))).toContain("'GiB' is not a length");
  });
});

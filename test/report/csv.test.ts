import { parse } from 'csv-parse/sync';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { InvariantError } from '../../src/core/errors.js';
import { csvField, csvText } from '../../src/report/csv.js';

describe('csvText', () => {
  it.each([
    ['=1+1', "'=1+1"],
    ['+x', "'+x"],
    ['-x', "'-x"],
    ['@SUM(A1)', "'@SUM(A1)"],
    ['\tx', "'\tx"],
    ['＝1', "'＝1"],
    ["'=1", "''=1"],
    ["'x", "'x"],
    ['plain-x', 'plain-x'],
    [-0.5, '-0.5'],
    [-0, '0'],
    [0.1 + 0.2, '0.30000000000000004'],
    [2 ** 53, '9007199254740992'],
    [Number.NaN, ''],
  ])('writes %j as %j', (field, text) => {
    expect(csvField(field)).toBe(text);
  });

  it('refuses an infinite figure', () => {
    expect(() => csvField(Number.POSITIVE_INFINITY)).toThrow(InvariantError);
  });

  it('quotes as RFC 4180 says', () => {
    expect(csvText([['a,b', 'say "x"', 'two\nlines', '']])).toBe('"a,b","say ""x""","two\nlines",\n');
  });

  it('is read back by another library, every number the same', () => {
    const field = fc.oneof(
      fc.double({ noNaN: true, noDefaultInfinity: true }),
      fc.string().filter((text) => !/^'*[=+\-@\t\r\n＝＋－＠]/.test(text)),
    );
    fc.assert(
      fc.property(fc.array(fc.tuple(field, field), { minLength: 1 }), (rows) => {
        const back: string[][] = parse(csvText(rows), { record_delimiter: '\n' });
        expect(back.map((row) => row.map(String))).toEqual(
          rows.map((row) => row.map((value) => String(value))),
        );
        rows.flat().forEach((value, index) => {
          if (typeof value === 'number') expect(Number(back.flat()[index])).toBe(value + 0);
        });
      }),
    );
  });
});

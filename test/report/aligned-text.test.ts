import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { alignedLines, tableLines } from '../../src/report/aligned-text.js';

const right = (count: number) => Array.from({ length: count }, () => 'right' as const);

/** A table of figures, each as wide as its column's head. */
function figures(columns: number, keys: readonly string[]): string[][] {
  const heads = Array.from({ length: columns }, (_, column) => `column${column}`);
  return [
    ['backend', ...heads],
    ...keys.map((key) => [key, ...heads.map((head) => '7'.repeat(head.length))]),
  ];
}

describe('a table as text', () => {
  it('is as wide as it takes where there is room, or no limit', () => {
    const rows = figures(2, ['one']);
    const table = { rows, alignments: ['left' as const, ...right(2)], gap: ' ' };
    const lines = ['backend column0 column1', 'one     7777777 7777777'];
    expect(alignedLines(table)).toEqual(lines);
    expect(alignedLines({ ...table, width: 23 })).toEqual(lines);
  });

  it('has shorter keys where that suffices', () => {
    const rows = figures(2, ['a-very-long-name-of-a-backend', 'another-long-name-of-one']);
    const lines = alignedLines({ rows, alignments: ['left', ...right(2)], gap: ' ', width: 40 });
    expect(lines).toEqual([
      'backend                  column0 column1',
      'a-very-long…of-a-backend 7777777 7777777',
      'another-long-name-of-one 7777777 7777777',
    ]);
  });

  it('does not shorten keys that then could not be told apart', () => {
    const keys = ['the-same-beginning:x=1,and-the-same-end', 'the-same-beginning:x=2,and-the-same-end'];
    const lines = alignedLines({
      rows: figures(2, keys),
      alignments: ['left', ...right(2)],
      gap: ' ',
      width: 40,
    });
    for (const key of keys) expect(lines.filter((line) => line.startsWith(key))).toHaveLength(2);
  });

  it('breaks the prose of a last column between words', () => {
    const rows = [
      ['segment', 'rule'],
      ['heap', 'what is left below the core heap'],
    ];
    expect(alignedLines({ rows, alignments: ['left', 'left'], gap: '  ', width: 36 })).toEqual([
      'segment  rule',
      'heap     what is left below the core',
      '         heap',
    ]);
  });

  it('stands in equal parts with the keys repeated where nothing else suffices; each line knows its row', () => {
    const lines = tableLines({
      rows: figures(4, ['one', 'two']),
      alignments: ['left', ...right(4)],
      gap: ' ',
      width: 36,
    });
    expect(lines).toEqual([
      { text: 'backend column0 column1', row: 0 },
      { text: 'one     7777777 7777777', row: 1 },
      { text: 'two     7777777 7777777', row: 2 },
      { text: '', row: undefined },
      { text: 'backend column2 column3', row: 0 },
      { text: 'one     7777777 7777777', row: 1 },
      { text: 'two     7777777 7777777', row: 2 },
    ]);
  });

  it('gives prose a part of its own where that takes fewer lines than a narrow column', () => {
    const rows = [
      ['rules', 'limit', 'what they brought'],
      ['1.3.0', '9'.repeat(30), `${'long words '.repeat(5)}end`],
      ['1.3.1', '9'.repeat(30), `${'long words '.repeat(5)}end`],
      ['2.1.0', '9'.repeat(30), `${'long words '.repeat(5)}end`],
    ];
    const lines = alignedLines({ rows, alignments: ['left', 'right', 'left'], gap: ' ', width: 66 });
    expect(lines.slice(-4)).toEqual([
      'rules what they brought',
      ...['1.3.0', '1.3.1', '2.1.0'].map((name) => `${name} ${'long words '.repeat(5)}end`),
    ]);
  });

  it('shows every character', () => {
    const rows = [['name'], ['\u001b[2J\n\u202e']];
    expect(alignedLines({ rows, alignments: ['left'], gap: ' ' })).toEqual(['name', '\ufffd[2J\ufffd\ufffd']);
  });

  it('keeps to its width and loses no cell, whatever the width', () => {
    const cell = fc.stringMatching(/^[a-z0-9]{1,12}$/);
    const width = fc.integer({ min: 40, max: 120 });
    const table = fc
      .tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 12 }), width)
      .chain(([keys, others, characters]) =>
        fc.record({
          keys: fc.constant(keys),
          width: fc.constant(characters),
          rows: fc.array(fc.array(cell, { minLength: keys + others, maxLength: keys + others }), {
            minLength: 2,
            maxLength: 5,
          }),
        }),
      );
    fc.assert(
      fc.property(table, ({ keys, rows, width: characters }) => {
        const alignments = [
          ...rows[0]!.map((_, column) => (column < keys ? 'left' : 'right') as 'left' | 'right'),
        ];
        const lines = tableLines({ rows, alignments, gap: '  ', keys, width: characters });
        for (const { text } of lines) expect(text.length).toBeLessThanOrEqual(characters);
        for (const [index, row] of rows.entries()) {
          const own = lines.filter((line) => line.row === index).flatMap(({ text }) => text.split(/ +/));
          expect(
            own.filter((word) => word !== '' && !row.slice(0, keys).includes(word) && !word.includes('…')),
          ).toEqual(row.slice(keys).filter((word) => !row.slice(0, keys).includes(word)));
        }
      }),
    );
  });
});

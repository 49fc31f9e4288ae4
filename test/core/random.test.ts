import { describe, expect, it } from 'vitest';
import { InputError, MisuseError } from '../../src/core/errors.js';
import { AliasTable, RandomStream } from '../../src/core/random.js';

function words(seed: number, name: string, count = 4): number[] {
  const stream = new RandomStream(seed, name);
  return Array.from({ length: count }, () => stream.uint32());
}

/** How often each of 0..limit-1 comes up in `draws` draws. */
function histogram(limit: number, draws: number, draw: () => number): number[] {
  const counts = Array<number>(limit).fill(0);
  for (let i = 0; i < draws; i++) counts[draw()]!++;
  return counts;
}

describe('random streams', () => {
  it('are frozen: results that people have quoted depend on these words', () => {
    expect(words(1, 'size')).toMatchInlineSnapshot(`
      [
        2936267631,
        9107935,
        2100407628,
        174297709,
      ]
    `);
    expect(words(2, 'size')).toMatchInlineSnapshot(`
      [
        1163193505,
        1859891478,
        2686891405,
        1921919773,
      ]
    `);
    expect(words(1, 'time')).toMatchInlineSnapshot(`
      [
        1154435944,
        3549575679,
        3820762015,
        3996754109,
      ]
    `);
    const stream = new RandomStream(7, 'wide');
    expect([
      stream.below(10),
      stream.below(2 ** 32),
      stream.below(2 ** 40),
      stream.below(2 ** 53),
    ]).toMatchInlineSnapshot(`
      [
        2,
        3042719041,
        767304325802,
        5184556962463033,
      ]
    `);
  });

  it('do not disturb each other', () => {
    const alone = words(3, 'one', 10);
    const one = new RandomStream(3, 'one');
    const other = new RandomStream(3, 'other');
    const mixed = alone.map(() => {
      other.uint32();
      return one.uint32();
    });
    expect(mixed).toEqual(alone);
  });

  it('draw integers below any limit with equal chances', () => {
    const stream = new RandomStream(4, 'below');
    for (const limit of [1, 2, 3, 10]) {
      const counts = histogram(limit, 30_000, () => stream.below(limit));
      for (const count of counts) expect(Math.abs(count / (30_000 / limit) - 1)).toBeLessThan(0.06);
    }
  });

  it('draw above 2^32 over the whole range', () => {
    const stream = new RandomStream(5, 'wide');
    const limit = 3 * 2 ** 50;
    const thirds = histogram(3, 3000, () => Math.floor(stream.below(limit) / 2 ** 50));
    for (const count of thirds) expect(Math.abs(count - 1000)).toBeLessThan(120);
    expect(stream.below(2 ** 53) % 1).toBe(0);
  });

  it.each([0, -1, 1.5, Number.NaN, 2 ** 53 + 2])('refuse the limit %s', (limit) => {
    expect(() => new RandomStream(1, 'x').below(limit)).toThrow(MisuseError);
  });
});

/** Share of each column in the exact chances that a table's columns define. */
function exactShares(weights: readonly number[]): number[] {
  const table = new AliasTable(weights);
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const counts = Array<number>(weights.length).fill(0);
  for (let column = 0; column < weights.length; column++) {
    for (let word = 0; word < total; word++) {
      const answers = [column, word];
      const scripted = { below: () => answers.shift()! } as unknown as RandomStream;
      counts[table.draw(scripted)]!++;
    }
  }
  return counts;
}

describe('the alias table', () => {
  it.each([[[1]], [[1, 1]], [[1, 2, 3, 4]], [[0, 5, 0, 1]], [[7, 7, 7]], [[100, 1, 1, 1, 1]], [[3, 0, 0]]])(
    'gives %j exactly its shares',
    (weights) => {
      expect(exactShares(weights)).toEqual(weights.map((weight) => weight * weights.length));
    },
  );

  it.each([[[]], [[0, 0]], [[-1, 2]], [[0.5]], [[2 ** 53, 2 ** 53]], [[Number.NaN]]])(
    'refuses %j',
    (weights) => {
      expect(() => new AliasTable(weights)).toThrow(InputError);
    },
  );
});

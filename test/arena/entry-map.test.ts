import { describe, expect, it } from 'vitest';
import { EntryMap } from '../../src/arena/entry-map/entry-map.js';
import { NO_ADDRESS } from '../../src/core/address.js';
import { MisuseError } from '../../src/core/errors.js';
import { RandomStream } from '../../src/core/random.js';
import { constraintTable } from '../../src/core/request.js';
import { drawnEntryMap, entryMapOf } from '../support/entry-map-picture.js';
import { at } from '../support/picture.js';

const PAGE = 4096;
const BASE = 2 ** 44;
const SHAPE = { name: 'map', base: BASE, quantum: PAGE, entryBytes: 136, mapBytes: 288 };

describe('placement is the lowest fit', () => {
  it('EmptyMap', () => void drawnEntryMap('[....]').alloc(2, at(0)).expect('[##..]'));
  it('ExactFitInMiddle', () => void drawnEntryMap('[##..##]').alloc(2, at(2)).expect('[######]'));
  it('SmallGapPassedOver', () => void drawnEntryMap('[#.#...]').alloc(2, at(3)).expect('[#.###.]'));
  it('LowestOfTwoGaps', () => void drawnEntryMap('[#..#..]').alloc(1, at(1)).expect('[##.#..]'));
  it('ExactFitAtTheEnd', () => void drawnEntryMap('[###.]').alloc(1, at(3)).expect('[####]'));
  it('Full', () => void drawnEntryMap('[####]').refuse(1).expect('[####]'));
  it('FragmentedAway', () => void drawnEntryMap('[#.#.#.]').refuse(2).alloc(1, at(1)).expect('[###.#.]'));
});

describe('constraints move the fit', () => {
  const align = { align: 4 * PAGE };
  it('AlignedFit', () => void drawnEntryMap('[#.........]').alloc(2, at(4), align).expect('[#...##....]'));
  it('AlignedGapTooShort', () => void drawnEntryMap('[#....#....]').alloc(2, at(8), align));
  it('Phase', () => void drawnEntryMap('[##........]').alloc(2, at(5), { ...align, phase: PAGE }));
  it('NoCross', () => void drawnEntryMap('[###.......]').alloc(2, at(4), { nocross: 4 * PAGE }));
  it('NoCrossNever', () => void drawnEntryMap('[..........]').refuse(3, { nocross: 2 * PAGE }));
  it('Minimum', () => void drawnEntryMap('[..........]').alloc(2, at(3), { minAddress: BASE + 3 * PAGE }));
  it('MinimumWithinEntry', () =>
    void drawnEntryMap('[..####....]').alloc(2, at(6), { minAddress: BASE + 3 * PAGE }));
  it('MaximumExact', () =>
    void drawnEntryMap('[##........]').alloc(2, at(2), { maxAddress: BASE + 4 * PAGE }));
  it('MaximumTooLow', () => void drawnEntryMap('[###.......]').refuse(2, { maxAddress: BASE + 4 * PAGE }));
  it('PhaseBesideTheQuantum', () => void drawnEntryMap('[....]').refuse(1, { ...align, phase: 8 }));
});

describe('entries', () => {
  it('JoinBefore', () => void drawnEntryMap('[##...]').alloc(1, at(2)).expect('[aaa..]'));
  it('JoinAfter', () => void drawnEntryMap('[..###]').alloc(2, at(0)).expect('[aaaaa]'));
  it('JoinBoth', () => void drawnEntryMap('[##.##]').alloc(1, at(2)).expect('[aaaaa]'));
  it('JoinNothing', () => void drawnEntryMap('[....#]').alloc(2, at(0)).expect('[aa..b]'));
  it('FreeOfAll', () => void drawnEntryMap('[.###.]').free(at(1), 3).expect('[.....]'));
  it('FreeAtStart', () => void drawnEntryMap('[.###.]').free(at(1), 1).expect('[..##.]'));
  it('FreeAtEnd', () => void drawnEntryMap('[.###.]').free(at(3), 1).expect('[.##..]'));
  it('FreeInMiddleMakesAnEntry', () => void drawnEntryMap('[.###.]').free(at(2), 1).expect('[.a.b.]'));
  it('UnmergedEntriesTouch', () => void drawnEntryMap('[ab..]', false).alloc(2, at(2)).expect('[abcc]'));
  it('UnmergedFree', () => void drawnEntryMap('[abbc]', false).free(at(1), 2).expect('[a..b]'));

  it('counts the entries that frees make', () => {
    const map = entryMapOf(8);
    const address = map.alloc(3 * PAGE);
    map.free(address + PAGE, PAGE);
    expect([map.clips, map.figures.allocTags, map.metadataBytes()]).toEqual([1, 2, 288 + 2 * 136]);
  });

  it('counts splits and merges of gaps as boundary-tag arenas do', () => {
    const map = entryMapOf(3, false);
    const addresses = [map.alloc(PAGE), map.alloc(PAGE), map.alloc(PAGE)] as const;
    expect(map.figures.splits).toBe(2);
    map.free(addresses[0], PAGE);
    map.free(addresses[2], PAGE);
    expect(map.figures.merges).toBe(0);
    map.free(addresses[1], PAGE);
    expect(map.figures.merges).toBe(2);
  });
});

describe('misuse is detected', () => {
  it.each([
    ['a free of nothing', true, 4, 1],
    ['a free beside an entry', true, 2, 2],
    ['a free across the base', true, -1, 2],
    ['a free of more than an entry', true, 0, 4],
    ['a free of part of an unmerged entry', false, 0, 1],
    ['a free of the rest of an unmerged entry', false, 1, 2],
  ])('%s', (_what, merge, quanta, length) => {
    const map = entryMapOf(8, merge);
    map.alloc(3 * PAGE);
    expect(() => map.free(BASE + quanta * PAGE, length * PAGE)).toThrow(MisuseError);
    map.check();
    expect(map.figures.frees).toBe(0);
  });

  it('a second free, with all arguments in the message', () => {
    const map = entryMapOf(8);
    const [one] = [map.alloc(PAGE), map.alloc(PAGE)];
    map.free(one, PAGE);
    expect(() => map.free(one, PAGE)).toThrow(`address=${BASE} size=4096`);
  });

  it.each([0, -PAGE, Number.NaN, 100])('a size of %s', (size) => {
    expect(() => entryMapOf(8).alloc(size)).toThrow(MisuseError);
  });

  it('a range that is empty or too high', () => {
    expect(() => entryMapOf(0)).toThrow(MisuseError);
    expect(() => new EntryMap({ ...SHAPE, base: 2 ** 53 - PAGE, size: 2 * PAGE, merge: true })).toThrow(
      MisuseError,
    );
  });
});

describe('scale', () => {
  it('works up to 2^53', () => {
    const map = new EntryMap({ ...SHAPE, base: 2 ** 53 - 2 * PAGE, size: 2 * PAGE, merge: true });
    expect(map.xalloc(PAGE, constraintTable([{ align: 2 * PAGE, phase: PAGE }]), 0)).toBe(2 ** 53 - PAGE);
    expect(map.xalloc(PAGE, constraintTable([{ align: 2 ** 52 }]), 0)).toBe(NO_ADDRESS);
    expect(map.xalloc(PAGE, constraintTable([{ nocross: 2 ** 53 }]), 0)).toBe(2 ** 53 - 2 * PAGE);
    map.check();
  });

  it('needs a logarithmic number of steps', () => {
    const map = entryMapOf(2 ** 21, false);
    const stream = new RandomStream(1, 'scale');
    const live = Array.from({ length: 20_000 }, () => ({ size: (1 + stream.below(8)) * PAGE }));
    const addresses = live.map(({ size }) => map.alloc(size));
    for (let turn = 0; turn < 20_000; turn++) {
      const index = stream.below(live.length);
      map.free(addresses[index]!, live[index]!.size);
      addresses[index] = map.alloc(live[index]!.size);
    }
    map.check();
    // An AVL tree of 20000 nodes is at most 20 high.
    expect(map.figures.searches / map.figures.allocs).toBeLessThan(20);
    expect(map.figures.lookups / map.figures.frees).toBeLessThan(20);
  });
});

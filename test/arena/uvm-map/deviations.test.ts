import { describe, expect, it } from 'vitest';
import { EntryPages } from '../../../src/arena/uvm-map/entry-pages.js';
import { MapPicture } from '../../support/uvm-picture.js';

/** A map with one mapping of three pages in pages 1 to 3, and so many free entries. */
function withFree(entries: number): MapPicture {
  const picture = new MapPicture(64).enter(3, 1).fill(27 - entries);
  expect(picture.map.figures.freeEntries).toBe(entries);
  return picture;
}

describe('D1: an unmap that must split with two or three free entries would hang', () => {
  it.each([
    ['in the middle', 1, 2, 0],
    ['in the middle', 2, 2, 1],
    ['in the middle', 3, 2, 1],
    ['in the middle', 4, 2, 0],
    ['at the end', 1, 3, 0],
    ['at the end', 2, 3, 1],
    ['at the end', 3, 3, 0],
  ])('%s with %i free, unmapping page %i: %i', (_where, free, page, hangs) => {
    const { map } = withFree(free).unmap(page, 1);
    expect([map.figures.hangs, map.figures.entriesForSplits]).toEqual([hangs, page === 2 ? 2 : 1]);
  });

  it('goes on with a page of entries mapped in the lowest hole', () => {
    const { map } = withFree(2).unmap(2, 1);
    expect(map.supply).toBeInstanceOf(EntryPages);
    expect((map.supply as EntryPages).pages).toBe(2);
    // Of 28 entries on each page, 26 were linked, and the split has added one.
    expect(map.figures.freeEntries).toBe(2 * 28 - 27);
  });

  it('no exact unmap would', () => {
    const { map } = withFree(2).unmap(1, 3);
    expect(map.figures.hangs).toBe(0);
  });
});

describe('D2: hint and first_free are kept up', () => {
  const starts = ({ map }: MapPicture) =>
    [map.hint, map.firstFree].map((row) => (map.tree.start[row]! - map.base) / 4096);

  it('behind a mapping in the first hole', () => {
    expect(starts(new MapPicture(12).enter(2, 1, { words: 'n' }))).toEqual([0, 1]);
  });
  it('before an unmapped range', () => {
    expect(starts(new MapPicture(12).enter(5, 1).unmap(3, 1))).toEqual([1, 1]);
  });
  it('one step only over entries that touch', () => {
    const picture = new MapPicture(12).enter(1, 3, { hint: 3, words: 'n' }).enter(2, 1, { words: 'n' });
    expect(starts(picture)).toEqual([0, 1]);
  });
});

describe('D5: an unmap that cannot reserve', () => {
  it('goes on', () => {
    const picture = new MapPicture(29).fill(28);
    expect(picture.map.figures.freeEntries).toBe(0);
    const { figures } = picture.unmap(7, 1).map;
    expect([figures.freeEntries, figures.entriesReserved]).toEqual([1, 0]);
  });
});

describe('D6: a stray quantum bit', () => {
  /** A quantum range is freed, and a range that is not quantum gets its entry. */
  const astray = () => new MapPicture(64).enter(1, 1, { words: 'q' }).unmap(1, 1, 'q').enter(3, 1);

  it('makes a split take an entry that is not there: counted, and survived', () => {
    const { map } = astray().unmap(2, 1);
    expect([map.figures.hangs, map.figures.entriesForSplits]).toEqual([2, 2]);
    map.check();
  });

  it('is nothing to count while the range is freed as it was made', () => {
    expect(astray().unmap(1, 3).map.figures.hangs).toBe(0);
  });
});

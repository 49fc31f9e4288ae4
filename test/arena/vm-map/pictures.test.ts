import { describe, expect, it } from 'vitest';
import { MAP_ABIS } from '../../../src/arena/vm-map/abi.js';
import { VmMap } from '../../../src/arena/vm-map/vm-map.js';
import { NO_ADDRESS } from '../../../src/core/address.js';
import { InvariantError, MisuseError } from '../../../src/core/errors.js';
import { LockTable } from '../../../src/core/locks.js';

const PAGE = 4096;
const BASE = 2 ** 44;

/** A map drawn by entries: a letter is an attribute, a bar separates entries of one attribute that touch. */
class MapPicture {
  readonly locks = new LockTable();
  readonly map: VmMap;

  constructor(drawing: string) {
    const pages = drawing.length;
    const limit = BASE + pages * PAGE;
    this.map = new VmMap({ name: 'map', base: BASE, limit, abi: MAP_ABIS[13], locks: this.locks });
    this.map.freeSpectrum();
    for (const run of drawing.matchAll(/([a-z])\1*/g)) this.insert(run.index, run[0].length, run[1]!);
    this.expect(drawing);
  }

  /** Expects the page that a request gets; -1 for none. */
  find(pages: number, hint: number, expected: number, attribute = 'a', align = 0): this {
    const address = this.map.find(pages * PAGE, align * PAGE, BASE + hint * PAGE, attribute.charCodeAt(0));
    expect(address === NO_ADDRESS ? -1 : (address - BASE) / PAGE).toBe(expected);
    this.map.check();
    return this;
  }

  insert(page: number, pages: number, attribute = 'a', isFree = true): this {
    expect(this.map.insert(BASE + page * PAGE, pages * PAGE, attribute.charCodeAt(0))).toBe(isFree);
    this.map.check();
    return this;
  }

  remove(page: number, pages: number): this {
    this.map.remove(BASE + page * PAGE, pages * PAGE);
    this.map.check();
    return this;
  }

  expect(drawing: string, entries?: number): this {
    const cells = Array<string>((this.map.limit - BASE) / PAGE).fill('.');
    const { tree, attributes } = this.map;
    for (let entry = tree.next[0]!; entry !== 0; entry = tree.next[entry]!) {
      const letter = String.fromCharCode(attributes[entry]!);
      cells.fill(letter, (tree.start[entry]! - BASE) / PAGE, (tree.end[entry]! - BASE) / PAGE);
    }
    expect(cells.join('')).toBe(drawing);
    if (entries !== undefined) expect(tree.size).toBe(entries);
    return this;
  }
}

describe('a search of the map', () => {
  it('TakesTheLowestGapFromTheHintOn', () => {
    new MapPicture('..a....b...z').find(3, 0, 3).expect('..aaaa.b...z');
    new MapPicture('..a....b...z').find(2, 4, 4).expect('..a.aa.b...z');
    new MapPicture('..a....b...z').find(3, 5, 8, 'c').expect('..a....bcccz');
  });
  it('SkipsTheEntryThatHoldsTheHint', () => {
    new MapPicture('.aaa...z').find(2, 2, 4, 'b').expect('.aaabb.z');
  });
  it('RoundsUpAndLooksAgain', () => {
    new MapPicture('....a...z........y').find(3, 1, 12, 'c', 4).expect('....a...z...ccc..y');
    new MapPicture('.a.a..b.....z').find(3, 0, 8, 'c', 4).expect('.a.a..b.ccc.z');
  });
  it('TheLastGap: gives up in front of the last entry, though there is room above', () => {
    const picture = new MapPicture('..a.........');
    picture.find(3, 0, -1).find(3, 2, 3, 'b').remove(3, 3);
    picture.insert(11, 1, 'z').find(3, 0, 3, 'b').expect('..abbb.....z');
    expect(picture.map.figures.fails).toBe(1);
  });
  it('ADescentThatIsCutShortByGapsTooSmallStillFindsTheNext', () => {
    new MapPicture('.a.b.c.d....z').find(4, 0, 8, 'e').expect('.a.b.c.deeeez');
  });
});

describe('entries', () => {
  it('OfEqualAttributesThatTouchAreOne', () => {
    new MapPicture('..a..a.').insert(3, 2).expect('..aaaa.', 1);
    new MapPicture('..a..b.').insert(3, 2).expect('..aaab.', 2);
    new MapPicture('..a..b.').insert(3, 2, 'b').expect('..abbb.', 2);
    new MapPicture('..a..b.').insert(3, 2, 'c').expect('..accb.', 3);
  });
  it('AFreeMayMakeOne', () => {
    const picture = new MapPicture('.aaaaa.').remove(3, 1).expect('.aa.aa.', 2);
    expect(picture.map.figures.entriesForSplits).toBe(2);
  });
  it('AFreeMayTouchSeveral', () => {
    new MapPicture('aabb.ccdd').remove(1, 7).expect('a.......d', 2);
    new MapPicture('aabb.ccdd').remove(4, 1).expect('aabb.ccdd', 4);
  });
  it('AnInsertionOverAnythingFails', () => {
    new MapPicture('..aa..').insert(1, 2, 'b', false).insert(3, 2, 'b', false).insert(5, 2, 'b', false);
    new MapPicture('..aa..').insert(2, 1, 'b', false).insert(4, 2, 'b').expect('..aabb', 2);
  });
});

describe('the numbered deviations of the map', () => {
  it('D1: entries are counted, whatever memory there is', () => {
    const { map } = new MapPicture('a.b.c.d.');
    expect([map.figures.linkedEntries, map.figures.freeEntries, map.figures.keptEntries]).toEqual([4, 0, 0]);
    expect(map.metadataBytes()).toBe(216 + 4 * 96);
  });
  it('D2: attributes alone decide about merging', () => {
    new MapPicture('........').find(2, 0, 0).find(2, 0, 2).find(2, 0, 4, 'b').expect('aaaabb..', 2);
  });
  it('D3: the lock is counted', () => {
    const picture = new MapPicture('a.......');
    const before = picture.locks.acquisitions;
    picture.find(1, 0, 1).find(1, 0, 2).remove(0, 1);
    expect(picture.locks.acquisitions - before).toBe(3);
  });
});

describe('the view of the map', () => {
  it('has every figure', () => {
    const { map } = new MapPicture('..aa...b.');
    expect([map.largestFree(), map.freeBytes(), map.extentBytes()].map((bytes) => bytes / PAGE)).toEqual([
      3, 6, 6,
    ]);
    expect([map.freeSpectrum().segments, map.figures.allocTags, map.figures.spanTags]).toEqual([3, 2, 0]);
    expect(map.figures.reachBytes / PAGE).toBe(6);
    map.find(3 * PAGE, 0, BASE, 1);
    expect(map.figures.searches).toBeGreaterThan(0);
  });
  it('refuses what is not whole pages', () => {
    const { map } = new MapPicture('....');
    expect(() => map.find(PAGE + 1, 0, BASE, 1)).toThrow(MisuseError);
    expect(() => map.find(PAGE, 3 * PAGE, BASE, 1)).toThrow(MisuseError);
    expect(() => map.insert(BASE + 1, PAGE, 1)).toThrow(MisuseError);
    expect(() => map.remove(BASE + 4 * PAGE, PAGE)).toThrow('range outside the map');
    const options = { name: 'map', base: BASE, limit: BASE, abi: MAP_ABIS[12], locks: new LockTable() };
    expect(() => new VmMap(options)).toThrow('bad range of a map');
  });
  it('notices a broken map', () => {
    const { map } = new MapPicture('..aa...b.');
    map.tree.end[map.tree.next[0]!] = BASE + 3 * PAGE;
    expect(() => map.check()).toThrow(InvariantError);
  });
});

import { expect } from 'vitest';
import { EntryMap, type EntryMapOptions } from '../../src/arena/entry-map/entry-map.js';
import { constraintTable } from '../../src/core/request.js';
import { type Picture, picture } from './picture.js';

const PAGE = 4096;
const BASE = 2 ** 44;

/** An entry map in pages from 2^44 on. */
export function entryMapOf(quanta: number, merge = true, type: typeof EntryMap = EntryMap): EntryMap {
  const options: EntryMapOptions = {
    name: 'map',
    base: BASE,
    size: quanta * PAGE,
    quantum: PAGE,
    merge,
    entryBytes: 136,
    mapBytes: 288,
  };
  return new type(options);
}

/** An entry map in the state that is drawn. */
export function drawnEntryMap(drawing: string, merge = true, type: typeof EntryMap = EntryMap): Picture {
  return picture((quanta) => {
    const map = entryMapOf(quanta, merge, type);
    return {
      view: map,
      base: BASE,
      alloc: (size, constraint) =>
        constraint === undefined ? map.alloc(size) : map.xalloc(size, constraintTable([constraint]), 0),
      free: (address, size) => map.free(address, size),
      place(start, size) {
        const exactly = constraintTable([{ minAddress: start, maxAddress: start + size }]);
        expect(map.xalloc(size, exactly, 0)).toBe(start);
      },
    };
  }, drawing);
}

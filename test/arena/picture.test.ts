import { describe, expect, it } from 'vitest';
import { type ArenaView, TagType } from '../../src/arena/view.js';
import { drawnEntryMap, entryMapOf } from '../support/entry-map-picture.js';
import { at, draw } from '../support/picture.js';

/** A view that walks over the given tags: [type, start, size] in quanta of 8 bytes. */
function viewOf(tags: readonly (readonly [type: TagType, start: number, size: number])[]): ArenaView {
  const view: Pick<ArenaView, 'quantum' | 'walk'> = {
    quantum: 8,
    walk: (visit) => {
      for (const [type, start, size] of tags) visit(type, start * 8, size * 8);
    },
  };
  return view as ArenaView;
}

describe('pictures', () => {
  it('draw each span in brackets, and tell neighbouring segments apart', () => {
    const tags = [
      [TagType.span, 100, 5],
      [TagType.alloc, 100, 2],
      [TagType.alloc, 102, 1],
      [TagType.free, 103, 1],
      [TagType.free, 104, 1],
      [TagType.span, 10, 2],
      [TagType.free, 10, 2],
    ] as const;
    expect(draw(viewOf(tags))).toBe('[aab.,][..]');
  });

  it('draw a segment that does not end on a quantum in whole quanta', () => {
    const tags = [
      [TagType.span, 1, 3],
      [TagType.alloc, 1, 1.5],
      [TagType.free, 3, 1],
    ] as const;
    expect(draw(viewOf(tags))).toBe('[aa.]');
  });

  it('fail where the answer or the state is another', () => {
    expect(() => drawnEntryMap('[##..]').alloc(1, at(3))).toThrow();
    expect(() => drawnEntryMap('[##..]').refuse(1)).toThrow();
    expect(() => drawnEntryMap('[####]').alloc(1, at(0))).toThrow();
    expect(() => drawnEntryMap('[##..]').expect('[#.#.]')).toThrow();
  });

  it('begin with one span', () => {
    expect(() => drawnEntryMap('##..')).toThrow('one span in brackets');
    expect(draw(entryMapOf(3))).toBe('[...]');
  });
});

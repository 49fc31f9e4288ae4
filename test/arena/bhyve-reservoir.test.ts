import { describe, expect, it } from 'vitest';
import { NO_REGION, Reservoir, reservoirLimit } from '../../src/arena/bhyve-reservoir/reservoir.js';
import { TAG_TYPE_NAMES } from '../../src/arena/view.js';
import { MisuseError } from '../../src/core/errors.js';
import { GIB } from '../../src/core/units.js';

function reservoir(limit = 100): Reservoir {
  return new Reservoir({ limit, pageSize: 1, spanBytes: 72 });
}

function tags(arena: Reservoir): string[] {
  const seen: string[] = [];
  arena.walk((type, start, size) => seen.push(`${TAG_TYPE_NAMES[type]} ${start}+${size}`));
  return seen;
}

describe('where regions come from', () => {
  it('the upper end of the smallest span that fits', () => {
    const arena = reservoir();
    arena.add(20, false);
    const first = arena.alloc(4, false);
    const second = arena.alloc(4, false);
    expect(tags(arena)).toEqual(['span 0+20', 'free 0+12', 'alloc 12+4', 'alloc 16+4']);
    arena.release(first);
    arena.alloc(3, false);
    expect(tags(arena)).toEqual(['span 0+20', 'free 0+12', 'alloc 12+4', 'free 16+1', 'alloc 17+3']);
    arena.release(second);
    expect(tags(arena)).toEqual(['span 0+20', 'free 0+17', 'alloc 17+3']);
  });

  it('several spans, the longest first, where none is long enough', () => {
    const arena = reservoir();
    arena.add(12, false);
    const regions = [
      arena.alloc(3, false),
      arena.alloc(3, false),
      arena.alloc(4, false),
      arena.alloc(2, false),
    ];
    arena.release(regions[0]!);
    arena.release(regions[2]!);
    const region = arena.alloc(6, false);
    const { start, size, next } = arena.spans;
    expect([start[region], size[region]]).toEqual([2, 4]);
    expect([start[next[region]!], size[next[region]!]]).toEqual([10, 2]);
    expect(arena.figures.fails).toBe(0);
  });

  it('transient memory leaves with its guest; its offsets are used again', () => {
    const arena = reservoir();
    const region = arena.alloc(10, true);
    expect([arena.last, arena.heldBytes]).toEqual([10, 10]);
    arena.release(region);
    expect([arena.heldBytes, arena.empty.bytes]).toEqual([0, 10]);
    arena.alloc(4, true);
    expect([arena.last, tags(arena)]).toEqual([10, ['span 6+4', 'alloc 6+4']]);
  });

  it('runs of offsets with pages are spans of the walk', () => {
    const arena = reservoir();
    const regions = [arena.alloc(2, true), arena.alloc(2, true), arena.alloc(2, true)];
    arena.release(regions[1]!);
    expect(tags(arena)).toEqual(['span 0+2', 'alloc 0+2', 'span 4+2', 'alloc 4+2']);
    arena.check();
  });
});

describe('what is refused', () => {
  it('more than the limit, whoever has the rest', () => {
    const arena = reservoir(10);
    arena.add(4, false);
    expect(arena.alloc(7, true)).toBe(NO_REGION);
    expect(arena.alloc(6, true)).not.toBe(NO_REGION);
    expect(arena.add(1, false)).toBe(false);
  });

  it('reserved memory that is not there, and to remove what is in use', () => {
    const arena = reservoir();
    arena.add(4, false);
    expect(arena.alloc(5, false)).toBe(NO_REGION);
    arena.alloc(3, false);
    expect(arena.remove(2, false)).toBe(false);
    expect(arena.remove(1, false)).toBe(true);
    arena.check();
  });

  it('misuse', () => {
    const arena = new Reservoir({ limit: 1 << 20, pageSize: 4096, spanBytes: 72 });
    expect(() => arena.alloc(1, true)).toThrow(
      'size is not of whole pages [arena=vmm_reservoir size=1 pageSize=4096]',
    );
    const region = arena.alloc(4096, true);
    arena.release(region);
    expect(() => arena.release(region)).toThrow(MisuseError);
    expect(() => arena.release(999_999)).toThrow('region=999999');
  });
});

describe('the limit', () => {
  it('is about 95 % of RAM with the default of pages_pp_maximum, not the 80 % of the comment', () => {
    const physmem = 512 * GIB;
    const limit = reservoirLimit(physmem, physmem / 25 + 4 * 2 ** 20, 4096);
    expect(limit / physmem).toBeCloseTo(0.952, 4);
  });
});

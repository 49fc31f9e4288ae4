import fc from 'fast-check';
import { expect, it } from 'vitest';
import { NIL } from '../../../src/arena/linux-vmap/area-record.js';
import { DecayedAreas } from '../../../src/arena/linux-vmap/decayed-areas.js';
import { RangeTable } from '../../../src/arena/linux-vmap/range-table.js';
import { AddressSpace } from '../../../src/core/address.js';

const PAGE = 4096;
const ORIGIN = AddressSpace.canonical.toNumber(0xffff_c900_0000_0000n);

/** Areas of 1 to 256 pages, each behind a gap of none or a few, in any order. */
const AREAS = fc
  .array(fc.record({ gap: fc.integer({ min: 0, max: 2 }), pages: fc.integer({ min: 1, max: 256 }) }), {
    maxLength: 150,
  })
  .map((steps) => {
    let next = ORIGIN;
    return steps.map(({ gap, pages }) => {
      const start = next + gap * PAGE;
      next = start + pages * PAGE;
      return { start, pages };
    });
  })
  .chain((areas) => fc.shuffledSubarray(areas, { minLength: areas.length }));

it('gives decayed areas back in address order, neighbours as one range', () => {
  const ranges = new RangeTable(ORIGIN);
  const decayed = new DecayedAreas();
  fc.assert(
    fc.property(AREAS, (areas) => {
      const wanted: [start: number, end: number][] = [];
      for (const { start, pages } of areas.toSorted((one, other) => one.start - other.start)) {
        const last = wanted.at(-1);
        if (last !== undefined && last[1] === start) last[1] += pages * PAGE;
        else wanted.push([start, start + pages * PAGE]);
      }
      for (const { start, pages } of areas) decayed.add(start, pages);
      const got: [start: number, end: number][] = [];
      for (let row = decayed.drain(ranges); row !== NIL; row = ranges.nextOf(row))
        got.push([ranges.startOf(row), ranges.endOf(row)]);
      expect(got).toEqual(wanted);
      expect(decayed.drain(ranges)).toBe(NIL);
    }),
  );
});

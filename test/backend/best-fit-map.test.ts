import { describe, expect, it } from 'vitest';
import { bestFitMap } from '../../src/backend/best-fit-map.js';
import { Client } from '../../src/conformance/client.js';
import { MisuseError } from '../../src/core/errors.js';
import { RequestClass } from '../../src/core/request.js';
import { BackendPicture, PICTURE_BASE } from '../support/backend-picture.js';

const PAGE = 4096;

/** Gaps of 3, 1 and 1 pages between single pages, then 4 free pages. */
function gaps(rows = [{}]): BackendPicture {
  const picture = new BackendPicture(bestFitMap, 12, {}, rows);
  picture.allocAll(3, 1, 1, 1, 1, 1);
  return picture.free(0, 4, 6);
}

describe('best-fit-map', () => {
  it('takes the smallest gap that fits, of equals the lowest', () => {
    const picture = gaps();
    expect(picture.drawing).toBe('[...a.b.c....]');
    expect(picture.allocAll(1, 1, 2, 4)).toEqual([4, 6, 0, 8]);
  });

  it('passes smaller gaps over that do not meet the constraint', () => {
    const picture = gaps([{ align: 8 * PAGE }, { minAddress: PICTURE_BASE + 7 * PAGE }]);
    expect(picture.alloc(1, 1)).toBe(8);
    expect(picture.alloc(1, 0)).toBe(0);
  });

  it('weighs an entry with the node of its gap', () => {
    const weights = (['lp64', 'ilp32'] as const).map((abi) => {
      const client = new Client(bestFitMap, { abi });
      client.alloc(RequestClass.va, PAGE);
      return client.backend.arenas[0]!.metadataBytes();
    });
    expect(weights).toEqual([288 + 136 + 32, 160 + 84 + 16]);
  });

  it('notices a double free', () => {
    const client = new Client(bestFitMap);
    const live = client.alloc(RequestClass.kmem, 100)!;
    client.free(live);
    expect(() => client.backend.free(live.cls, live.address, live.size, -1, 0)).toThrow(MisuseError);
  });
});

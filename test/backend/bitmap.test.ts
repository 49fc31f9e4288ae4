import { describe, expect, it } from 'vitest';
import { bitmap } from '../../src/backend/bitmap.js';
import { Client } from '../../src/conformance/client.js';
import { MisuseError } from '../../src/core/errors.js';
import { RequestClass } from '../../src/core/request.js';
import { GIB } from '../../src/core/units.js';
import { BackendPicture, PICTURE_BASE } from '../support/backend-picture.js';

const PAGE = 4096;

describe('bitmap', () => {
  it('takes the lowest run of free pages that is long enough', () => {
    const picture = new BackendPicture(bitmap, 12);
    picture.allocAll(2, 1, 1, 3, 1);
    expect(picture.free(2, 4).drawing).toBe('[aa.b...c....]');
    expect(picture.allocAll(2, 1, 2, 2)).toEqual([4, 2, 8, 10]);
    expect(picture.drawing).toBe('[aaaaaa.bbbbb]');
  });

  it('finds a run across chunks', () => {
    const picture = new BackendPicture(bitmap, 1024 + 7);
    picture.allocAll(510, 4, 510);
    expect(picture.free(510).allocAll(8, 4)).toEqual([-1, 510]);
    expect(picture.alloc(7)).toBe(1024);
  });

  it('meets alignment, phase and bounds at the lowest address', () => {
    const rows = [
      { align: 8 * PAGE, phase: 3 * PAGE },
      { minAddress: PICTURE_BASE + 9 * PAGE, maxAddress: PICTURE_BASE + 11 * PAGE },
      { nocross: 4 * PAGE },
    ];
    const picture = new BackendPicture(bitmap, 16, {}, rows);
    expect([picture.alloc(2, 0), picture.alloc(2, 0), picture.alloc(2, 0)]).toEqual([3, 11, -1]);
    expect([picture.alloc(2, 1), picture.alloc(1, 1)]).toEqual([9, -1]);
    expect([picture.alloc(3, 2), picture.alloc(3, 2), picture.alloc(5, 2)]).toEqual([0, 5, -1]);
  });

  it('counts bitmap and summaries as metadata, by what is mixed and not by what is allocated', () => {
    const { backend } = new Client(bitmap);
    const { figures } = backend.arenas[0]!;
    const metadata = (): number => backend.arenas[0]!.metadataBytes();
    const empty = metadata();
    const alloc = (pages: number) => backend.alloc(RequestClass.va, pages * PAGE, -1, 0);
    const first = alloc(512);
    const inOneChunk = metadata();
    alloc(1);
    const withMixedChunk = metadata();
    for (let count = 0; count < 400; count++) alloc(1);
    expect(metadata()).toBe(withMixedChunk);
    expect(withMixedChunk - inOneChunk).toBe(64);
    expect(inOneChunk).toBeGreaterThan(empty);
    expect(figures.allocTags).toBe(1);
    backend.free(RequestClass.va, first, 512 * PAGE, -1, 0);
    backend.check();
  });

  it('serves huge requests from sparse chunks', () => {
    const client = new Client(bitmap);
    const guest = client.alloc(RequestClass.guest, 4096 * GIB)!;
    const stack = client.alloc(RequestClass.kstack, 16_384)!;
    expect(stack.address).toBe(guest.address + 4096 * GIB + PAGE);
    client.free(guest);
    client.check();
    expect(client.alloc(RequestClass.va, PAGE)!.address).toBe(guest.address);
  });

  it('notices misuse, but not a free of a part of what is allocated', () => {
    const client = new Client(bitmap);
    const live = client.alloc(RequestClass.va, 8192)!;
    const free = (address: number, size: number) => client.backend.free(live.cls, address, size, -1, 0);
    expect(() => free(live.address, 12_288)).toThrow(MisuseError);
    expect(() => free(live.address + 1, 4096)).toThrow(MisuseError);
    expect(() => free(live.address - 4096, 8192)).toThrow(MisuseError);
    free(live.address + 4096, 4096);
    expect(() => free(live.address, 8192)).toThrow('arena=kernel');
    free(live.address, 4096);
    expect(() => free(live.address, 4096)).toThrow(MisuseError);
    client.backend.check();
  });
});

import { describe, expect, it } from 'vitest';
import { buddy } from '../../src/backend/buddy.js';
import { Client } from '../../src/conformance/client.js';
import { MisuseError } from '../../src/core/errors.js';
import { RequestClass } from '../../src/core/request.js';
import { BackendPicture, PICTURE_BASE } from '../support/backend-picture.js';

const PAGE = 4096;

describe('buddy', () => {
  it('splits the smallest block that fits and rounds up to powers of two', () => {
    const picture = new BackendPicture(buddy, 16);
    expect(picture.allocAll(1, 3, 1)).toEqual([0, 4, 1]);
    expect(picture.drawing).toBe('[ab..cccc........]');
  });

  it('merges buddies, and only buddies', () => {
    const picture = new BackendPicture(buddy, 8);
    picture.allocAll(1, 1, 1, 1, 4);
    expect(picture.free(1, 2).drawing).toBe('[a.,bcccc]');
    expect(picture.alloc(2)).toBe(-1);
    expect(picture.free(3).drawing).toBe('[a.,,bbbb]');
    expect(picture.free(0).drawing).toBe('[....aaaa]');
  });

  it('tiles a range that is no power of two', () => {
    const picture = new BackendPicture(buddy, 11);
    expect(picture.drawing).toBe('[........,,.]');
    expect(picture.allocAll(1, 2, 8, 1)).toEqual([10, 8, 0, -1]);
  });

  it('meets a phase inside a block', () => {
    const rows = [{ align: 8 * PAGE, phase: 3 * PAGE }, { minAddress: PICTURE_BASE + 9 * PAGE }];
    const picture = new BackendPicture(buddy, 16, {}, rows);
    expect(picture.alloc(2, 0)).toBe(3);
    expect(picture.alloc(1, 1)).toBe(9);
    expect(picture.drawing).toBe('[aaaaaaaa.b..,,,,]');
    expect(picture.free(3, 9).drawing).toBe('[................]');
  });

  it('counts the guard page before it rounds', () => {
    const { backend } = new Client(buddy);
    expect(backend.footprint(RequestClass.kstack, 16384)).toBe(32768);
    expect(backend.footprint(RequestClass.kmem, 33)).toBe(64);
  });

  it('notices misuse', () => {
    const client = new Client(buddy);
    const live = client.alloc(RequestClass.va, 8192)!;
    expect(() => client.backend.free(live.cls, live.address, 4096, -1, 0)).toThrow(MisuseError);
    expect(() => client.backend.free(live.cls, live.address + 4096, 4096, -1, 0)).toThrow(MisuseError);
    client.free(live);
    expect(() => client.backend.free(live.cls, live.address, 8192, -1, 0)).toThrow('arena=kernel');
  });
});

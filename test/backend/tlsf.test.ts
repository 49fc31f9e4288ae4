import { describe, expect, it } from 'vitest';
import { tlsf } from '../../src/backend/tlsf.js';
import { Client } from '../../src/conformance/client.js';
import { InputError, MisuseError } from '../../src/core/errors.js';
import { RequestClass } from '../../src/core/request.js';
import { BackendPicture } from '../support/backend-picture.js';

const PAGE = 4096;

describe('tlsf', () => {
  it('takes the last freed block of the first list that fits', () => {
    const picture = new BackendPicture(tlsf, 12);
    picture.allocAll(1, 1, 1, 1, 2, 1);
    expect(picture.free(0, 2, 4).drawing).toBe('[.a.b..c.....]');
    expect(picture.allocAll(1, 1, 1)).toEqual([2, 0, 4]);
  });

  it('merges both neighbours at once', () => {
    const picture = new BackendPicture(tlsf, 6);
    picture.allocAll(2, 2, 2);
    expect(picture.free(0, 4).drawing).toBe('[..aa..]');
    expect(picture.free(2).drawing).toBe('[......]');
  });

  it('may refuse what the list below would have served', () => {
    const picture = new BackendPicture(tlsf, 65);
    expect(picture.alloc(65)).toBe(-1);
    expect(picture.alloc(64)).toBe(0);
  });

  it('leaves both ends of a block to others when a constraint takes its middle', () => {
    const picture = new BackendPicture(tlsf, 16, {}, [{ align: 8 * PAGE, phase: PAGE, minAddress: 1 }]);
    picture.alloc(2);
    expect(picture.alloc(3, 0)).toBe(9);
    expect(picture.drawing).toBe('[aa.......bbb....]');
  });

  it('notices misuse', () => {
    const client = new Client(tlsf);
    const live = client.alloc(RequestClass.va, 8192)!;
    expect(() => client.backend.free(live.cls, live.address, 4096, -1, 0)).toThrow(MisuseError);
    client.free(live);
    expect(() => client.backend.free(live.cls, live.address, 8192, -1, 0)).toThrow('arena=kernel');
  });

  it('refuses other second levels', () => {
    expect(() => new Client(tlsf, { second_level: 8 })).toThrow(InputError);
    expect(() => new Client(tlsf, { second_level: 8 })).toThrow('second_level: 8 lists are not modelled');
  });
});

import { describe, expect, it } from 'vitest';
import { bhyveReservoir } from '../../src/backend/bhyve-reservoir.js';
import { MOST_HANDLED_BYTES, RegionHandles } from '../../src/backend/region-handles.js';
import { Client } from '../../src/conformance/client.js';
import { RequestClass } from '../../src/core/request.js';
import { GIB, MIB } from '../../src/core/units.js';
import { inputErrorOf } from '../support/input-error.js';
import { runCli } from '../support/run-cli.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const { guest } = RequestClass;

describe('bhyve-reservoir', () => {
  it('never fails for fragmentation: what is free in pieces serves one guest', () => {
    const client = new Client(bhyveReservoir, { transient: false, reserved: 8 * GIB });
    const guests = Array.from({ length: 8 }, () => client.alloc(guest, GIB)!);
    for (const live of guests.filter((_, index) => index % 2 === 0)) client.free(live);
    expect(client.backend.arenas[0]!.largestFree()).toBe(GIB);
    expect(client.alloc(guest, 4 * GIB)).toBeDefined();
    expect(client.alloc(guest, MIB)).toBeUndefined();
    client.check();
  });

  it('transient guests may have all of the limit, and leave nothing behind', () => {
    const client = new Client(bhyveReservoir, { physmem: 64 * GIB });
    const live = client.alloc(guest, 60 * GIB)!;
    expect(client.alloc(guest, 4 * GIB)).toBeUndefined();
    client.free(live);
    expect(client.backend.arenas[0]!.figures.totalBytes).toBe(0);
  });

  it('runs a fleet of guests whose largest is larger than the empty reservoir, the same each time', async () => {
    const run = () =>
      runCli(['run', '-w', 'guest:duration=6h', '-b', 'bhyve-reservoir', '--out', temporaryFolder()]);
    const [first, second] = [await run(), await run()];
    expect([first.exitCode, first.stderr]).toEqual([0, '']);
    const row = (text: string) => text.split('\n').find((line) => line.startsWith('bhyve-reservoir'));
    expect(row(first.stdout)).toMatch(/^bhyve-reservoir +\d/);
    expect(row(second.stdout)).toBe(row(first.stdout));
  });

  it('a constraint holds for the handle, or the request is refused', () => {
    const client = new Client(bhyveReservoir, {}, [{ align: 2 * MIB }, { align: 2 * MIB, phase: 4096 }]);
    expect(client.alloc(guest, GIB, 0)).toBeDefined();
    expect(client.alloc(guest, GIB, 1)).toBeUndefined();
  });

  it('notices misuse', () => {
    const client = new Client(bhyveReservoir);
    const live = client.alloc(guest, GIB)!;
    client.free(live);
    expect(() => client.backend.free(guest, live.address, GIB, -1, 0)).toThrow(
      'free of what is not allocated',
    );
    expect(() => client.backend.alloc(RequestClass.kmem, 8, -1, 0)).toThrow('cls=kmem');
  });

  it.each([
    ['no reserve where it is needed', { transient: false }, 'reserved: 0 bytes'],
    ['a reserve above the limit', { reserved: 512 * GIB }, 'reserved: '],
    ['pages of 3000 bytes', { page_size: 3000 }, 'page_size: 3000 bytes'],
    ['no RAM', { physmem: 0 }, 'physmem: 0 bytes'],
    ['nothing that may be locked', { pages_pp_maximum: 512 * GIB }, 'pages_pp_maximum: '],
  ])('refuses %s', (_what, parameters, message) => {
    expect(inputErrorOf(() => new Client(bhyveReservoir, parameters))).toContain(message);
  });
});

describe('handles of regions', () => {
  it('of all sizes lie apart, up to the ends of their classes', () => {
    const handles = new RegionHandles();
    const sizes = [1, 4096, 4097, 8192, GIB, GIB + 1, MOST_HANDLED_BYTES];
    const given = sizes.map((size) => ({ address: handles.enter(7, size), size }));
    given.sort((one, other) => one.address - other.address);
    given.forEach(({ address, size }, index) => {
      expect(address + size).toBeLessThanOrEqual(given[index + 1]?.address ?? 2 ** 53);
    });
  });

  it('the last one back is the first one out, and a dead one is none', () => {
    const handles = new RegionHandles();
    const [first, second] = [handles.enter(1, 4096), handles.enter(2, 4096)];
    expect([handles.leave(first, 4096), handles.leave(second, 4096)]).toEqual([1, 2]);
    expect(handles.leave(first, 4096)).toBe(-1);
    expect([handles.peek(4096), handles.enter(3, 4096), handles.enter(4, 4096)]).toEqual([
      second,
      second,
      first,
    ]);
  });
});

import { describe, expect, it } from 'vitest';
import { type ArenaView, TagType } from '../../src/arena/view.js';
import type { BackendDefinition, Parameters } from '../../src/backend/contract.js';
import { illumosGuestInHeap } from '../../src/backend/illumos-guest-in-heap.js';
import { illumosGuestInZio } from '../../src/backend/illumos-guest-in-zio.js';
import { illumosSegkvmm } from '../../src/backend/illumos-segkvmm.js';
import { Client } from '../../src/conformance/client.js';
import { AddressSpace } from '../../src/core/address.js';
import { type Constraint, RequestClass } from '../../src/core/request.js';
import { GIB, KIB, MIB, SECOND } from '../../src/core/units.js';
import { amd64Bases } from '../../src/layout/illumos-amd64.js';
import { inputErrorOf } from '../support/input-error.js';
import { passTime } from '../support/pass-time.js';
import { draw } from '../support/picture.js';

const { guest, kmem, va } = RequestClass;
const BASE = AddressSpace.canonical.toNumber(0xffff900000000000n);

const arenaNamed = (client: Client, name: string): ArenaView =>
  client.backend.arenas.find((arena) => arena.name === name)!;

/** Guests in an arena of some units of 1 GiB, drawn a character per unit. */
class GuestPicture {
  readonly client: Client;

  constructor(units: number, parameters: Parameters = {}, rows: readonly Constraint[] = []) {
    const size = { physmem: 64 * GIB, overprovision: units / 64, guest_quantum: GIB };
    this.client = new Client(illumosSegkvmm, { ...size, ...parameters }, rows);
  }

  /** The unit where the segment was put; -1 if it was refused. */
  alloc(units: number, row = -1): number {
    const live = this.client.alloc(guest, units * GIB, row);
    this.client.check();
    return live === undefined ? -1 : (live.address - BASE) / GIB;
  }

  free(...units: readonly number[]): this {
    for (const unit of units) {
      this.client.free(this.client.live.find(({ address }) => address === BASE + unit * GIB)!);
    }
    this.client.check();
    return this;
  }

  get drawing(): string {
    return draw(this.client.backend.arenas[0]!);
  }
}

/** [aaaa....bb......cc..] of 20 units: holes of 4, 6 and 2. */
function holes(policy: string): GuestPicture {
  const picture = new GuestPicture(20, { policy });
  for (const units of [4, 4, 2, 6, 2, 2]) picture.alloc(units);
  picture.free(4, 10, 18);
  expect(picture.drawing).toBe('[aaaa....bb......cc..]');
  return picture;
}

describe('illumos-segkvmm', () => {
  it('puts low memory, high memory and ROM of a guest into the 1 MiB quanta of kvmm_arena', () => {
    const client = new Client(illumosSegkvmm);
    const [high, low, rom] = [5 * GIB, 3 * GIB, 16 * MIB + 1].map((size) => client.alloc(guest, size)!);
    expect([high, low, rom].map((live) => live!.address - BASE)).toEqual([0, 5 * GIB, 8 * GIB]);
    const [kvmm, segments] = [arenaNamed(client, 'kvmm_arena'), arenaNamed(client, 'vmm_alloc_arena')];
    expect([kvmm.figures.totalBytes, kvmm.figures.inUseBytes]).toEqual([1024 * GIB, 8 * GIB + 17 * MIB]);
    // Every import is one segment: no free segment is ever left there.
    expect([segments.figures.imports, segments.figures.freeTags]).toEqual([3, 0]);
    client.freeAll();
    expect([kvmm.figures.inUseBytes, segments.figures.totalBytes]).toEqual([0, 0]);
  });

  it.each([
    // Of 3 units the list of 2 and 3 need not have any: instant fit takes the last freed of the list of 4 to 7.
    ['instant', 2, 18],
    ['instant', 3, 10],
    ['best', 2, 18],
    ['best', 3, 4],
    ['first', 3, 10],
    // The rotor is behind the last segment, at the end: next fit begins again at the low end.
    ['next', 2, 4],
    ['next', 5, 10],
  ])('by %s fit, %i units go to unit %i', (policy, units, unit) => {
    expect(holes(policy).alloc(units)).toBe(unit);
  });

  it('next fit goes on behind the last segment, where instant fit takes what fits exactly', () => {
    const place = (policy: string) => {
      const picture = new GuestPicture(12, { policy });
      for (let count = 0; count < 4; count++) picture.alloc(2);
      picture.free(2);
      return [picture.alloc(2), picture.drawing];
    };
    expect(place('instant')).toEqual([2, '[aabbccdd....]']);
    expect(place('next')).toEqual([8, '[aa..bbccdd..]']);
  });

  it('refuses for want of addresses what RAM there is for, and remembers the first time', () => {
    const picture = new GuestPicture(20);
    for (let count = 0; count < 10; count++) picture.alloc(2);
    picture.free(0, 4, 8, 12, 16);
    expect([picture.alloc(3), picture.alloc(4), picture.alloc(1)]).toEqual([-1, -1, 16]);
    const figures = picture.client.backend.guests!.guestFigures();
    expect(figures).toMatchObject({ requests: 13, refusedSpace: 2, refusedMemory: 0, refusedLength: 0 });
    expect(figures.firstRefusal).toMatchObject({
      requests: 11,
      bytes: 3 * GIB,
      segmentBytes: 10 * GIB,
      freeBytes: 10 * GIB,
      largestFree: 2 * GIB,
    });
    expect(figures.leastLargestFree).toBe(0);
  });

  it('refuses a segment of more than 23 of 32 pages, and what RAM is not there for', () => {
    const client = new Client(illumosSegkvmm, { physmem: 32 * GIB });
    expect(client.alloc(guest, 23 * GIB + 1)).toBeUndefined();
    client.alloc(guest, 23 * GIB);
    expect(client.alloc(guest, 9 * GIB + 1)).toBeUndefined();
    expect(client.alloc(guest, 9 * GIB)).toBeDefined();
    const figures = client.backend.guests!.guestFigures();
    expect([figures.refusedLength, figures.refusedMemory, figures.refusedSpace]).toEqual([1, 1, 0]);
    client.freeAll();
    expect(client.alloc(guest, 23 * GIB)).toBeDefined();
  });

  it('takes RAM for the pages of a segment only, and addresses for its quanta', () => {
    const client = new Client(illumosSegkvmm, { physmem: GIB });
    for (let count = 0; count < 4; count++) client.alloc(guest, MIB / 2);
    expect(client.backend.guests!.guestFigures().segmentBytes).toBe(4 * MIB);
    expect(client.alloc(guest, 700 * MIB)).toBeDefined();
    // 322 of 1024 MiB are left, quanta that pages do not fill among them.
    expect(client.alloc(guest, 322 * MIB)).toBeDefined();
  });

  it.each([
    ['4KiB', 3.5 * GIB, 3.5 * GIB, [1793, 4, 1]],
    ['2MiB', 3.5 * GIB, 3.5 * GIB, [0, 4, 1]],
    ['1GiB', 3.5 * GIB, 4 * GIB, [0, 0, 1]],
    ['1GiB', 16 * MIB, 16 * MIB, [0, 1, 1]],
    ['1GiB', MIB + 1, 2 * MIB, [2, 1, 1]],
    ['2MiB', 3 * MIB, 4 * MIB, [0, 1, 1]],
  ])('pages of %s: %i bytes take %i and their tables', (page, size, footprint, tables) => {
    const client = new Client(illumosSegkvmm, { guest_page: page });
    client.alloc(guest, MIB);
    const live = client.alloc(guest, size)!;
    expect(client.backend.footprint(guest, size)).toBe(footprint);
    expect(live.address % (footprint % GIB === 0 ? GIB : MIB)).toBe(0);
    client.free(client.live[0]!);
    expect(client.backend.guests!.guestFigures().pageTables).toEqual(tables);
  });

  it('maps the pages of a segment, not the addresses that a large quantum adds', () => {
    const client = new Client(illumosSegkvmm, { guest_quantum: GIB });
    for (const size of [16 * MIB, 16 * MIB + 1, GIB]) client.alloc(guest, size);
    const figures = client.backend.guests!.guestFigures();
    expect([figures.segmentBytes, figures.pageTables]).toEqual([3 * GIB, [8 + 9 + 512, 3, 1]]);
    client.freeAll();
    expect(figures.pageTables).toEqual([0, 0, 0]);
  });

  it('aligns to the page and to the constraint, whichever is more', () => {
    const client = new Client(illumosSegkvmm, { guest_page: '2MiB' }, [{ align: 8 * MIB }, { align: MIB }]);
    client.alloc(guest, MIB);
    const [one, other] = [client.alloc(guest, 2 * MIB, 0)!, client.alloc(guest, 2 * MIB, 1)!];
    expect([one.address % (8 * MIB), other.address % (2 * MIB)]).toEqual([0, 0]);
  });

  it('refuses a constraint that no segment of its page size can meet', () => {
    const rows = [{ align: 2 * MIB, phase: MIB }, { nocross: 2 * MIB }];
    const client = new Client(illumosSegkvmm, { guest_page: '2MiB' }, rows);
    expect(client.alloc(guest, 2 * MIB, 0)).toBeUndefined();
    expect(client.alloc(guest, 4 * MIB, 1)).toBeUndefined();
    expect(client.alloc(guest, MIB, 0)).toBeDefined();
  });

  it('refuses a phase between two quanta, and whatever has limits, for which vmem imports nothing', () => {
    const limits = [{ nocross: 2 * MIB }, { minAddress: BASE }, { maxAddress: BASE + GIB }];
    const rows = [{ align: 2 * MIB, phase: MIB / 2 }, ...limits];
    const client = new Client(illumosSegkvmm, {}, rows);
    const granted = rows.map((_, row) => client.alloc(guest, MIB, row));
    expect(granted).toEqual([undefined, undefined, undefined, undefined]);
    expect(client.backend.guests!.guestFigures().refusedSpace).toBe(4);
  });

  it.each([
    [1.1, 288_359 * MIB],
    [0.5, 128 * GIB],
    [4 / 3, 349_526 * MIB],
  ])('has %d times 256 GiB, rounded up to whole quanta', (overprovision, bytes) => {
    const client = new Client(illumosSegkvmm, { overprovision });
    expect(arenaNamed(client, 'kvmm_arena').figures.totalBytes).toBe(bytes);
  });

  it('is no quantum longer for the last digit of a product', () => {
    const client = new Client(illumosSegkvmm, { physmem: 100 * GIB, overprovision: 1.1 });
    expect(1.1 * 100 * GIB).toBeGreaterThan(110 * GIB);
    expect(arenaNamed(client, 'kvmm_arena').figures.totalBytes).toBe(110 * GIB);
  });

  it('remembers when the first segment was refused', () => {
    const client = new Client(illumosSegkvmm, { physmem: GIB, overprovision: 0.5 });
    passTime(client, 3);
    client.alloc(guest, 600 * MIB);
    passTime(client, 5);
    client.alloc(guest, 600 * MIB);
    expect(client.backend.guests!.guestFigures().firstRefusal!.timeNs).toBe(3 * SECOND);
  });

  it('has its hash of segments resized every 15 s', () => {
    const client = new Client(illumosSegkvmm);
    const kvmm = arenaNamed(client, 'kvmm_arena').figures;
    const buckets = [14, 16, 31].map((seconds, step) => {
      for (let count = 0; count < 200 * 8 ** step; count++) client.alloc(guest, MIB);
      passTime(client, seconds);
      return kvmm.hashBuckets;
    });
    expect(buckets[1]).toBeGreaterThan(buckets[0]!);
    expect(buckets[2]).toBeGreaterThan(buckets[1]!);
  });

  it('notices requests of other classes', () => {
    const { backend } = new Client(illumosSegkvmm);
    expect(() => backend.alloc(kmem, 8, -1, 0)).toThrow('cls=kmem');
    expect(() => backend.free(va, BASE, 8, -1, 0)).toThrow('cls=va');
  });

  it.each([
    [{ overprovision: 0 }, 'overprovision: 0 times physmem'],
    [{ overprovision: -1e-7 }, 'overprovision: -1e-7 times physmem'],
    [{ overprovision: 1e-12 }, 'overprovision: 1e-12 times physmem'],
    [{ physmem: 16 * 1024 * GIB, overprovision: 5 }, 'overprovision: 5 times physmem'],
    [{ physmem: MIB }, 'physmem: 1048576 bytes'],
    [{ physmem: 32 * 1024 * GIB }, 'physmem: '],
    [{ guest_quantum: 3000 }, 'guest_quantum: 3000 is no power of two'],
    [{ arena_base: '0xffff900000000001' }, "arena_base: '0xffff900000000001' is not aligned"],
  ])('refuses %j', (parameters, message) => {
    expect(inputErrorOf(() => new Client(illumosSegkvmm, parameters))).toContain(message);
  });
});

/** Names of the arenas, each with its source and its bytes in use. */
function inUse(client: Client, ...names: readonly string[]): number[] {
  return names.map((name) => arenaNamed(client, name).figures.inUseBytes);
}

describe('guests beside other users', () => {
  const bases = amd64Bases({ physmem: BigInt(256 * GIB) }, 'before-12608');

  it("'illumos-guest-in-heap' puts them into the heap of the old layout, by pages", () => {
    const client = new Client(illumosGuestInHeap);
    const heap = arenaNamed(client, 'heap');
    expect(heap.figures.totalBytes).toBe(Number(bases.ekernelheap - bases.kernelheap));
    const before = heap.figures.inUseBytes;
    const other = client.alloc(va, 4 * KIB)!;
    const live = client.alloc(guest, 3 * GIB + 1)!;
    expect([other.address, live.address].map((address) => AddressSpace.canonical.format(address))).toEqual([
      '0xffffff62b4000000',
      '0xffffff62b4001000',
    ]);
    expect(heap.figures.inUseBytes - before).toBe(3 * GIB + 8 * KIB);
    expect(client.backend.rootsOf!(guest).map(({ name }) => name)).toEqual(['heap']);
    expect(client.backend.guests!.guestFigures().arena).toBe('heap');
  });

  it('in the heap take from others what they need', () => {
    const client = new Client(illumosGuestInHeap, { physmem: 256 * GIB });
    const room = () => client.alloc(va, 400 * GIB);
    client.free(room()!);
    for (let count = 0; count < 3; count++) client.alloc(guest, 85 * GIB);
    expect(room()).toBeUndefined();
  });

  it("'illumos-guest-in-zio' puts them beside records of files, and leaves the heap alone", () => {
    const client = new Client(illumosGuestInZio);
    const zio = arenaNamed(client, 'zfs_file_data');
    expect([zio.figures.totalBytes, zio.source]).toEqual([Number(bases.segzioSize), null]);
    const heap = inUse(client, 'heap')[0]!;
    const record = client.alloc(kmem, 128 * KIB)!;
    const live = client.alloc(guest, GIB)!;
    expect(inUse(client, 'zfs_file_data', 'zfs_file_data_buf', 'vmm_alloc_arena')).toEqual([
      GIB + 128 * KIB,
      128 * KIB,
      GIB,
    ]);
    expect(live.address - record.address).toBe(128 * KIB);
    expect(inUse(client, 'heap')).toEqual([heap]);
    const roots = client.backend.rootsOf!(kmem).map(({ name }) => name);
    expect([roots, client.backend.rootsOf!(guest).map(({ name }) => name)]).toEqual([
      ['heap', 'zfs_file_data'],
      ['zfs_file_data'],
    ]);
    client.freeAll();
    expect(inUse(client, 'zfs_file_data')).toEqual([0]);
  });

  it('records of files take whole quanta of segzio', () => {
    const client = new Client(illumosGuestInZio);
    const records = [128 * KIB + 1, 128 * KIB].map((size) => client.alloc(kmem, size)!);
    expect(records.map(({ size }) => client.backend.footprint(kmem, size))).toEqual([132 * KIB, 128 * KIB]);
    expect(records[1]!.address - records[0]!.address).toBe(132 * KIB);
    client.freeAll();
    client.check();
  });

  it('smaller kmem requests, and those with a constraint, still come from the heap', () => {
    const client = new Client(illumosGuestInZio, {}, [{ align: MIB }]);
    client.alloc(kmem, 128 * KIB - 1);
    client.alloc(kmem, 128 * KIB, 0);
    expect(inUse(client, 'zfs_file_data')).toEqual([0]);
    client.freeAll();
    client.check();
  });

  it('large pages align guests in a shared arena too', () => {
    for (const definition of [illumosGuestInHeap, illumosGuestInZio] as BackendDefinition[]) {
      const client = new Client(definition, { guest_page: '2MiB' });
      client.alloc(va, 4 * KIB);
      client.alloc(kmem, 256 * KIB);
      const live = client.alloc(guest, 5 * MIB)!;
      expect(live.address % (2 * MIB)).toBe(0);
      expect(client.backend.footprint(guest, 5 * MIB)).toBe(6 * MIB);
    }
  });

  it.each([
    [GIB, 0.9, 1.6],
    [16 * 1024 * GIB, 23 * 1024, 25 * 1024],
  ])('have an arena on the smallest and on the largest machine, of %i bytes', (physmem, least, most) => {
    for (const definition of [illumosGuestInHeap, illumosGuestInZio] as BackendDefinition[]) {
      const client = new Client(definition, { physmem, page_size: 8 * KIB });
      const { arena } = client.backend.guests!.guestFigures();
      const gib = arenaNamed(client, arena).figures.totalBytes / GIB;
      expect(gib).toBeGreaterThan(least);
      if (arena !== 'heap') expect(gib).toBeLessThan(most);
      client.alloc(guest, physmem / 2);
      client.alloc(kmem, 128 * KIB);
      client.check();
      expect(client.backend.guests!.guestFigures().pageTables[0]).toBe(physmem / 2 / (2 * MIB));
      client.freeAll();
    }
  });

  it('are refused for RAM whose heap the layout cannot hold', () => {
    expect(inputErrorOf(() => new Client(illumosGuestInZio, { physmem: 5 * MIB }))).toContain('physmem');
  });

  it('leave the free space of an arena whole when they go', () => {
    const client = new Client(illumosGuestInHeap);
    const count = () => {
      let tags = 0;
      arenaNamed(client, 'heap').walk((type) => {
        if (type === TagType.free) tags++;
      });
      return tags;
    };
    const before = count();
    const all = Array.from({ length: 5 }, (_, index) => client.alloc(guest, (index + 1) * GIB)!);
    for (const live of [all[1]!, all[3]!]) client.free(live);
    expect(count()).toBe(before + 2);
    client.freeAll();
    expect(count()).toBe(before);
  });
});

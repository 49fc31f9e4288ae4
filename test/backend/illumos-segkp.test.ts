import { describe, expect, it } from 'vitest';
import type { Parameters } from '../../src/backend/contract.js';
import type { SegkpBackend } from '../../src/backend/illumos-segkp.js';
import { illumosSegkpHeap } from '../../src/backend/illumos-segkp-heap.js';
import { illumosSegkpStatic } from '../../src/backend/illumos-segkp-static.js';
import { Client, type Live } from '../../src/conformance/client.js';
import { AddressSpace, NO_ADDRESS } from '../../src/core/address.js';
import { InputError, InvariantError } from '../../src/core/errors.js';
import { RequestClass, UNCONSTRAINED } from '../../src/core/request.js';
import { GIB, KIB, MIB, SECOND } from '../../src/core/units.js';
import { passTime } from '../support/pass-time.js';
import { draw } from '../support/picture.js';

const BACKENDS = { 'illumos-segkp-static': illumosSegkpStatic, 'illumos-segkp-heap': illumosSegkpHeap };
type Name = keyof typeof BACKENDS;
const BOTH = Object.keys(BACKENDS) as Name[];

/** Stacks without red zone: i386 until 2008, i386 since, amd64. */
const STACK = { i386: 8 * KIB, i386Since2008: 12 * KIB, amd64: 20 * KIB };

function make(name: Name, parameters: Parameters = {}): { client: Client; backend: SegkpBackend } {
  const client = new Client(BACKENDS[name], parameters);
  return { client, backend: client.backend as SegkpBackend };
}

const arenaNamed = (client: Client, name: string) =>
  client.backend.arenas.find((arena) => arena.name === name)!;

/** Requests of one size until the first refusal; how many were granted. */
function fill(backend: SegkpBackend, cls: number, size: number, most = 100_000): number {
  for (let granted = 0; granted < most; granted++) {
    if (backend.alloc(cls, size, UNCONSTRAINED, 0) === NO_ADDRESS) return granted;
  }
  return most;
}

function refusal(name: Name, parameters: Parameters): string {
  try {
    make(name, parameters);
  } catch (error) {
    expect(error).toBeInstanceOf(InputError);
    return (error as InputError).message;
  }
  throw new Error(`accepted ${JSON.stringify(parameters)}`);
}

describe('the most threads', () => {
  it.each([
    ['200 MiB of 12 KiB: five in a slab of 64 KiB', {}, STACK.i386, 16_000],
    ['200 MiB of 12 KiB without quantum caches', { segkp_qcache_pages: 0 }, STACK.i386, 17_066],
    ['200 MiB of 16 KiB', {}, STACK.i386Since2008, 12_800],
    [
      'amd64, 2 GiB of 24 KiB',
      { arch: 'amd64', segkp_size: 2 * GIB, segkp_qcache_pages: 0 },
      STACK.amd64,
      87_381,
    ],
    ['amd64, the same with the caches', { arch: 'amd64', segkp_size: 2 * GIB }, STACK.amd64, 87_381],
  ])('illumos-segkp-static, %s', (_, parameters, stack, most) => {
    expect(fill(make('illumos-segkp-static', parameters).backend, RequestClass.kstack, stack)).toBe(most);
  });

  it.each([
    ['12 KiB', STACK.i386, 54_400],
    ['16 KiB', STACK.i386Since2008, 43_520],
  ])('illumos-segkp-heap, %s in 680 MiB but a page: one slab less than spec §4 says', (_, stack, most) => {
    const perSlab = Math.floor((64 * KIB) / (stack + 4 * KIB));
    const { backend } = make('illumos-segkp-heap');
    expect(fill(backend, RequestClass.kstack, stack)).toBe(most - perSlab);
    expect(backend.figures()).toMatchObject({ heapFreeBytes: 60 * KIB, segkpBytes: 680 * MIB - 64 * KIB });
  });
});

describe('the layout', () => {
  it('is that of src/layout, without the page that the kernel reserves at boot', () => {
    const spans = BOTH.map((name) => {
      const { client } = make(name);
      return ['heap', 'segkp'].map((arena) => {
        const lines: string[] = [];
        arenaNamed(client, arena).walk((type, start, size) => {
          if (type === 0) lines.push(`${AddressSpace.canonical.format(start)} +${size / KIB}K`);
        });
        return lines.join(' ');
      });
    });
    // kernelbase of 4 GiB is 0xca000000; segmap ends 16 MiB above.
    expect(spans).toEqual([
      ['0xd7801000 +491516K', '0xcb000000 +204800K'],
      ['0xcb001000 +696316K', ''],
    ]);
  });

  it('on amd64 is that of before 12608 (spec segkvmm-layout §3), the first page reserved as well', () => {
    const machine = { arch: 'amd64', physmem: 16 * GIB };
    const { client } = make('illumos-segkp-static', { ...machine, segkp_size: 2 * GIB });
    const spans = ['heap', 'segkp'].map((arena) => {
      let span = '';
      arenaNamed(client, arena).walk((type, start, size) => {
        if (type === 0) span = `${AddressSpace.canonical.format(start)} +${size}`;
      });
      return span;
    });
    const heap = Number(0xffffffffc0000000n - 0xffffff06e3000000n) - 4 * KIB;
    expect(spans).toEqual([`0xffffff06e3001000 +${heap}`, `0xffffff001f000000 +${2 * GIB}`]);
  });

  it('gives amd64 a heap of 2 TiB, larger by segkp where that imports', () => {
    const [beside, inside] = BOTH.map((name) => {
      const { client } = make(name, { arch: 'amd64' });
      return arenaNamed(client, 'heap').figures.totalBytes;
    });
    expect(inside! - beside!).toBe(200 * MIB);
    expect(beside!).toBeGreaterThan(0.9 * 2 ** 40);
  });

  it.each([
    ['illumos-segkp-heap', { physmem: 128 * GIB }, /^physmem: 137438953472 bytes cannot be laid out/],
    ['illumos-segkp-heap', { physmem: 4097 }, /^physmem: 4097 bytes cannot be laid out/],
    ['illumos-segkp-heap', { page_size: 5000 }, /^page_size: 5000 is no power of two \(allowed/],
    ['illumos-segkp-static', { segkp_size: 5000 }, /^segkp_size: 5000 bytes are no whole pages/],
    [
      'illumos-segkp-static',
      { segkp_size: 700 * MIB },
      /^segkp_size: heap would need 20971520 bytes more than there are/,
    ],
    ['illumos-segkp-static', { segkp_size: 676 * MIB }, /^segkp_size: a heap of 4190208 bytes/],
    ['illumos-segkp-static', { arch: 'amd64', physmem: 2 ** 52 }, /^physmem: the kernel panics at boot/],
    ['illumos-segkp-heap', { arch: 'amd64', physmem: 2 ** 52 }, /^physmem: the kernel panics at boot/],
    [
      'illumos-segkp-static',
      { arch: 'amd64', segkp_size: 100 * MIB },
      /^segkp_size: the kernel would not take 104857600 bytes but 2147483648 \(allowed: on amd64 200MiB to 8GiB/,
    ],
  ] as const)('of %s refuses %o', (name, parameters, message) => {
    expect(refusal(name, parameters)).toMatch(message);
  });
});

describe('a stack', () => {
  it.each(BOTH)('of %s has its red zone below', (name) => {
    const { client, backend } = make(name);
    const { address } = client.alloc(RequestClass.kstack, STACK.i386)!;
    expect(backend.footprint(RequestClass.kstack, STACK.i386)).toBe(12 * KIB);
    const other = client.alloc(RequestClass.kstack, STACK.i386)!;
    expect(Math.abs(other.address - address)).toBe(12 * KIB);
    expect(backend.figures()).toMatchObject({ threads: 2, stackBytes: 24 * KIB });
  });

  it.each(BOTH)('of %s meets the quantum caches up to five pages, so never on amd64', (name) => {
    for (const [stack, cached] of [
      [STACK.i386, 1],
      [STACK.i386Since2008, 1],
      [16 * KIB, 1],
      [STACK.amd64, 0],
    ] as const) {
      const { client, backend } = make(name, { arch: 'amd64' });
      client.alloc(RequestClass.kstack, stack);
      const taken = arenaNamed(client, 'segkp').caches.reduce((sum, { allocs }) => sum + allocs, 0);
      expect([taken, backend.figures().cachedStacks]).toEqual([cached, cached]);
    }
    const { client, backend } = make(name, { arch: 'amd64', segkp_qcache_pages: 6 });
    client.alloc(RequestClass.kstack, STACK.amd64);
    expect(backend.figures().cachedStacks).toBe(1);
  });
});

describe('what else lives in the kernel', () => {
  it.each([
    // kmem_alloc caches ended at 16 KiB in 2005 (spec segkp §2).
    ['i86', 16 * KIB, 16 * KIB + 1],
    ['amd64', 128 * KIB, 128 * KIB + 1],
  ])('is kmem, on %s in caches of up to %i bytes', (arch, cached, oversize) => {
    const taken = (size: number): boolean => {
      const { client } = make('illumos-segkp-static', { arch });
      client.alloc(RequestClass.kmem, size);
      return arenaNamed(client, 'kmem_oversize').figures.inUseBytes > 0;
    };
    expect([cached, oversize].map(taken)).toEqual([false, true]);
  });

  it('is kmem_va with quantum caches of up to eight pages', () => {
    const sizes = arenaNamed(make('illumos-segkp-heap').client, 'kmem_va').caches.map(
      ({ bufferBytes }) => bufferBytes / (4 * KIB),
    );
    expect(sizes).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
  });

  it('is metadata, of 32-bit structures on i86: smaller than on amd64', () => {
    const [small, large] = ['i86', 'amd64'].map((arch) => {
      const { client } = make('illumos-segkp-static', { arch, segkp_qcache_pages: 0 });
      client.alloc(RequestClass.kstack, STACK.amd64);
      return arenaNamed(client, 'segkp').metadataBytes();
    });
    expect(small).toBeLessThan(large!);
  });

  it('is memory pressure, at which magazines let go of slabs that lay idle', () => {
    const { client, backend } = make('illumos-segkp-heap');
    for (let count = 0; count < 5000; count++) client.alloc(RequestClass.kstack, STACK.i386);
    client.freeAll();
    passTime(client, 31);
    const before = backend.figures().segkpReleases;
    client.backend.reap!();
    expect(backend.figures().segkpReleases).toBeGreaterThan(before + 900);
    client.check();
  });
});

/** segkp in a toy machine: 80 pages of it, drawn from its first page. */
describe('pictures', () => {
  const small = { segkp_size: 80 * 4 * KIB };

  it('of a segment of its own: a slab of 16 pages by instant fit, larger stacks by best fit', () => {
    const { client } = make('illumos-segkp-static', { ...small });
    const segkp = arenaNamed(client, 'segkp');
    const shown = (): string => draw(segkp);
    expect(shown()).toBe(`[${'.'.repeat(80)}]`);
    const stacks = Array.from({ length: 6 }, () => client.alloc(RequestClass.kstack, STACK.i386)!);
    expect(shown()).toBe(`[${'a'.repeat(16)}${'b'.repeat(16)}${'.'.repeat(48)}]`);
    const large = [7, 9, 8].map((pages) => client.alloc(RequestClass.kstack, (pages - 1) * 4 * KIB)!);
    expect(shown()).toBe(
      `[${'a'.repeat(16)}${'b'.repeat(16)}${'c'.repeat(7)}${'d'.repeat(9)}${'e'.repeat(8)}${'.'.repeat(24)}]`,
    );
    client.free(large[1]!);
    // Nine pages are the tightest hole for eight; the rest behind is free.
    client.alloc(RequestClass.kstack, 7 * 4 * KIB);
    expect(shown()).toBe(
      `[${'a'.repeat(16)}${'b'.repeat(16)}${'c'.repeat(7)}${'d'.repeat(8)}.${'e'.repeat(8)}${'.'.repeat(24)}]`,
    );
    for (const stack of stacks) client.free(stack);
    client.check();
  });

  it('of imports: each slab a span of segkp and a segment of the heap, gone with its last stack', () => {
    const { client, backend } = make('illumos-segkp-heap');
    const segkp = arenaNamed(client, 'segkp');
    const heap = arenaNamed(client, 'heap');
    const stacks = [7, 7].map((pages) => client.alloc(RequestClass.kstack, (pages - 1) * 4 * KIB)!);
    const range = client.alloc(RequestClass.va, 8 * KIB)!;
    stacks.push(client.alloc(RequestClass.kstack, STACK.i386)!);
    expect(draw(segkp)).toBe(`[${'a'.repeat(7)}][${'b'.repeat(7)}][${'c'.repeat(16)}]`);
    expect(draw(heap).slice(0, 35)).toBe(`[${'a'.repeat(7)}${'b'.repeat(7)}cc${'d'.repeat(16)}..`);
    client.free(stacks[0]!);
    expect(draw(segkp)).toBe(`[${'a'.repeat(7)}][${'b'.repeat(16)}]`);
    expect(backend.figures()).toMatchObject({ segkpImports: 3, segkpReleases: 1, heapUsedBytes: 8 * KIB });
    client.free(range);
  });
});

describe('what is recorded', () => {
  it('is the first failure of a thread, with the arena that had nothing left', () => {
    for (const [name, arena] of [
      ['illumos-segkp-static', 'segkp'],
      ['illumos-segkp-heap', 'heap'],
    ] as const) {
      const { client, backend } = make(name);
      client.alloc(RequestClass.va, 100 * MIB);
      passTime(client, 2);
      const granted = fill(backend, RequestClass.kstack, STACK.i386);
      passTime(client, 3);
      fill(backend, RequestClass.kstack, STACK.i386);
      expect(backend.failures).toHaveLength(1);
      const { figures, ...failure } = backend.failures[0]!;
      expect(failure).toEqual({ kind: 'thread', timeNs: 2 * SECOND, size: STACK.i386, arena });
      expect(figures).toMatchObject({ threads: granted, heapLiveBytes: 100 * MIB });
    }
  });

  it('is the first failure of the heap apart from it, and frees are counted', () => {
    const { client, backend } = make('illumos-segkp-static');
    const live: Live[] = [client.alloc(RequestClass.kstack, STACK.i386)!];
    live.push(client.alloc(RequestClass.va, 300 * MIB)!, client.alloc(RequestClass.kmem, 100)!);
    expect(client.alloc(RequestClass.va, 300 * MIB)).toBeUndefined();
    expect(backend.failures.map(({ kind, arena }) => [kind, arena])).toEqual([['heap', 'heap']]);
    expect(backend.failures[0]!.figures).toMatchObject({ threads: 1, heapLiveBytes: 300 * MIB + 100 });
    for (const each of live) client.free(each);
    expect(backend.figures()).toMatchObject({ threads: 0, stackBytes: 0, heapLiveBytes: 0 });
  });

  it('is a bitmap of a bit per page of the heap segment, and a slot per page (spec §2)', () => {
    const heap = make('illumos-segkp-heap');
    heap.client.alloc(RequestClass.kstack, STACK.i386);
    heap.client.alloc(RequestClass.kstack, 6 * 4 * KIB);
    // 744 MiB with the text of modules: 190,464 pages.
    expect(heap.backend.figures()).toMatchObject({ bitmapBytes: 23_808, bitmapBits: 10, anonSlots: 190_464 });
    const beside = make('illumos-segkp-static');
    beside.client.alloc(RequestClass.kstack, STACK.i386);
    expect(beside.backend.figures()).toMatchObject({ bitmapBytes: 0, bitmapBits: 0, anonSlots: 51_200 });
  });

  it.each(BOTH)('of %s does not agree with a stack that was never gave back', (name) => {
    const { client, backend } = make(name);
    client.alloc(RequestClass.kstack, STACK.amd64);
    backend.check();
    Object.assign(backend, { stackBytes: 0 });
    expect(() => backend.check()).toThrow(InvariantError);
  });
});

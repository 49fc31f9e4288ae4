import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Parameters } from '../../src/backend/contract.js';
import { firstFitMap } from '../../src/backend/first-fit-map.js';
import { freebsdVmem } from '../../src/backend/freebsd-vmem.js';
import { Client } from '../../src/conformance/client.js';
import { AddressSpace } from '../../src/core/address.js';
import { REQUEST_CLASS_NAMES, RequestClass } from '../../src/core/request.js';
import { KIB } from '../../src/core/units.js';
import { RequestFigures } from '../../src/probe/request-figures.js';
import { superpagesTable } from '../../src/probe/superpages.js';

const { kmem, kstack, va, guest } = RequestClass;
const PAGE = 4 * KIB;
const EXTENT_PAGES = 512;
const BASE = AddressSpace.canonical.toNumber(0xfffffe0000000000n);

function rowsOf({ simulation, backend }: Client) {
  const names = superpagesTable.columns.map(({ name }) => name);
  return superpagesTable
    .rows({ simulation, backend, requests: new RequestFigures() })
    .map((row) => Object.fromEntries(row.map((field, index) => [names[index]!, field])));
}

/** A letter per page from the start of address space on: who has it by the live requests, `g` being a guard page. */
function pagesOf(client: Client, extents: number): string[] {
  const pages = new Array<string>(extents * EXTENT_PAGES).fill('.');
  for (const { cls, address, size } of client.live) {
    const first = (address - BASE) / PAGE;
    pages.fill('ksvu'[cls]!, first, first + Math.ceil(size / PAGE));
    if (cls === kstack) pages[first - 1] = 'g';
  }
  return pages;
}

/** Extent by extent, runs of pages as letter and length. */
function draw(client: Client, extents: number): string[] {
  const pages = pagesOf(client, extents);
  return Array.from({ length: extents }, (_, extent) => {
    const own = pages.slice(extent * EXTENT_PAGES, (extent + 1) * EXTENT_PAGES).join('');
    return own.replace(/(.)\1*/g, (run, letter: string) => `${letter}${run.length} `).trim();
  });
}

/** Heap of 300 pages, a stack, heap of 400 pages. */
function heapAroundAStack(parameters: Parameters, heap: number): Client {
  const client = new Client(freebsdVmem, parameters);
  client.alloc(heap, 300 * PAGE);
  client.alloc(kstack, 4 * PAGE);
  client.alloc(heap, 200 * PAGE);
  return client;
}

describe('superpages of the heap', () => {
  it('a stack beside the heap cuts its extent, in an arena of its own it does not', () => {
    const mixed = heapAroundAStack({ stack_kva: 'domain' }, kmem);
    expect(draw(mixed, 1)).toEqual(['k300 g1 s4 k200 .7']);
    expect(rowsOf(mixed)).toEqual([
      { class: 'kmem', extents: 1, whole: 0, with_stacks: 1, with_others: 0, whole_share: 0, stack_share: 1 },
    ]);
    const apart = heapAroundAStack({ stack_kva: 'own' }, kmem);
    expect(rowsOf(apart)).toMatchObject([{ class: 'kmem', extents: 1, with_stacks: 0, stack_share: 0 }]);
    apart.alloc(kmem, 12 * PAGE);
    expect(rowsOf(apart)).toMatchObject([{ class: 'kmem', extents: 1, whole: 1, whole_share: 1 }]);
  });

  it('knows extents far behind the first', () => {
    const client = new Client(freebsdVmem);
    const range = client.alloc(va, 100 * EXTENT_PAGES * PAGE)!;
    client.alloc(va, PAGE);
    const inner = 100 - Math.sign((range.address - BASE) % (EXTENT_PAGES * PAGE));
    expect(rowsOf(client)).toMatchObject([{ class: 'va', extents: 101, whole: inner }]);
    client.free(range);
    expect(rowsOf(client)).toMatchObject([{ class: 'va', extents: 1, whole: 0 }]);
  });

  it('stacks of kva_alloc lie beside ranges, and never beside kmem', () => {
    const client = heapAroundAStack({ stack_kva: 'kernel' }, va);
    client.alloc(kmem, PAGE);
    expect(draw(client, 1)).toEqual(['v300 g1 s4 v200 .7']);
    expect(rowsOf(client)).toMatchObject([
      { class: 'kmem', extents: 1, with_stacks: 0 },
      { class: 'va', extents: 1, with_stacks: 1 },
    ]);
  });

  it('an extent whose guard page alone is in it is cut', () => {
    const client = new Client(freebsdVmem, { stack_kva: 'kernel' });
    client.alloc(va, 511 * PAGE);
    client.alloc(va, 512 * PAGE);
    client.alloc(kstack, 4 * PAGE);
    client.alloc(va, 500 * PAGE);
    // Imports of kernel touch, so requests cross from one to the next.
    expect(draw(client, 3)).toEqual(['v512', 'v511 g1', 's4 v500 .8']);
    expect(rowsOf(client)).toMatchObject([{ class: 'va', extents: 3, whole: 1, with_stacks: 2 }]);
  });

  it('tells other owners apart, and follows frees', () => {
    const client = new Client(freebsdVmem);
    const large = client.alloc(guest, 512 * PAGE)!;
    const small = client.alloc(va, PAGE)!;
    client.alloc(guest, 3 * PAGE);
    expect(rowsOf(client)).toMatchObject([
      { class: 'va', extents: 1, with_others: 1 },
      { class: 'guest', extents: 2, whole: 1, with_others: 1 },
    ]);
    client.free(small);
    client.free(large);
    expect(rowsOf(client)).toMatchObject([{ class: 'guest', extents: 1, whole: 0, with_others: 0 }]);
    client.freeAll();
    expect(rowsOf(client)).toEqual([]);
  });

  it('has no rows for a backend that does not know', () => {
    const client = new Client(firstFitMap);
    client.alloc(kmem, PAGE);
    expect(rowsOf(client)).toEqual([]);
  });

  it('counts as somebody does who looks at every page', () => {
    const operation = fc.record({
      cls: fc.constantFrom(kmem, kstack, va, guest),
      pages: fc.integer({ min: 1, max: 32 }).map((count) => (count > 28 ? count * 40 : count)),
      frees: fc.nat(3),
    });
    const origins = fc.constantFrom('own', 'kernel', 'domain');
    const operations = fc.array(operation, { minLength: 40, maxLength: 200 });
    fc.assert(
      fc.property(origins, operations, (stack_kva, history) => {
        const client = new Client(freebsdVmem, { stack_kva });
        for (const { cls, pages, frees } of history) {
          client.alloc(cls, (cls === kstack ? Math.min(pages, 32) : pages) * PAGE);
          if (frees === 0) client.free(client.live[client.live.length >> 1]!);
        }
        expect(rowsOf(client)).toEqual(slowRows(client));
      }),
      { numRuns: 30 },
    );
  });
});

/** The same table by way of a letter per page. */
function slowRows(client: Client) {
  const ends = client.live.map(({ address, size }) => (address + size - BASE) / (PAGE * EXTENT_PAGES));
  const extents = Math.ceil(Math.max(0, ...ends));
  const pages = pagesOf(client, extents);
  return [kmem, va, guest].flatMap((cls) => {
    const letter = 'ksvu'[cls]!;
    const counts = { extents: 0, whole: 0, with_stacks: 0, with_others: 0 };
    for (let extent = 0; extent < extents; extent++) {
      const own = pages.slice(extent * EXTENT_PAGES, (extent + 1) * EXTENT_PAGES);
      if (!own.includes(letter)) continue;
      counts.extents++;
      if (own.every((page) => page === letter)) counts.whole++;
      if (own.some((page) => page === 's' || page === 'g')) counts.with_stacks++;
      if (own.some((page) => 'kvu'.includes(page) && page !== letter)) counts.with_others++;
    }
    if (counts.extents === 0) return [];
    const shares = {
      whole_share: counts.whole / counts.extents,
      stack_share: counts.with_stacks / counts.extents,
    };
    return [{ class: REQUEST_CLASS_NAMES[cls]!, ...counts, ...shares }];
  });
}

import { describe, expect, it } from 'vitest';
import type { StackFigures } from '../../src/arena/view.js';
import type { BackendDefinition, Parameters } from '../../src/backend/contract.js';
import { freebsdKstackDense } from '../../src/backend/freebsd-kstack-dense.js';
import { freebsdKstackPerObject } from '../../src/backend/freebsd-kstack-per-object.js';
import { freebsdKstackSingle } from '../../src/backend/freebsd-kstack-single.js';
import { Client, type Live } from '../../src/conformance/client.js';
import { InputError } from '../../src/core/errors.js';
import { RequestClass, RequestOp } from '../../src/core/request.js';
import { KIB, MIB } from '../../src/core/units.js';

const PAGE = 4 * KIB;
const STACK = 4 * PAGE;
const LAYOUTS = [freebsdKstackPerObject, freebsdKstackSingle, freebsdKstackDense] as const;

function threads(
  definition: BackendDefinition,
  count: number,
  parameters: Parameters = {},
): { client: Client; stacks: Live[] } {
  const client = new Client(definition, parameters);
  const stacks = Array.from({ length: count }, () => client.alloc(RequestClass.kstack, STACK)!);
  return { client, stacks };
}

function figuresOf(client: Client): StackFigures {
  return client.backend.stacks!.stackFigures();
}

function swap(client: Client, op: number, { cls, address, size }: Live): void {
  client.backend.act!(op, cls, address, size, size, 0);
}

describe('the backends of FreeBSD kernel stacks', () => {
  it('need an object per stack, one, or two', () => {
    const objects = LAYOUTS.map((layout) => [layout.name, figuresOf(threads(layout, 1024).client).objects]);
    expect(objects).toEqual([
      ['freebsd-kstack-per-object', 1024],
      ['freebsd-kstack-single', 1],
      ['freebsd-kstack-dense', 2],
    ]);
  });

  it('fill reservations to 80 % where guard pages have indices, and wholly where they have none', () => {
    const [perObject, single, dense] = LAYOUTS.map((layout) => {
      const figures = figuresOf(threads(layout, 4096).client);
      return { figures, fill: figures.reservedPages / (512 * figures.reservations) };
    });
    expect(perObject!.figures.reservations).toBe(0);
    expect(single!.figures.fullReservations).toBe(0);
    expect(single!.fill).toBeCloseTo(0.8, 2);
    // Of 512 slots an import of stack addresses loses one, and with it one reservation in four is never full.
    expect(dense!.figures.fullReservations).toBe(24);
    expect(dense!.fill).toBeGreaterThan(0.96);
    const holes = [single!, dense!].map(({ figures }) => figures.indexHoles / figures.indexSpan);
    expect(holes[0]).toBeCloseTo(0.2, 2);
    expect(holes[1]).toBeLessThan(0.003);
  });

  it('find pages in a row where reservations hold them, whatever else takes memory', () => {
    const shares = LAYOUTS.map((layout) => {
      const figures = figuresOf(threads(layout, 1024, { background_rate: 16 }).client);
      return figures.contiguousStacks / figures.residentStacks;
    });
    expect(shares[0]).toBeLessThan(0.5);
    expect(shares.slice(1)).toEqual([1, 1]);
  });

  it('write clusters of one stack each, but of eight where stacks are side by side and many wait', () => {
    const means = LAYOUTS.map((layout) => {
      const { client, stacks } = threads(layout, 512, { launder_after: 2048 });
      for (const stack of stacks) swap(client, RequestOp.swapOut, stack);
      client.check();
      const { swapWrites, swapPagesWritten } = figuresOf(client);
      return swapPagesWritten / swapWrites;
    });
    expect(means.slice(0, 2)).toEqual([4, 4]);
    expect(means[2]).toBeGreaterThan(28);
  });

  it.each(LAYOUTS)('$name brings stacks back, and lets threads exit whose stack is out', (layout) => {
    const { client, stacks } = threads(layout, 64, { launder_after: 4 });
    const reads = () => figuresOf(client).swapReads;
    for (const stack of stacks) swap(client, RequestOp.swapOut, stack);
    swap(client, RequestOp.swapOut, stacks[0]!);
    expect(figuresOf(client).residentStacks).toBe(0);
    swap(client, RequestOp.swapIn, stacks[0]!);
    swap(client, RequestOp.swapIn, stacks[0]!);
    expect(reads()).toBe(1);
    client.freeAll();
    client.check();
    expect(reads()).toBe(64);
  });

  it('refuse where memory is exhausted, when the page daemon has freed what it can', () => {
    for (const layout of LAYOUTS) {
      const { client, stacks } = threads(layout, 0, { memory: 8 * MIB, background_pages: 0 });
      for (let last = client.alloc(RequestClass.kstack, STACK); last !== undefined; ) {
        stacks.push(last);
        last = client.alloc(RequestClass.kstack, STACK);
      }
      expect(stacks.length).toBeGreaterThan(480);
      expect(stacks.length).toBeLessThanOrEqual(512);
      swap(client, RequestOp.swapOut, stacks[5]!);
      expect(client.alloc(RequestClass.kstack, STACK)).toBeDefined();
      // Now there is no memory for the stack that is out, and its thread exits.
      while (client.alloc(RequestClass.kstack, STACK) !== undefined);
      client.free(stacks[5]!);
      client.check();
    }
  });

  it('give a thread that asks for one page the default, and none more than 32 pages', () => {
    const client = new Client(freebsdKstackSingle, {}, [{ align: 64 * KIB }]);
    expect(client.backend.footprint(RequestClass.kstack, 100)).toBe(STACK + PAGE);
    expect(client.alloc(RequestClass.kstack, 33 * PAGE)).toBeUndefined();
    expect(client.alloc(RequestClass.kstack, STACK, 0)).toBeUndefined();
    expect(client.alloc(RequestClass.kstack, 32 * PAGE)).toBeDefined();
  });

  it('serve most creations from the stack cache where threads come and go', () => {
    const { client } = threads(freebsdKstackDense, 10);
    for (let count = 0; count < 1000; count++) client.free(client.alloc(RequestClass.kstack, STACK)!);
    const { creations, cacheHits } = figuresOf(client);
    expect(creations).toBe(1010);
    expect(cacheHits).toBeGreaterThan(1000);
  });

  it('need reservations for pages in a row, wherever indices come from', () => {
    const inARow = ['kva', 'unit'].map((indices) =>
      [true, false].map((reservations) => {
        const { client } = threads(freebsdKstackDense, 500, { indices, reservations });
        const { contiguousStacks, residentStacks } = figuresOf(client);
        return contiguousStacks / residentStacks;
      }),
    );
    expect(inARow).toEqual([
      [1, 0],
      [1, 0],
    ]);
  });

  it('give cached stacks back under pressure', () => {
    const { client } = threads(freebsdKstackDense, 200);
    client.freeAll();
    client.backend.reap();
    expect(figuresOf(client).stackBytes).toBe(0);
    expect(client.backend.arenas.map(({ figures }) => figures.totalBytes)).toContain(0);
  });

  it.each([
    ['memory', MIB, 'cannot be managed'],
    ['skip_kva', 4096, 'cannot be managed'],
  ])('refuse %s %s', (field, value, problem) => {
    const make = () => new Client(freebsdKstackDense, { [field]: value });
    expect(make).toThrow(InputError);
    expect(make).toThrow(problem);
  });
});

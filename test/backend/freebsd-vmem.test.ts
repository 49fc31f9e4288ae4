import { describe, expect, it } from 'vitest';
import { EndlessScanError } from '../../src/arena/freebsd-vmem/cursor.js';
import { TagType } from '../../src/arena/view.js';
import { freebsdVmem } from '../../src/backend/freebsd-vmem.js';
import { Client } from '../../src/conformance/client.js';
import { AddressSpace } from '../../src/core/address.js';
import { InputError } from '../../src/core/errors.js';
import { RequestClass } from '../../src/core/request.js';
import { GIB, KIB, MIB } from '../../src/core/units.js';

const PAGE = 4 * KIB;
const BASE = AddressSpace.canonical.toNumber(0xfffffe0000000000n);

function inUseOf(client: Client): Record<string, number> {
  return Object.fromEntries(client.backend.arenas.map(({ name, figures }) => [name, figures.inUseBytes]));
}

describe('freebsd-vmem', () => {
  it('takes each class from the layer that the kernel takes it from, imports cascading in superpages', () => {
    const client = new Client(freebsdVmem);
    client.alloc(RequestClass.va, 3 * PAGE);
    expect(inUseOf(client)).toEqual({
      kernel_map: 2 * MIB,
      kernel: 3 * PAGE,
      kernel_dom0: 0,
      kstack_dom0: 0,
    });
    client.alloc(RequestClass.kmem, 100);
    // An aligned import of 2 MiB makes the arena above ask for twice the alignment more.
    expect(inUseOf(client)).toEqual({
      kernel_map: 8 * MIB,
      kernel: 3 * PAGE + 2 * MIB,
      kernel_dom0: PAGE,
      kstack_dom0: 0,
    });
    const stack = client.alloc(RequestClass.kstack, 4 * PAGE)!;
    expect(inUseOf(client).kstack_dom0).toBe(5 * PAGE);
    // The stack is the upper part of a slot that is counted from the start of kernel address space.
    expect((stack.address - PAGE - BASE) % (5 * PAGE)).toBe(0);
    client.alloc(RequestClass.kstack, 8 * PAGE);
    expect(inUseOf(client)).toMatchObject({ kstack_dom0: 5 * PAGE, kernel_dom0: 10 * MIB + 10 * PAGE });
  });

  it('serves CPUs from the arena of their domain, and frees to the arena that it came from', () => {
    const client = new Client(freebsdVmem, { domains: 2 });
    const far = client.alloc(RequestClass.kmem, PAGE, undefined, 3)!;
    expect(inUseOf(client)).toMatchObject({ kernel_dom0: 0, kernel_dom1: PAGE });
    client.free(far, 0);
    expect(inUseOf(client)).toMatchObject({ kernel_dom0: 0, kernel_dom1: 0 });
  });

  it('takes bounded ranges from kernel_map where kernel has none, without importing all of it', () => {
    const bounds = { minAddress: BASE + 4 * GIB, maxAddress: BASE + 4 * GIB + 2 * PAGE };
    const client = new Client(freebsdVmem, {}, [bounds]);
    const granted = [1, 2, 3].map(() => client.alloc(RequestClass.va, PAGE, 0)?.address);
    expect(granted).toEqual([bounds.minAddress, bounds.minAddress + PAGE, undefined]);
    expect(inUseOf(client)).toMatchObject({ kernel_map: 2 * PAGE, kernel: 0 });
    client.freeAll();
    client.check();
    expect(inUseOf(client).kernel_map).toBe(0);
  });

  it('places by next fit behind the last allocation, and fails where the kernel would scan for ever', () => {
    const client = new Client(freebsdVmem, { strategy: 'nextfit' });
    const first = client.alloc(RequestClass.va, 3 * PAGE)!;
    const second = client.alloc(RequestClass.va, 3 * PAGE)!;
    client.free(first);
    expect(client.alloc(RequestClass.va, 3 * PAGE)!.address).toBe(second.address + 3 * PAGE);
    const fresh = new Client(freebsdVmem, { strategy: 'nextfit' });
    const fill = () => {
      for (let count = 0; count < 5000; count++) fresh.alloc(RequestClass.va, PAGE);
    };
    expect(fill).toThrow(EndlessScanError);
  });

  it('shows spans that touch as one in its walk', () => {
    const client = new Client(freebsdVmem);
    for (let count = 0; count < 3; count++) client.alloc(RequestClass.va, 2 * MIB);
    const spans: number[] = [];
    client.backend.arenas[1]!.walk((type, _start, size) => {
      if (type === TagType.span) spans.push(size);
    });
    expect(spans).toEqual([6 * MIB]);
  });

  it.each([
    ['kernel_size', 3 * MIB, 'are no kernel_map'],
    ['kernel_base', '0xfffffe0000001000', 'is not aligned'],
    ['qcache_max', 4, 'not filled by next fit'],
  ])('refuses %s %s', (field, value, problem) => {
    const make = () => new Client(freebsdVmem, { strategy: 'nextfit', [field]: value });
    expect(make).toThrow(InputError);
    expect(make).toThrow(problem);
  });
});

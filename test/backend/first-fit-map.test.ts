import { describe, expect, it } from 'vitest';
import type { Parameters } from '../../src/backend/contract.js';
import { firstFitMap } from '../../src/backend/first-fit-map.js';
import { Client } from '../../src/conformance/client.js';
import { AddressSpace } from '../../src/core/address.js';
import { InputError, MisuseError } from '../../src/core/errors.js';
import { type Constraint, RequestClass } from '../../src/core/request.js';

const BASE = AddressSpace.canonical.toNumber(0xffffc90000000000n);

function client(parameters: Parameters = {}, rows: readonly Constraint[] = []): Client {
  return new Client(firstFitMap, parameters, rows);
}

describe('first-fit-map', () => {
  it('puts a guard page below each stack', () => {
    const one = client();
    expect(one.alloc(RequestClass.kstack, 16384)?.address).toBe(BASE + 4096);
    expect(one.alloc(RequestClass.kstack, 16000)?.address).toBe(BASE + 20480 + 4096);
    expect(one.alloc(RequestClass.va, 1)?.address).toBe(BASE + 2 * 20480);
    expect(one.backend.footprint(RequestClass.kstack, 16384)).toBe(20480);
  });

  it('aligns the stack, not its guard page', () => {
    const one = client({}, [{ align: 16384, phase: 8192, minAddress: BASE + 8192 }]);
    one.alloc(RequestClass.va, 4096);
    expect(one.alloc(RequestClass.kstack, 16384, 0)?.address).toBe(BASE + 8192);
  });

  it('keeps small objects in a map of their own', () => {
    const one = client({ arena_size: 2 ** 30 });
    expect(one.alloc(RequestClass.kmem, 13)?.address).toBe(BASE + 2 ** 30);
    expect(one.alloc(RequestClass.kmem, 1)?.address).toBe(BASE + 2 ** 30 + 16);
  });

  it('needs an entry per allocation without merging, one for all with it', () => {
    const entries = [true, false].map((merge) => {
      const one = client({ merge });
      for (let i = 0; i < 10; i++) one.alloc(RequestClass.va, 4096);
      return one.backend.arenas[0]!.figures.allocTags;
    });
    expect(entries).toEqual([1, 10]);
  });

  it('weighs entries by the ABI', () => {
    const weights = (['lp64', 'ilp32'] as const).map((abi) => {
      const one = client({ abi });
      one.alloc(RequestClass.va, 4096);
      return one.backend.arenas[0]!.metadataBytes();
    });
    expect(weights).toEqual([288 + 136, 160 + 84]);
  });

  it('takes one lock per operation', () => {
    const one = client();
    one.free(one.alloc(RequestClass.va, 4096)!);
    one.alloc(RequestClass.kmem, 8);
    expect([...one.simulation.locks.byName()]).toEqual([
      ['kernel map', 2],
      ['kmem map', 1],
    ]);
  });

  it('accepts any spelling of an exact base', () => {
    for (const arena_base of ['0x100000000', '4294967296', 2 ** 32]) {
      expect(client({ arena_base }).alloc(RequestClass.va, 4096)?.address).toBe(2 ** 32);
    }
  });

  it('may end at the top of the address space', () => {
    const arena_base = '0xffffffff80000000';
    const one = client({ arena_base, arena_size: 2 ** 30, kmem_size: 2 ** 30 });
    expect(one.alloc(RequestClass.kmem, 2 ** 30)).toBeDefined();
    expect(one.alloc(RequestClass.kmem, 8)).toBeUndefined();
  });

  it('notices misuse', () => {
    const one = client();
    const live = one.alloc(RequestClass.kstack, 16384)!;
    one.free(live);
    expect(() => one.backend.free(live.cls, live.address, live.size, -1, 0)).toThrow(MisuseError);
    expect(() => one.backend.free(RequestClass.kmem, 12345, 8, -1, 0)).toThrow(MisuseError);
    expect(() => one.backend.alloc(RequestClass.page, 4096, -1, 0)).toThrow('cls=page');
  });

  it.each<[Parameters, string]>([
    [
      { arena_size: 4095 },
      'arena_size: 4095 bytes cannot be managed (allowed: a multiple of 4096 bytes, at least 4096)',
    ],
    [{ arena_size: 0 }, 'arena_size: '],
    [{ kmem_size: 100 }, 'kmem_size: '],
    [{ page_size: 3000 }, 'page_size: 3000 is no power of two'],
    [{ kmem_quantum: 0 }, 'kmem_quantum: 0 is no power of two'],
    [{ arena_base: 'top' }, "arena_base: 'top' is not an exact address"],
    [{ arena_base: 2 ** 63 }, 'quote large numbers'],
    [{ arena_base: '0xffffc90000000001' }, 'is not aligned'],
    [{ arena_base: '0xffffffff80000000' }, 'leave the address space'],
    [{ arena_base: '0x8000000000000000' }, 'outside the modelled address space'],
    [{ arena_base: '0xff00000000000' }, 'outside the modelled address space'],
  ])('refuses %j', (parameters, message) => {
    expect(() => client(parameters)).toThrow(InputError);
    expect(() => client(parameters)).toThrow(message);
  });

  it.each<[Constraint, string]>([
    [{ align: 3000 }, 'align: constraint 1 has align 3000'],
    [{ nocross: 3000 }, 'nocross: constraint 1 has nocross 3000'],
    [{ align: 64, phase: 64 }, 'phase: constraint 1 has phase 64'],
  ])('refuses the constraint %j', (row, message) => {
    expect(() => client({}, [{}, row])).toThrow(message);
  });
});

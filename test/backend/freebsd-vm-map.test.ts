import { describe, expect, it } from 'vitest';
import { freebsdVmMap } from '../../src/backend/freebsd-vm-map.js';
import { Client } from '../../src/conformance/client.js';
import { AddressSpace } from '../../src/core/address.js';
import { RequestClass } from '../../src/core/request.js';
import { KIB, MIB } from '../../src/core/units.js';

const PAGE = 4 * KIB;
const BASE = AddressSpace.canonical.toNumber(0xfffffe0000000000n);

function entriesOf(client: Client): number {
  return client.backend.arenas[0]!.mapEntries!.linkedEntries;
}

describe('freebsd-vm-map', () => {
  it('gives each class the lowest fit, and neighbours one entry beside that of the text', () => {
    const client = new Client(freebsdVmMap);
    const classes = [RequestClass.kmem, RequestClass.va, RequestClass.kstack];
    const answers = classes.map((cls) => client.alloc(cls, 2 * PAGE)!.address - BASE);
    // A guard page is below the stack.
    expect(answers).toEqual([0, 2 * PAGE, 5 * PAGE]);
    expect(entriesOf(client)).toBe(2);
  });

  it('needs an entry more for a free in the middle', () => {
    const client = new Client(freebsdVmMap);
    const [, middle] = [1, 2, 3].map(() => client.alloc(RequestClass.va, PAGE)!);
    client.free(middle!);
    expect(entriesOf(client)).toBe(3);
    // It is cut off in front and behind, and only then removed.
    expect(client.backend.arenas[0]!.mapEntries!.entriesForSplits).toBe(2);
  });

  it('grows past a gap that is too small, for the text is the last entry', () => {
    const client = new Client(freebsdVmMap);
    const first = client.alloc(RequestClass.va, PAGE)!;
    client.alloc(RequestClass.va, PAGE);
    client.free(first);
    expect(client.alloc(RequestClass.va, 2 * PAGE)!.address).toBe(BASE + 2 * PAGE);
  });

  it.each([
    [true, 2 * MIB],
    [false, PAGE],
  ])('aligns long ranges to superpages: %s', (superpages, offset) => {
    const client = new Client(freebsdVmMap, { superpages });
    client.alloc(RequestClass.va, PAGE);
    expect(client.alloc(RequestClass.guest, 2 * MIB)!.address - BASE).toBe(offset);
  });

  it('gives back and refuses what lies above a bound', () => {
    const client = new Client(freebsdVmMap, {}, [{ maxAddress: BASE + PAGE }, { nocross: 64 * KIB }]);
    expect(client.alloc(RequestClass.va, 2 * PAGE, 0)).toBeUndefined();
    expect(client.alloc(RequestClass.va, PAGE, 1)).toBeUndefined();
    expect(client.inUseBytes).toEqual([0]);
  });
});

import { describe, expect, it } from 'vitest';
import { BusyHash as FreebsdHash } from '../../src/arena/freebsd-vmem/busy-hash.js';
import { TagTable as FreebsdTags } from '../../src/arena/freebsd-vmem/tags.js';
import { BusyHash as NetbsdHash } from '../../src/arena/netbsd-vmem/busy-hash.js';
import { TagTable as NetbsdTags, Origin } from '../../src/arena/netbsd-vmem/tags.js';
import { AddressSpace } from '../../src/core/address.js';

const SPACE = AddressSpace.canonical;
const ADDRESSES = Array.from({ length: 200 }, (_, index) =>
  SPACE.toNumber(0xffff_ff80_0000_0000n + BigInt(index * index) * 0x3000n),
);

/** hash32_buf of the eight bytes of an address, the lowest first, from 5381 on. */
function hash32(address: bigint, factor: bigint): bigint {
  let hash = 5381n;
  for (let byte = 0n; byte < 8n; byte++)
    hash = (hash * factor + ((address >> (8n * byte)) & 0xffn)) % 2n ** 32n;
  return hash;
}

interface Hash {
  readonly lookups: number;
  insert(tag: number): void;
  remove(address: number): number;
}

/** Inserts all addresses, removes them oldest first, and answers what each removal passed by. */
function passed(hash: Hash, makeTag: (address: number) => number): number[] {
  const tags = ADDRESSES.map(makeTag);
  for (const tag of tags) hash.insert(tag);
  return ADDRESSES.map((address, index) => {
    const before = hash.lookups;
    expect(hash.remove(address)).toBe(tags[index]);
    return hash.lookups - before;
  });
}

/** Newest first, so that a removal passes by everything younger in its chain. */
function expected(chainOf: (address: bigint) => bigint): number[] {
  const chains = ADDRESSES.map((address) => chainOf(SPACE.toBigInt(address)));
  return chains.map((chain, index) => chains.slice(index + 1).filter((other) => other === chain).length);
}

describe('hash chains of busy tags', () => {
  it("are those of FreeBSD's hash: 33 times the hash before plus a byte, 16 chains at first", () => {
    const tags = new FreebsdTags();
    const hash = new FreebsdHash(tags, SPACE, { steps: 0 });
    const made = passed(hash, (address) => {
      const tag = tags.create();
      tags.start[tag] = address;
      return tag;
    });
    expect(made).toEqual(expected((address) => hash32(address, 33n) % 16n));
  });

  it("are those of NetBSD's hash: 257 times, once more at the end, as many chains as the rehash saw tags", () => {
    const tags = new NetbsdTags();
    const hash = new NetbsdHash(tags, SPACE, { steps: 0 }, 65_536);
    const makeTag = (address: number): number => {
      const tag = tags.create(Origin.pool);
      tags.start[tag] = address;
      return tag;
    };
    expect(passed(hash, makeTag)).toEqual(expected(() => 0n));
    for (const address of ADDRESSES.slice(0, 100)) hash.insert(makeTag(address));
    hash.rehash();
    for (const address of ADDRESSES.slice(0, 100)) hash.remove(address);
    const made = passed(hash, makeTag);
    expect(made).toEqual(expected((address) => ((hash32(address, 257n) * 257n) % 2n ** 32n) % 100n));
    expect(Math.max(...made)).toBeGreaterThan(0);
  });
});

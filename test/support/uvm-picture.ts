import { expect } from 'vitest';
import { PAGE_BYTES, UVM_ABIS } from '../../src/arena/uvm-map/abi.js';
import { Attribute, EntryFlag, MapFlag } from '../../src/arena/uvm-map/flags.js';
import { entryRows } from '../../src/arena/uvm-map/inspect.js';
import { ANYWHERE } from '../../src/arena/uvm-map/space-search.js';
import { UvmMap } from '../../src/arena/uvm-map/uvm-map.js';
import { NO_ADDRESS } from '../../src/core/address.js';

const BASE = 2 ** 44;

/** Words of a request: q quantum, n nomerge, f fixed, r read only, o kernel object. */
export interface Request {
  readonly words?: string;
  /** Page of the hint. */
  readonly hint?: number;
  /** Pages. */
  readonly align?: number;
}

export function flagsOf(words: string): number {
  const bit = (word: string, value: number) => (words.includes(word) ? value : 0);
  return bit('q', MapFlag.quantum) | bit('n', MapFlag.noMerge) | bit('f', MapFlag.fixed);
}

export function attributesOf(words: string): number {
  return (
    (words.includes('r') ? Attribute.read : Attribute.allAccess) |
    (words.includes('o') ? Attribute.object : 0)
  );
}

/** An empty map of some pages that cuts its entries from pages of its own. */
export function kernelMapOf(pages: number): UvmMap {
  return new UvmMap({ name: 'map', base: BASE, limit: BASE + pages * PAGE_BYTES, abi: UVM_ABIS.lp64 });
}

/** One character per page: K for a page of entries, a letter for each other entry, a dot for a hole. */
export function drawMap(map: UvmMap): string {
  const cells = Array<string>((map.limit - map.base) / PAGE_BYTES).fill('.');
  let letters = 0;
  for (const row of entryRows(map)) {
    const isEntryPage = (map.supply.flags[map.entryAt[row]!]! & EntryFlag.entryPage) !== 0;
    const letter = isEntryPage ? 'K' : String.fromCharCode(97 + (letters++ % 26));
    const page = (address: number) => (address - map.base) / PAGE_BYTES;
    cells.fill(letter, page(map.tree.start[row]!), page(map.tree.end[row]!));
  }
  return `[${cells.join('')}]`;
}

/** Operations on a kernel map, in pages, each followed by a check of its invariants. */
export class MapPicture {
  readonly map: UvmMap;

  constructor(pages: number) {
    this.map = kernelMapOf(pages);
  }

  /** Maps `pages` pages; `expected` is the page of the answer, or null for a refusal. */
  enter(pages: number, expected: number | null, { words = '', hint, align = 0 }: Request = {}): this {
    const { map } = this;
    const at = hint === undefined ? ANYWHERE : BASE + hint * PAGE_BYTES;
    const size = pages * PAGE_BYTES;
    const address = map.map(size, align * PAGE_BYTES, at, flagsOf(words), attributesOf(words));
    expect(address === NO_ADDRESS ? null : (address - BASE) / PAGE_BYTES).toBe(expected);
    map.check();
    return this;
  }

  /** Maps `count` single pages that do not merge, wherever they go. */
  fill(count: number): this {
    for (let made = 0; made < count; made++) {
      expect(this.map.map(PAGE_BYTES, 0, ANYWHERE, MapFlag.noMerge, Attribute.allAccess)).not.toBe(
        NO_ADDRESS,
      );
    }
    return this;
  }

  unmap(page: number, pages: number, words = ''): this {
    this.map.unmap(BASE + page * PAGE_BYTES, pages * PAGE_BYTES, words.includes('q'));
    this.map.check();
    return this;
  }

  /** Compares the entries with a drawing, and the numbers of kept and free ones. */
  expect(drawing: string, kept: number, free: number): this {
    const { keptEntries, freeEntries } = this.map.figures;
    expect([drawMap(this.map), keptEntries, freeEntries]).toEqual([drawing, kept, free]);
    return this;
  }
}

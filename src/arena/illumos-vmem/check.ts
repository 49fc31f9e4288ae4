import { InvariantError } from '../../core/errors.js';
import { highBit } from '../../core/units.js';
import type { VmemArena } from './arena.js';
import { arenaListOrder, tagLines } from './inspect.js';
import { ROTOR, Tag } from './tags.js';

/** What a pass over the arena list adds up to. */
interface Sums {
  spans: number;
  free: number;
  alloc: number;
  totalBytes: number;
  importBytes: number;
  inUseBytes: number;
}

/**
 * Checks everything that must hold of an arena between two operations: segments tile their spans, neighbours are
 * coalesced unless the rotor parts them, lists and hash table hold exactly their segments, and all counters agree.
 * @throws InvariantError with a dump of the arena.
 */
export function checkArena(arena: VmemArena): void {
  const { tags } = arena;
  const fail = (problem: string): never => {
    throw new InvariantError(`arena ${arena.name}: ${problem}`, tagLines(arena));
  };
  const hashed = findable(arena);
  const sums: Sums = { spans: 0, free: 0, alloc: 0, totalBytes: 0, importBytes: 0, inUseBytes: 0 };
  let expectedStart = -1;
  let spanEnd = -1;
  let before = ROTOR;
  for (const tag of arenaListOrder(arena)) {
    const type = tags.type[tag]!;
    if (tag !== ROTOR) {
      const start = tags.start[tag]!;
      if (tags.isSpan(tag)) {
        if (expectedStart !== spanEnd) fail(`the span before ${arena.space.format(start)} is not tiled`);
        spanEnd = tags.end[tag]!;
        expectedStart = start;
      } else {
        if (start !== expectedStart) fail(`hole or overlap before ${arena.space.format(start)}`);
        expectedStart = start + arena.roundUp(tags.end[tag]! - start);
        if (type === Tag.free && tags.type[before] === Tag.free) fail('two free neighbours');
        if (type === Tag.alloc && hashed[tag] !== 1) fail('allocated segment not in the hash table');
      }
      addUp(sums, arena, tag);
    }
    before = tag;
  }
  if (expectedStart !== spanEnd) fail('the last span is not tiled');
  checkFreeLists(arena, sums.free, fail);
  compare(sums, arena, fail);
}

/** How often each tag, by its index, is where the hash table looks for its address. */
function findable({ tags, hash }: VmemArena): Uint8Array {
  const times = new Uint8Array(tags.type.length);
  hash.walk((tag, isAtHome) => {
    if (isAtHome) times[tag]! += 1;
  });
  return times;
}

function addUp(sums: Sums, arena: VmemArena, tag: number): void {
  const { tags } = arena;
  const bytes = tags.end[tag]! - tags.start[tag]!;
  switch (tags.type[tag]) {
    case Tag.free:
      sums.free++;
      return;
    case Tag.alloc:
      sums.alloc++;
      sums.inUseBytes += bytes;
      return;
    default:
      sums.spans++;
      sums.totalBytes += bytes;
      if (tags.type[tag] === Tag.importedSpan) sums.importBytes += bytes;
  }
}

function checkFreeLists(arena: VmemArena, free: number, fail: (problem: string) => never): void {
  const { tags, freeLists } = arena;
  let members = 0;
  let mapLow = 0;
  let mapHigh = 0;
  freeLists.walk((list, tag) => {
    members++;
    if (list < 32) mapLow |= 1 << list;
    else mapHigh |= 1 << (list - 32);
    if (tags.type[tag] !== Tag.free) fail(`segment on free list ${list} is not free`);
    if (highBit(tags.end[tag]! - tags.start[tag]!) - 1 !== list)
      fail(`segment on the wrong free list ${list}`);
  });
  if (members !== free || members !== freeLists.count)
    fail(`${members} segments on free lists, ${free} in the arena`);
  if (mapLow !== freeLists.mapLow || mapHigh !== freeLists.mapHigh)
    fail('the free map disagrees with the lists');
  const miscount = freeLists.spectrum?.contradiction() ?? '';
  if (miscount !== '') fail(miscount);
}

function compare(sums: Sums, arena: VmemArena, fail: (problem: string) => never): void {
  const pairs: readonly (readonly [string, number, number])[] = [
    ['spans', sums.spans, arena.spanTags],
    ['allocated segments', sums.alloc, arena.allocTags],
    ['live allocations', sums.alloc, arena.allocs - arena.frees],
    ['bytes of spans', sums.totalBytes, arena.totalBytes],
    ['imported bytes', sums.importBytes, arena.importBytes],
    ['bytes in use', sums.inUseBytes, arena.inUseBytes],
  ];
  for (const [what, counted, kept] of pairs) {
    if (counted !== kept) fail(`${what}: counted ${counted}, kept ${kept}`);
  }
}

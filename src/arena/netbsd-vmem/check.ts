import { InvariantError } from '../../core/errors.js';
import type { VmemArena } from './arena.js';
import { listOrder, tagLines } from './inspect.js';
import { MOST_SPARES } from './spare-tags.js';
import { NO_TAG, Tag } from './tags.js';

/** What a pass over the segment list adds up to. */
interface Sums {
  spans: number;
  free: number;
  busy: number;
  totalBytes: number;
  importBytes: number;
  inUseBytes: number;
}

/**
 * Checks everything that must hold of an arena between two operations: segments tile their spans, neighbours are
 * coalesced, no imported span is free, lists and hash table hold exactly their segments, and all counters agree.
 * @throws InvariantError with a dump of the arena.
 */
export function checkArena(arena: VmemArena): void {
  const fail = (problem: string): never => {
    throw new InvariantError(`arena ${arena.name}: ${problem}`, tagLines(arena));
  };
  const sums = walkSegments(arena, fail);
  checkFreeLists(arena, sums.free, fail);
  compare(sums, arena, fail);
}

function walkSegments(arena: VmemArena, fail: (problem: string) => never): Sums {
  const { tags, space } = arena;
  const sums: Sums = { spans: 0, free: 0, busy: 0, totalBytes: 0, importBytes: 0, inUseBytes: 0 };
  let reached = 0;
  let spanEnd = 0;
  let before = NO_TAG;
  for (const tag of listOrder(arena)) {
    const start = tags.start[tag]!;
    const where = space.format(start);
    if (tags.previous[tag] !== before) fail(`wrong link to the left at ${where}`);
    if (tags.isSpan(tag)) {
      if (reached !== spanEnd) fail(`the span before ${where} is not tiled`);
      spanEnd = start + tags.size[tag]!;
      reached = start;
    } else {
      if (start !== reached) fail(`hole or overlap before ${where}`);
      reached = start + tags.size[tag]!;
      if (tags.type[tag] === Tag.free && tags.type[before] === Tag.free) fail('two free neighbours');
      if (tags.type[tag] === Tag.busy && arena.hash.find(start) !== tag)
        fail(`${where} is not in the hash table`);
    }
    addUp(sums, arena, tag);
    before = tag;
  }
  if (reached !== spanEnd) fail('the last span is not tiled');
  return sums;
}

function addUp(sums: Sums, arena: VmemArena, tag: number): void {
  const bytes = arena.tags.size[tag]!;
  switch (arena.tags.type[tag]) {
    case Tag.free:
      sums.free++;
      return;
    case Tag.busy:
      sums.busy++;
      sums.inUseBytes += bytes;
      return;
    default:
      sums.spans++;
      sums.totalBytes += bytes;
      if (arena.tags.type[tag] === Tag.span) sums.importBytes += bytes;
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
    if (freeLists.listOf(tags.size[tag]!) !== list) fail(`segment on the wrong free list ${list}`);
  });
  if (members !== free || members !== freeLists.count)
    fail(`${members} segments on free lists, ${free} in the arena`);
  if (mapLow !== freeLists.mapLow || mapHigh !== freeLists.mapHigh)
    fail('the free map disagrees with the lists');
}

function compare(sums: Sums, arena: VmemArena, fail: (problem: string) => never): void {
  const pairs: readonly (readonly [string, number, number])[] = [
    ['spans', sums.spans, arena.spanTags],
    ['busy segments', sums.busy, arena.allocTags],
    ['live allocations', sums.busy, arena.allocs - arena.frees],
    ['bytes of spans', sums.totalBytes, arena.totalBytes],
    ['imported bytes', sums.importBytes, arena.importBytes],
    ['bytes in use', sums.inUseBytes, arena.inUseBytes],
  ];
  for (const [what, counted, kept] of pairs) {
    if (counted !== kept) fail(`${what}: counted ${counted}, kept ${kept}`);
  }
  if (arena.spares.count > MOST_SPARES) fail(`${arena.spares.count} spare tags`);
}

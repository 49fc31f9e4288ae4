import { InvariantError } from '../../core/errors.js';
import type { VmemArena } from './arena.js';
import { listOrder, tagLines } from './inspect.js';
import { CURSOR, NO_TAG, Tag } from './tags.js';

/** What a pass over the segment list adds up to. */
interface Sums {
  spans: number;
  free: number;
  busy: number;
  cursors: number;
  /** Bytes of all segments. */
  bytes: number;
  inUseBytes: number;
}

/**
 * Checks everything that must hold of an arena between two operations: segments tile their spans, neighbours are
 * coalesced but for those on both sides of the cursor, lists and hash table hold exactly their segments, and all
 * counters agree.
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
  const { tags } = arena;
  const sums: Sums = { spans: 0, free: 0, busy: 0, cursors: 0, bytes: 0, inUseBytes: 0 };
  let reached = 0;
  let spanEnd = 0;
  let before = NO_TAG;
  for (const tag of listOrder(arena)) {
    if (tags.previous[tag] !== before) fail(`wrong link to the left of row ${tag}`);
    if (tags.isSpan(tag)) {
      if (reached < spanEnd) fail(`the span before ${arena.space.format(tags.start[tag]!)} is not tiled`);
      reached = tags.start[tag]!;
      spanEnd = reached + tags.size[tag]!;
    } else if (tag !== CURSOR) {
      checkSegment(arena, tag, before, reached, fail);
      reached = tags.start[tag]! + tags.size[tag]!;
      if (arena.releasesSpans && reached > spanEnd) fail('segments behind the end of a span');
    }
    addUp(sums, arena, tag);
    before = tag;
  }
  if (reached < spanEnd) fail('the last span is not tiled');
  return sums;
}

function checkSegment(
  arena: VmemArena,
  tag: number,
  before: number,
  reached: number,
  fail: (problem: string) => never,
): void {
  const { tags, hash } = arena;
  const start = tags.start[tag]!;
  const where = arena.space.format(start);
  if (start !== reached) fail(`hole or overlap before ${where}`);
  if (tags.type[tag] === Tag.free && tags.type[before] === Tag.free) fail(`two free neighbours at ${where}`);
  if (tags.type[tag] === Tag.busy && hash.find(start) !== tag) fail(`${where} is not in the hash table`);
}

function addUp(sums: Sums, { tags }: VmemArena, tag: number): void {
  const bytes = tags.size[tag]!;
  switch (tags.type[tag]) {
    case Tag.free:
      sums.free++;
      sums.bytes += bytes;
      return;
    case Tag.busy:
      sums.busy++;
      sums.bytes += bytes;
      sums.inUseBytes += bytes;
      return;
    case Tag.cursor:
      sums.cursors++;
      return;
    default:
      sums.spans++;
  }
}

function checkFreeLists(arena: VmemArena, free: number, fail: (problem: string) => never): void {
  const { tags, freeLists } = arena;
  const map = new Int32Array(freeLists.map.length);
  let members = 0;
  freeLists.walk((list, tag) => {
    members++;
    map[list >> 5]! |= 1 << list;
    if (tags.type[tag] !== Tag.free) fail(`segment on free list ${list} is not free`);
    if (freeLists.listOf(tags.size[tag]!) < list) fail(`segment on the wrong free list ${list}`);
  });
  if (members !== free || members !== freeLists.count)
    fail(`${members} segments on free lists, ${free} in the arena`);
  if (map.some((bits, word) => bits !== freeLists.map[word])) fail('the free map disagrees with the lists');
  const miscount = freeLists.spectrum?.contradiction() ?? '';
  if (miscount !== '') fail(miscount);
}

function compare(sums: Sums, arena: VmemArena, fail: (problem: string) => never): void {
  const pairs: readonly (readonly [string, number, number])[] = [
    ['spans', sums.spans, arena.spanTags],
    ['cursors', sums.cursors, 1],
    ['busy segments', sums.busy, arena.allocTags],
    ['live allocations', sums.busy, arena.allocs - arena.frees],
    ['bytes of segments', sums.bytes, arena.totalBytes],
    ['bytes in use', sums.inUseBytes, arena.inUseBytes],
  ];
  for (const [what, counted, kept] of pairs) {
    if (counted !== kept) fail(`${what}: counted ${counted}, kept ${kept}`);
  }
  if (!arena.spares.isPlausible) fail(`${arena.spares.count} spare tags`);
}

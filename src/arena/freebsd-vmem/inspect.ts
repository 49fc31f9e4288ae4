import type { Address } from '../../core/address.js';
import type { Bytes } from '../../core/units.js';
import type { VmemArena } from './arena.js';
import { CURSOR, NO_TAG, Tag } from './tags.js';

const TYPE_NAMES = ['', 'span (static)', 'span', 'free', 'alloc', 'cursor'] as const;

/** Tags shown on either side of an address. */
const CONTEXT = 4;

/** Every tag in the order of the segment list, the cursor among them: spans in order of creation. */
export function* listOrder(arena: VmemArena): Generator<number> {
  const { next } = arena.tags;
  for (let tag = next[NO_TAG]!; tag !== NO_TAG; tag = next[tag]!) yield tag;
}

/** Every tag but the cursor, with spans in address order, each followed by its segments. */
export function* addressOrder(arena: VmemArena): Generator<number> {
  const { tags } = arena;
  const spans = [...listOrder(arena)].filter((tag) => tags.isSpan(tag));
  spans.sort((a, b) => tags.start[a]! - tags.start[b]!);
  for (const span of spans) {
    yield span;
    for (let tag = tags.next[span]!; tag !== NO_TAG && !tags.isSpan(tag); tag = tags.next[tag]!) {
      if (tag !== CURSOR) yield tag;
    }
  }
}

/**
 * Bytes from the first allocated segment to the end of the last, per span and summed. O(spans) for an arena that never
 * releases one. Segments of a later span that touches belong to the span in front (addFree, arena.ts).
 */
export function extentBytes(arena: VmemArena): Bytes {
  const { tags } = arena;
  const spans = arena.releasesSpans
    ? [...listOrder(arena)].filter((tag) => tags.isSpan(tag))
    : arena.lastingSpans;
  let bytes = 0;
  for (let index = 0; index < spans.length; index++) {
    const first = allocatedFrom(arena, tags.next[spans[index]!]!, tags.next);
    if (tags.type[first] !== Tag.busy) continue;
    const last = allocatedFrom(arena, tags.previous[spans[index + 1] ?? NO_TAG]!, tags.previous);
    bytes += tags.start[last]! + tags.size[last]! - tags.start[first]!;
  }
  return bytes;
}

/** The first tag from `tag` on, along `links`, that is neither free nor the cursor: at most three steps away. */
function allocatedFrom({ tags }: VmemArena, tag: number, links: Int32Array): number {
  let found = tag;
  while (tags.type[found] === Tag.free || found === CURSOR) found = links[found]!;
  return found;
}

/** The tags around the addresses, a line each, in address order; all tags without addresses. */
export function tagLines(arena: VmemArena, around?: readonly Address[]): string {
  const { tags, space } = arena;
  const order = [...addressOrder(arena)];
  const shown = around === undefined ? undefined : nearby(arena, order, around);
  const lines: string[] = [];
  order.forEach((tag, index) => {
    if (shown !== undefined && !shown.has(index)) return;
    if (shown !== undefined && index > 0 && !shown.has(index - 1)) lines.push('  …');
    const indent = tags.isSpan(tag) ? '  ' : '    ';
    lines.push(
      `${indent}${TYPE_NAMES[tags.type[tag]!]} ${space.format(tags.start[tag]!)} ${tags.size[tag]!}`,
    );
  });
  const head = `arena ${arena.name}: ${order.length} tags, ${arena.spares.count} spare, cursor before ${behindCursor(arena)}`;
  return [head, ...lines].join('\n');
}

/** The tag behind the cursor in list order, as `type:start`, or `end`. */
export function behindCursor(arena: VmemArena): string {
  const { tags, space } = arena;
  const after = tags.next[CURSOR]!;
  if (after === NO_TAG) return 'end';
  const name = tags.isSpan(after) ? 'span' : TYPE_NAMES[tags.type[after]!];
  return `${name}:${space.format(tags.start[after]!)}`;
}

/** Positions within CONTEXT of the tag that holds one of the addresses, or of the last one before it. */
function nearby(arena: VmemArena, order: readonly number[], around: readonly Address[]): Set<number> {
  const { start } = arena.tags;
  const positions = new Set<number>();
  for (const address of around) {
    const centre = Math.max(
      order.findLastIndex((tag) => start[tag]! <= address),
      0,
    );
    for (let index = centre - CONTEXT; index <= centre + CONTEXT; index++) positions.add(index);
  }
  return positions;
}

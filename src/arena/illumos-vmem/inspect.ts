import type { Address } from '../../core/address.js';
import type { Bytes } from '../../core/units.js';
import type { VmemArena } from './arena.js';
import { ANCHOR, ROTOR, Tag } from './tags.js';

const TYPE_NAMES = ['span', 'free', 'alloc', 'span (imported)', 'rotor'] as const;

/** Tags shown on either side of an address. */
const CONTEXT = 4;

/** Every tag in the order of the arena list, the rotor included: spans in order of creation. */
export function* arenaListOrder(arena: VmemArena): Generator<number> {
  const { next } = arena.tags;
  for (let tag = next[ANCHOR]!; tag !== ANCHOR; tag = next[tag]!) yield tag;
}

/** Every tag with spans in address order, each followed by its segments; without the rotor. */
export function* spansInAddressOrder(arena: VmemArena): Generator<number> {
  const { tags } = arena;
  const all = [...arenaListOrder(arena)].filter((tag) => tag !== ROTOR);
  const spans = all.filter((tag) => tags.isSpan(tag)).sort((a, b) => tags.start[a]! - tags.start[b]!);
  for (const span of spans) {
    yield span;
    for (
      let tag = segmentAfter(arena, span);
      tag !== ANCHOR && !tags.isSpan(tag);
      tag = segmentAfter(arena, tag)
    ) {
      yield tag;
    }
  }
}

function segmentAfter(arena: VmemArena, tag: number): number {
  const { next } = arena.tags;
  return next[tag] === ROTOR ? next[ROTOR]! : next[tag]!;
}

/** The tags around the addresses, a line each, in address order; all tags without addresses. */
export function tagLines(arena: VmemArena, around?: readonly Address[]): string {
  const { tags, space } = arena;
  const order = [...spansInAddressOrder(arena)];
  const shown = around === undefined ? undefined : nearby(arena, order, around);
  const lines: string[] = [];
  order.forEach((tag, index) => {
    if (shown !== undefined && !shown.has(index)) return;
    if (shown !== undefined && index > 0 && !shown.has(index - 1)) lines.push('  …');
    const start = tags.start[tag]!;
    const rotor = tags.next[ROTOR] === tag ? '  <- behind the rotor' : '';
    const indent = tags.isSpan(tag) ? '  ' : '    ';
    lines.push(
      `${indent}${TYPE_NAMES[tags.type[tag]!]} ${space.format(start)} ${tags.end[tag]! - start}${rotor}`,
    );
  });
  return [`arena ${arena.name}: ${order.length} tags`, ...lines].join('\n');
}

/** Positions within CONTEXT of the tag that holds one of the addresses, or of the last one before it. */
function nearby(arena: VmemArena, order: readonly number[], around: readonly Address[]): Set<number> {
  const { start } = arena.tags;
  const positions = new Set<number>();
  for (const address of around) {
    let centre = 0;
    order.forEach((tag, index) => {
      if (start[tag]! <= address) centre = index;
    });
    for (let index = centre - CONTEXT; index <= centre + CONTEXT; index++) positions.add(index);
  }
  return positions;
}

/**
 * Bytes from the first allocated segment to the end of the last, per span and summed. O(spans) for an arena without a
 * source: all its spans are its own then, and follow each other in the arena list as they were added.
 */
export function ownExtentBytes(arena: VmemArena): Bytes {
  const { ownSpans, tags } = arena;
  const spans =
    arena.source === null ? ownSpans : [...arenaListOrder(arena)].filter((tag) => tags.isSpan(tag));
  let bytes = 0;
  for (let index = 0; index < spans.length; index++) {
    const first = allocatedFrom(arena, tags.next[spans[index]!]!, tags.next);
    if (tags.isSpan(first)) continue;
    const last = allocatedFrom(arena, tags.previous[spans[index + 1] ?? ANCHOR]!, tags.previous);
    bytes += tags.end[last]! - tags.start[first]!;
  }
  return bytes;
}

/** The first tag from `tag` on, along `links`, that is allocated or a span: at most two free ones and the rotor away. */
function allocatedFrom({ tags }: VmemArena, tag: number, links: Int32Array): number {
  let found = tag;
  while (tags.type[found] === Tag.free || found === ROTOR) found = links[found]!;
  return found;
}

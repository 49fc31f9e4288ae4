import type { Address } from '../../core/address.js';
import type { VmemArena } from './arena.js';
import { NO_TAG } from './tags.js';

const TYPE_NAMES = ['', 'span (static)', 'span', 'free', 'alloc'] as const;

/** Tags shown on either side of an address. */
const CONTEXT = 4;

/** Every tag in the order of the segment list: spans in order of creation. */
export function* listOrder(arena: VmemArena): Generator<number> {
  const { next } = arena.tags;
  for (let tag = next[NO_TAG]!; tag !== NO_TAG; tag = next[tag]!) yield tag;
}

/** Every tag with spans in address order, each followed by its segments. */
export function* addressOrder(arena: VmemArena): Generator<number> {
  const { tags } = arena;
  const spans = [...listOrder(arena)].filter((tag) => tags.isSpan(tag));
  spans.sort((a, b) => tags.start[a]! - tags.start[b]!);
  for (const span of spans) {
    yield span;
    for (let tag = tags.next[span]!; tag !== NO_TAG && !tags.isSpan(tag); tag = tags.next[tag]!) yield tag;
  }
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
  return [`arena ${arena.name}: ${order.length} tags, ${arena.spares.count} spare`, ...lines].join('\n');
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

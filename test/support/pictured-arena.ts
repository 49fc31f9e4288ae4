import { type ArenaView, TagType, type TagVisitor } from '../../src/arena/view.js';
import { ToyArena } from './toy.js';

/** `[##..]`: a span of segments in quanta of 16 bytes, `#` allocated, `.` free; several spans lie 1 MiB apart. */
export function pictured(text: string, changes: Partial<ArenaView> = {}): ArenaView {
  const spans = [...text.matchAll(/\[([#.]+)\]/g)].map((match) => match[1]!);
  const tags = spans.flatMap((span, index) => spanTags(span, index * 2 ** 20));
  const bytes = (type: TagType): number[] => tags.filter((tag) => tag[0] === type).map((tag) => tag[2]);
  const sum = (values: number[]): number => values.reduce((total, value) => total + value, 0);
  return {
    name: 'pictured',
    source: null,
    quantum: 16,
    caches: [],
    figures: {
      ...new ToyArena(16, 16).figures,
      totalBytes: sum(bytes(TagType.span)),
      inUseBytes: sum(bytes(TagType.alloc)),
      spanTags: spans.length,
      freeTags: bytes(TagType.free).length,
      allocTags: bytes(TagType.alloc).length,
    },
    largestFree: () => Math.max(0, ...bytes(TagType.free)),
    freeBytes: () => sum(bytes(TagType.free)),
    metadataBytes: () => 100,
    walk: (visit: TagVisitor) => {
      for (const [type, start, size] of tags) visit(type, start, size);
    },
    check: () => {},
    ...changes,
  };
}

function spanTags(span: string, base: number): [TagType, number, number][] {
  const segments = [...span.matchAll(/#+|\.+/g)].map((match): [TagType, number, number] => [
    match[0].startsWith('#') ? TagType.alloc : TagType.free,
    base + match.index * 16,
    match[0].length * 16,
  ]);
  return [[TagType.span, base, span.length * 16], ...segments];
}

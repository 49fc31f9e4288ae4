import type { Address } from '../../core/address.js';
import { InvariantError } from '../../core/errors.js';
import type { Bytes } from '../../core/units.js';
import { ABIS } from '../freebsd-vmem/abi.js';
import { type ArenaFigures, type ArenaView, type CacheFigures, TagType, type TagVisitor } from '../view.js';
import { PAGE_BYTES } from './abi.js';
import type { KernelMap } from './kernel-kva.js';
import type { KvaArena } from './kva-arena.js';
import { KvaTag } from './kva-tags.js';

/** Sizes of tag and arena: those of 13.0. */
const VMEM_ABI = ABIS[13];

/** A span and what it holds. */
interface Span {
  readonly start: Address;
  end: Address;
  /** Segments in address order: TagType, start and size of each. */
  readonly segments: [TagType, Address, Bytes][];
}

/** An arena of address space for stacks, as probes see it. */
export class KvaView implements ArenaView {
  readonly name: string;
  readonly quantum = PAGE_BYTES;
  readonly figures: ArenaFigures;

  /** `more`: bytes of metadata that is not the arena's own but goes with it. */
  constructor(
    private readonly arena: KvaArena,
    readonly source: string | null,
    readonly caches: readonly CacheFigures[],
    private readonly more: () => Bytes,
  ) {
    this.name = arena.name;
    this.figures = arena;
  }

  largestFree(): Bytes {
    let largest = 0;
    this.walkFree((size) => {
      largest = Math.max(largest, size);
    });
    return largest;
  }

  freeBytes(): Bytes {
    return this.arena.totalBytes - this.arena.inUseBytes;
  }

  /** Arena and tags, and what goes with them. */
  metadataBytes(): Bytes {
    const { spanTags, freeTags, allocTags } = this.arena;
    return VMEM_ABI.arena + (spanTags + freeTags + allocTags) * VMEM_ABI.tag + this.more();
  }

  /** Spans that touch and share a span tag are shown as one. */
  walk(visit: TagVisitor): void {
    for (const { start, end, segments } of this.spans()) {
      visit(TagType.span, start, end - start);
      for (const [type, first, size] of segments) visit(type, first, size);
    }
  }

  walkFree(visit: (size: Bytes) => void): void {
    this.arena.walk((type, _start, size) => {
      if (type === KvaTag.free) visit(size);
    });
  }

  /** @throws InvariantError if segments do not fill their spans, or bytes in use are not those of busy segments. */
  check(): void {
    const { arena, name } = this;
    let total = 0;
    let inUse = 0;
    let before: Address = 0;
    for (const { start, segments } of this.spans()) {
      if (start < before) throw new InvariantError(`arena ${name}: spans overlap at ${start}`);
      before = start;
      for (const [type, first, size] of segments) {
        if (first !== before) throw new InvariantError(`arena ${name}: a gap or an overlap at ${before}`);
        before = first + size;
        total += size;
        if (type === TagType.alloc) inUse += size;
      }
    }
    if (total === arena.totalBytes && inUse === arena.inUseBytes) return;
    const counted = `${arena.totalBytes} bytes, ${arena.inUseBytes} in use`;
    throw new InvariantError(`arena ${name}: counted ${counted}, found ${total} and ${inUse}`);
  }

  /** Spans in address order. */
  private spans(): Span[] {
    const spans: Span[] = [];
    this.arena.walk((type, start, size) => {
      if (type === KvaTag.span) {
        spans.push({ start, end: start, segments: [] });
        return;
      }
      const span = spans.at(-1)!;
      span.end = start + size;
      span.segments.push([type === KvaTag.free ? TagType.free : TagType.alloc, start, size]);
    });
    return spans.sort((a, b) => a.start - b.start);
  }
}

/** kernel_map as probes see it: what the kernel arena has imported, and the rest. */
export class KernelMapView implements ArenaView {
  readonly name: string;
  readonly source = null;
  readonly quantum = PAGE_BYTES;
  readonly caches: readonly CacheFigures[] = [];
  readonly figures: ArenaFigures;

  constructor(private readonly map: KernelMap) {
    this.name = map.name;
    this.figures = map;
  }

  largestFree(): Bytes {
    return this.freeBytes();
  }

  freeBytes(): Bytes {
    return this.map.totalBytes - this.map.inUseBytes;
  }

  /** Its entries are not modelled here. */
  metadataBytes(): Bytes {
    return 0;
  }

  walk(visit: TagVisitor): void {
    const { base, inUseBytes, totalBytes } = this.map;
    visit(TagType.span, base, totalBytes);
    if (inUseBytes > 0) visit(TagType.alloc, base, inUseBytes);
    visit(TagType.free, base + inUseBytes, this.freeBytes());
  }

  /** @throws InvariantError if more is in use than there is. */
  check(): void {
    const { inUseBytes, totalBytes } = this.map;
    if (inUseBytes > totalBytes)
      throw new InvariantError(`kernel_map: ${inUseBytes} of ${totalBytes} bytes in use`);
  }
}

import type { Bytes } from '../../core/units.js';
import { FreeSpectrum } from '../free-spectrum.js';
import { type ArenaView, type CacheFigures, TagType, type TagVisitor } from '../view.js';
import { PAGE_BYTES, VMAP_BYTES } from './abi.js';
import { checkVmap } from './check.js';
import { areasOf, rangesOf } from './inspect.js';
import type { Vmap } from './vmap.js';

/** The main range as an arena, for a system whose requests all lie in it. Areas that wait or are pooled are allocated. */
export class VmapView implements ArenaView {
  readonly source = null;
  readonly quantum = PAGE_BYTES;
  private readonly end: number;

  /** `objects` are caches of the arena's clients. */
  constructor(
    private readonly vmap: Vmap,
    private readonly objects: readonly CacheFigures[] = [],
  ) {
    this.end = vmap.last + 1;
  }

  get name(): string {
    return this.vmap.name;
  }

  get figures(): Vmap['figures'] {
    return this.vmap.figures;
  }

  get caches(): readonly CacheFigures[] {
    return [...this.vmap.sizes.figures, ...this.objects];
  }

  /** O(free ranges). */
  largestFree(): Bytes {
    let largest = 0;
    this.walkFree((size) => {
      if (size > largest) largest = size;
    });
    return largest;
  }

  freeBytes(): Bytes {
    return this.figures.totalBytes - this.figures.inUseBytes;
  }

  metadataBytes(): Bytes {
    const { areas, free, spares, nodes } = this.vmap;
    const busy = nodes.busy.reduce((sum, tree) => sum + tree.size, 0);
    return (
      (areas.count + free.ranges.count + spares) * VMAP_BYTES.area +
      busy * VMAP_BYTES.description +
      nodes.count * VMAP_BYTES.node
    );
  }

  walk(visit: TagVisitor): void {
    const { start } = this.vmap;
    visit(TagType.span, start, this.end - start);
    for (const range of rangesOf(this.vmap)) {
      const from = Math.max(range.start, start);
      const bytes = Math.min(range.end, this.end) - from;
      if (bytes > 0) visit(range.place === 'free' ? TagType.free : TagType.alloc, from, bytes);
    }
  }

  walkFree(visit: (size: Bytes) => void): void {
    const { free } = this.vmap;
    for (const row of areasOf(free.tree)) {
      const bytes = free.clipped(row);
      if (bytes > 0) visit(bytes);
    }
  }

  freeSpectrum(): FreeSpectrum {
    const { free } = this.vmap;
    free.spectrum ??= new FreeSpectrum(PAGE_BYTES, (visit) => this.walkFree(visit));
    return free.spectrum;
  }

  /** O(log n): below the first area and above the last one there is one free range each. */
  extentBytes(): Bytes {
    const { free, start } = this.vmap;
    const { first, last } = free.tree;
    if (first === last) return 0;
    return Math.min(free.ranges.startOf(last), this.end) - Math.max(free.ranges.endOf(first), start);
  }

  check(): void {
    checkVmap(this.vmap);
  }
}

import type { Address } from '../../core/address.js';
import { MisuseError } from '../../core/errors.js';
import type { Bytes } from '../../core/units.js';
import type { FreeLists } from './free-lists.js';
import { fitIn, LAST_ADDRESS } from './placement.js';
import type { SpareTags } from './spare-tags.js';
import { CURSOR, NO_TAG, Tag, type TagTable } from './tags.js';

/** A next-fit request on which the kernel would scan for ever (upstream defect 1, THEORY.md). */
export class EndlessScanError extends MisuseError {}

/**
 * Next fit's place in the segment list: a tag without extent, in front of which the last allocation ended. Because it is
 * an element of the list, frees do not merge across it, nor is a span released that it lies in.
 * Mirrors vmem_xalloc_nextfit, subr_vmem.c [freebsd@5cb586b].
 */
export class Cursor {
  /** Elements that the scans visited, the cursor included. */
  visited = 0;

  constructor(
    private readonly tags: TagTable,
    private readonly freeLists: FreeLists,
    private readonly spares: SpareTags,
  ) {}

  /**
   * The first free tag that fits, from the cursor to the end of the list and from its beginning to the cursor; NO_TAG if
   * there is none. The kernel steps onto the first tag without looking whether it is the cursor.
   * @throws EndlessScanError if it is and nothing fits: the kernel would go round for ever.
   */
  scan(bytes: Bytes, align: Bytes, phase: Bytes, nocross: Bytes): number {
    const { next, type, size } = this.tags;
    let tag = next[CURSOR]!;
    while (tag !== CURSOR) {
      if (tag === NO_TAG) {
        tag = next[NO_TAG]!;
        if (tag === CURSOR) {
          const args = { bytes, align, phase, nocross };
          throw new EndlessScanError(
            'next fit would scan for ever: the cursor is first and nothing fits',
            args,
          );
        }
      }
      this.visited++;
      if (type[tag] === Tag.free && size[tag]! >= bytes && this.fits(tag, bytes, align, phase, nocross))
        return tag;
      tag = next[tag]!;
    }
    return NO_TAG;
  }

  fits(tag: number, bytes: Bytes, align: Bytes, phase: Bytes, nocross: Bytes): boolean {
    const { start, size } = this.tags;
    return fitIn(start[tag]!, size[tag]!, bytes, align, phase, nocross, 0, LAST_ADDRESS) >= 0;
  }

  /**
   * If the tags on both sides of the cursor are free and touch, the earlier takes over the later, on the free list of its
   * old size. Returns it, the other gone, or NO_TAG.
   */
  mergeNeighbours(): number {
    const { freeLists } = this;
    const { next, previous, type, start, size } = this.tags;
    const left = previous[CURSOR]!;
    const right = next[CURSOR]!;
    if (type[left] !== Tag.free || type[right] !== Tag.free) return NO_TAG;
    if (start[left]! + size[left]! !== start[right]!) return NO_TAG;
    freeLists.remove(right);
    freeLists.enlarge(left, right);
    this.spares.unlink(right);
    return left;
  }

  /** Moves in front of the first tag behind `tag` that starts at or after `end`; to the head of the list without one. */
  moveBehind(tag: number, end: Address): void {
    const { tags } = this;
    const { next, start } = tags;
    tags.unlink(CURSOR);
    let after = tag;
    while (after !== NO_TAG && start[after]! < end) after = next[after]!;
    tags.insertAfter(CURSOR, after === NO_TAG ? NO_TAG : tags.previous[after]!);
  }
}

import { type Bytes, highBit } from '../../core/units.js';
import type { VmemArena } from './arena.js';
import { KM_FLAGS, VmFlag } from './flags.js';
import { NO_TAG, ROTOR, Tag } from './tags.js';

/**
 * Next fit: the search begins behind the rotor, a tag without extent that wanders through the arena list. While it
 * sits between two free segments they cannot coalesce, and beside one that fills an imported span it keeps the span.
 * Mirrors illumos vmem_nextfit_alloc and vmem_advance, vmem.c [illumos@94ab2e1].
 */
export class NextFit {
  private readonly arena: VmemArena;

  constructor(arena: VmemArena) {
    this.arena = arena;
  }

  /** Returns the allocated tag or NO_TAG. */
  alloc(size: Bytes, flags: number): number {
    const { arena } = this;
    const { tags } = arena;
    const behind = tags.next[ROTOR]!;
    const taken = arena.roundUp(size);
    const bytes = tags.end[behind]! - tags.start[behind]!;
    if (tags.type[behind] === Tag.free && bytes > taken && highBit(bytes - taken) === highBit(bytes)) {
      const address = tags.start[behind]!;
      arena.splits++;
      return arena.carveInPlace(behind, address, size, taken, ROTOR);
    }
    const searchesBefore = arena.searches;
    const found = this.search(behind, size);
    arena.work.steps += arena.searches - searchesBefore;
    if (found === NO_TAG) return this.fallBack(size, flags);
    const allocated = arena.carve(found, tags.start[found]!, size);
    this.advance(allocated);
    return allocated;
  }

  /** First free segment from `from` on, once around, that is large enough, or NO_TAG. */
  private search(from: number, size: Bytes): number {
    const { tags } = this.arena;
    let tag = from;
    do {
      this.arena.searches++;
      if (this.fits(tag, size)) return tag;
      tag = tags.next[tag]!;
    } while (tag !== ROTOR);
    // The rotor may have kept apart what is large enough together.
    this.advance(tags.next[ROTOR]!);
    const before = tags.previous[ROTOR]!;
    return this.fits(before, size) ? before : NO_TAG;
  }

  private fits(tag: number, size: Bytes): boolean {
    const { end, start, type } = this.arena.tags;
    return type[tag] === Tag.free && end[tag]! - start[tag]! >= size;
  }

  private fallBack(size: Bytes, flags: number): number {
    const { arena } = this;
    if (arena.source !== null || (flags & VmFlag.NOSLEEP) !== 0) {
      return arena.xallocTag(size, arena.quantum, 0, 0, 0, 0, flags & KM_FLAGS);
    }
    return arena.refuse(flags);
  }

  /**
   * Moves the rotor to behind `tag`, then does what its presence had prevented: coalesces its two old neighbours,
   * taken as they were before the move, and gives back the span that the result fills.
   */
  private advance(tag: number): void {
    const { arena } = this;
    const { tags, freeLists } = arena;
    const left = tags.previous[ROTOR]!;
    const right = tags.next[ROTOR]!;
    tags.unlink(ROTOR);
    tags.linkAfter(tag, ROTOR);
    const leftFree = tags.type[left] === Tag.free;
    const rightFree = tags.type[right] === Tag.free;
    if (leftFree && rightFree) {
      freeLists.remove(right);
      freeLists.remove(left);
      tags.end[left] = tags.end[right]!;
      tags.destroy(right);
      arena.merges++;
      freeLists.insert(left);
    }
    if (!leftFree && !rightFree) return;
    const rest = leftFree ? left : right;
    if (!arena.fillsImportedSpan(rest)) return;
    freeLists.remove(rest);
    arena.releaseSpan(rest);
  }
}

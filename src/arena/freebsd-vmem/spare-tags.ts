import { MisuseError } from '../../core/errors.js';
import type { TagTable } from './tags.js';

/** Spare tags that each request starts with (BT_MAXALLOC); as many are hidden while an import or a drain is under way. */
export const SPARES_PER_REQUEST = 4;

/** Spare tags that an arena keeps after a free (BT_MAXFREE). */
export const MOST_SPARES = 32;

/**
 * The boundary tags that an arena holds unused. They are all alike, so their number is enough.
 * Mirrors bt_fill, bt_alloc, bt_free and bt_freetrim, subr_vmem.c [freebsd@5cb586b].
 */
export class SpareTags {
  count = 0;

  constructor(
    private readonly tags: TagTable,
    private readonly arena: string,
  ) {}

  fill(): void {
    if (this.count < SPARES_PER_REQUEST) this.count = SPARES_PER_REQUEST;
  }

  trim(): void {
    if (this.count > MOST_SPARES) this.count = MOST_SPARES;
  }

  /** A row that is on no list. @throws MisuseError if imports that did not help used up the request's tags (D7). */
  take(): number {
    if (this.count === 0) throw new MisuseError('a request ran out of spare tags', { arena: this.arena });
    this.count--;
    return this.tags.create();
  }

  /** A tag of the segment list that is on no other becomes a spare one. */
  unlink(tag: number): void {
    this.tags.unlink(tag);
    this.tags.destroy(tag);
    this.count++;
  }

  /** Puts what the present request may still need out of the reach of others. */
  hide(): void {
    this.count -= SPARES_PER_REQUEST;
  }

  show(): void {
    this.count += SPARES_PER_REQUEST;
  }

  /** A drain hides tags, so that a free under it may leave as many more than a free otherwise does. */
  get isPlausible(): boolean {
    return this.count >= 0 && this.count <= MOST_SPARES + SPARES_PER_REQUEST;
  }
}

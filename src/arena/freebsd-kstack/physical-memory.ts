import { PAGE_BYTES } from './abi.js';
import { BucketCache, type CurrentCpu, NO_ITEM } from './bucket-cache.js';
import { PageBlocks } from './page-blocks.js';
import { NO_FRAME, Owner, PageFrames } from './page-frames.js';
import { Reservations } from './reservations.js';
import { VmObjects } from './vm-objects.js';

/** A page cache may hold one page in so many of its domain. */
const PAGES_PER_CACHED_PAGE = 1000;

/**
 * Memory of one domain: reservations, then per-CPU page caches, then free blocks, and a broken reservation when
 * nothing else is left. Mirrors vm_page_alloc_domain_after, vm_page_free_toq, vm_page_zone_import and
 * vm_page_zone_release, vm_page.c [freebsd@f13fa9df05].
 */
export class PhysicalMemory {
  readonly frames: PageFrames;
  readonly objects: VmObjects;
  readonly blocks: PageBlocks;
  readonly reservations: Reservations;
  readonly pageCache: BucketCache;
  /** Free pages; those of reservations that are not populated are among them, cached ones are not. */
  freePages: number;

  constructor(pages: number, cpus: number, current: CurrentCpu) {
    this.frames = new PageFrames(pages);
    this.objects = new VmObjects(this.frames);
    this.blocks = new PageBlocks(pages);
    this.reservations = new Reservations(this.frames, this.blocks);
    this.freePages = pages;
    const maximum = Math.floor(pages / PAGES_PER_CACHED_PAGE);
    this.pageCache = new BucketCache({ itemBytes: PAGE_BYTES, cpus, maximum }, this, current);
  }

  /** A page for index `pindex` of an object, of which `before` is the resident page before it; or NO_FRAME. */
  allocate(object: number, pindex: number, before: number): number {
    const { objects, reservations } = this;
    const isEligible = objects.reserves[object] === 1;
    let frame: number;
    do {
      frame = NO_FRAME;
      if (isEligible && this.freePages > 0) {
        const after = objects.after(object, before);
        frame = reservations.allocate(object, pindex, objects.size[object]!, before, after);
        if (frame !== NO_FRAME) this.freePages--;
      }
      if (frame === NO_FRAME) frame = this.allocateUnreserved();
    } while (frame === NO_FRAME && this.freePages > 0 && reservations.breakOldest());
    if (frame !== NO_FRAME) objects.insert(object, pindex, frame, before);
    return frame;
  }

  /** A page of somebody else's that no reservation serves; or NO_FRAME. */
  allocateBackground(owner: number): number {
    let frame = this.allocateUnreserved();
    while (frame === NO_FRAME && this.freePages > 0 && this.reservations.breakOldest()) {
      frame = this.allocateUnreserved();
    }
    if (frame !== NO_FRAME) this.frames.owner[frame] = owner;
    return frame;
  }

  /** Frees a page that is in no object and on no queue. */
  free(frame: number): void {
    const { frames } = this;
    frames.owner[frame] = Owner.none;
    if (frames.isFromCache[frame] === 1) {
      frames.isFromCache[frame] = 0;
      this.pageCache.free(frame);
      return;
    }
    if (!this.reservations.release(frame)) this.blocks.free(frame, 0);
    this.freePages++;
  }

  /** Fills a bucket of a page cache, if as many pages are free. */
  importItems(into: Int32Array, at: number, count: number): number {
    if (this.freePages < count) return 0;
    const taken = this.blocks.allocateBatch(into, at, count);
    this.freePages -= taken;
    return taken;
  }

  /** Takes a page back from a page cache. */
  releaseItem(frame: number): void {
    this.blocks.free(frame, 0);
    this.freePages++;
  }

  private allocateUnreserved(): number {
    const cached = this.pageCache.allocate();
    if (cached !== NO_ITEM) {
      this.frames.isFromCache[cached] = 1;
      return cached;
    }
    if (this.freePages === 0) return NO_FRAME;
    const frame = this.blocks.allocate(0);
    if (frame !== NO_FRAME) this.freePages--;
    return frame;
  }
}

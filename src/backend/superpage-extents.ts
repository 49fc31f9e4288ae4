import type { ExtentFigures, ExtentView } from '../arena/view.js';
import type { Address } from '../core/address.js';
import { RequestClass } from '../core/request.js';
import type { Bytes } from '../core/units.js';
import { PAGE } from './freebsd-kernel.js';

/** Pages of an extent: a superpage of 2 MiB, and a reservation of as many indices. */
const EXTENT_PAGES = 512;

const PER_PAGE = 1 / PAGE;
const PER_EXTENT = 1 / EXTENT_PAGES;

/** Classes that have pages here: kmem, kstack, va, guest. */
const CLASSES = 4;

const FIRST_EXTENTS = 64;

/**
 * Which class has how many pages of each 2 MiB extent of address space, by the live requests; the guard page of a stack is
 * one of its pages. A change costs O(extents that the request lies in).
 */
export class SuperpageExtents implements ExtentView {
  /** Pages by extent and class. */
  private pages = new Uint16Array(FIRST_EXTENTS * CLASSES);

  /** `base`: first address of the range, a multiple of 2 MiB. */
  constructor(private readonly base: Address) {}

  /** Notes that the request has `bytes` from `start` on, both whole pages. */
  add(cls: number, start: Address, bytes: Bytes): void {
    this.change(cls, (start - this.base) * PER_PAGE, bytes * PER_PAGE, 1);
  }

  /** The opposite of `add`, with the same arguments. */
  remove(cls: number, start: Address, bytes: Bytes): void {
    this.change(cls, (start - this.base) * PER_PAGE, bytes * PER_PAGE, -1);
  }

  extentFigures(cls: number): ExtentFigures {
    const { pages } = this;
    const figures = { extents: 0, whole: 0, withStacks: 0, withOthers: 0 };
    for (let row = 0; row < pages.length; row += CLASSES) {
      const own = pages[row + cls]!;
      if (own === 0) continue;
      let all = 0;
      for (let other = 0; other < CLASSES; other++) all += pages[row + other]!;
      const stacks = cls === RequestClass.kstack ? 0 : pages[row + RequestClass.kstack]!;
      figures.extents++;
      if (own === EXTENT_PAGES) figures.whole++;
      if (stacks > 0) figures.withStacks++;
      if (all > own + stacks) figures.withOthers++;
    }
    return figures;
  }

  private change(cls: number, firstPage: number, count: number, sign: number): void {
    let page = firstPage;
    let left = count;
    while (left > 0) {
      const extent = Math.floor(page * PER_EXTENT);
      const here = Math.min(left, (extent + 1) * EXTENT_PAGES - page);
      if ((extent + 1) * CLASSES > this.pages.length) this.grow(extent + 1);
      this.pages[extent * CLASSES + cls]! += sign * here;
      page += here;
      left -= here;
    }
  }

  private grow(extents: number): void {
    let length = this.pages.length;
    while (length < extents * CLASSES) length *= 2;
    const longer = new Uint16Array(length);
    longer.set(this.pages);
    this.pages = longer;
  }
}

import { MisuseError } from '../../core/errors.js';
import type { Bytes } from '../../core/units.js';
import type { PoolAbi } from './abi.js';

/** How a pool is created (pool_init), as far as the layout of its pages goes. */
export interface PoolSpec {
  readonly itemBytes: Bytes;
  /** Power of two; 0 stands for the alignment of any structure, a pointer's. */
  readonly align: Bytes;
  /** Length of the pages that the pool's page source supplies. */
  readonly pageBytes: Bytes;
  /** Items must not be written to (PR_NOTOUCH), so that free ones are marked in a bitmap of the page's header. */
  readonly noTouch?: boolean;
  /** Pages need not be aligned to their length (PR_NOALIGN). */
  readonly noAlign?: boolean;
  /** The header is at the end of the page, whatever that wastes (PR_PHINPAGE). */
  readonly headerInPage?: boolean;
}

/** How the pages of a pool are laid out. */
export interface PoolGeometry {
  readonly itemBytes: Bytes;
  readonly pageBytes: Bytes;
  readonly itemsPerPage: number;
  /** Colours go from 0 to this in steps of `align`. */
  readonly maxColour: Bytes;
  readonly align: Bytes;
  readonly headerInPage: boolean;
  /** Items that the bitmap of an off-page header has room for: 0 without a bitmap, else 64, 128, 256, … */
  readonly headerItems: number;
}

/**
 * The layout that pool(9) chooses: the header goes to the end of the page for items below a sixteenth of the page and
 * eight headers, or where it fits into what the items leave; otherwise it comes from a pool of headers.
 * Mirrors pool_init, subr_pool.c [netbsd@b7a6451].
 * @throws MisuseError if no item fits into a page.
 */
export function poolGeometry(spec: PoolSpec, abi: PoolAbi): PoolGeometry {
  const { pageBytes } = spec;
  const align = spec.align === 0 ? abi.pointer : spec.align;
  const itemBytes = Math.ceil(spec.itemBytes / align) * align;
  const headerInPage = spec.headerInPage === true || prefersInPage(spec, itemBytes, abi);
  const room = headerInPage ? pageBytes - abi.pageHeader : pageBytes;
  const itemsPerPage = Math.floor(room / itemBytes);
  if (itemsPerPage < 1) throw new MisuseError('no item fits into a page of the pool', { ...spec });
  const slack = room - itemsPerPage * itemBytes;
  const maxColour = Math.floor(slack / align) * align;
  const headerItems = spec.noTouch === true ? bitmapItems(itemsPerPage) : 0;
  return { itemBytes, pageBytes, itemsPerPage, maxColour, align, headerInPage, headerItems };
}

/** Bytes of an off-page header whose bitmap has room for `items`. */
export function headerBytes(items: number, abi: PoolAbi): Bytes {
  if (items === 0) return abi.pageHeader;
  return Math.ceil((abi.beforeBitmap + items / 8) / abi.pointer) * abi.pointer;
}

function prefersInPage(spec: PoolSpec, itemBytes: Bytes, abi: PoolAbi): boolean {
  if (spec.noTouch === true || spec.noAlign === true) return false;
  if (itemBytes < Math.min(spec.pageBytes / 16, abi.pageHeader * 8)) return true;
  const without = Math.floor(spec.pageBytes / itemBytes);
  return without > 0 && without === Math.floor((spec.pageBytes - abi.pageHeader) / itemBytes);
}

/** Room in the smallest kind of header whose bitmap holds `items`. */
function bitmapItems(items: number): number {
  let room = 64;
  while (room < items) room *= 2;
  return room;
}

/**
 * What a record of a range is made of. The optimizing compiler of V8 folds the constants of a module into its code, but
 * loads and checks those that it imports each time. So files whose code runs for each operation import all of these
 * under one name and make constants of their own of them; all others import them as usual.
 */

/** A range or an area: the place of its record in `words` of its table. */
export type AreaIndex = number;

/** The absent one. It is black and has no range and no children, and its record stays so. */
export const NIL: AreaIndex = 0;

/** Node tag of an area that belongs to no node. */
export const NO_TAG = 0;

/** Where an area hangs or would hang in a tree: the place in `words` of the link to it. */
export type TreePlace = number;

/**
 * Places in a record of `words`, which is all that a descent reads. PAGE, which a descent waits for, is that of the start,
 * counted from the table's `base`; EARLIEST or LATEST stand for all that lies further away. PARENT is the index of the
 * record above, with RED added to it if the record is red; so the indices of records are even. Behind CHILD, the links to
 * the lower and to the upper child.
 */
export const PAGE = 0;
export const PARENT = 1;
export const RED = 1;
export const CHILD = 2;

/** Sides of an area, which are added to CHILD. */
export const LOWER = 0;
export const UPPER = 1;

/** Bits of a TreePlace that are not those of the record. */
export const PLACE_BITS = 3;

/** Bounds of PAGE: what lies on one of them is not compared by it. */
export const EARLIEST = 0;
export const LATEST = 2 ** 31 - 1;

/** Numbers in a record of `words`: of an area, and of a free range. A line of the processor's cache holds 16. */
export const AREA_RECORD = 4;
export const RANGE_RECORD = 8;

/**
 * What only a free range has, behind the links. LARGEST is the size of the largest range below the lower child, 0 where
 * there is none, and behind it stands that of the upper child. SIZE is its own. Sizes are in halves of a page, MANY for that
 * many and more: the first and the last range lack a byte to whole pages, and so they compare with requests as their bytes
 * do. END_PAGE is the page behind it, like PAGE.
 */
export const LARGEST = 4;
export const END_PAGE = 6;
export const SIZE = 7;
export const HALF_BYTES = 2048;

/** Where a free range that is in no tree has the next one of whatever chains it. */
export const CHAIN = CHILD;

/** Places of a record in `numbers`. */
export const START = 0;
export const END = 1;

/** Places in an area's record of `lists`. NEXT chains the areas of a pool, and whatever else is in no tree. */
export const NEXT = 0;
/** Node of the CPU that asked, plus 1; NO_TAG for none. */
export const TAG = 1;
/** Pages of the area; MANY stands for that many and more. */
export const PAGES = 2;

/** The largest number that counts pages, or halves of them. */
export const MANY = 2 ** 31 - 1;

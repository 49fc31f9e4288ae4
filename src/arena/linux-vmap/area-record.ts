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
 * counted from the table's `origin`; EARLIEST or LATEST stand for all that lies further away. PARENT is the index of the
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

/** Numbers in a record of `words`: of an area, whose four are a quarter of a line of the processor's cache, and of a free range. */
export const AREA_RECORD = 4;
export const RANGE_RECORD = 16;

/**
 * Places of a record in `numbers`, counted from half its place in `words`. In the free tree, LARGEST is the bytes of the
 * largest range below the lower child, and behind it stands the same of the upper child; 0 where there is no child.
 */
export const START = 0;
export const END = 1;
export const LARGEST = 2;

/** Place in a free range's record, behind its numbers, of the next range in whatever chains ranges that are in no tree. */
export const CHAIN = 12;

/** Places in an area's record of `lists`. NEXT chains the areas of a pool, and whatever else is in no tree. */
export const NEXT = 0;
/** Node of the CPU that asked, plus 1; NO_TAG for none. */
export const TAG = 1;
/** Pages of the area; MANY stands for that many and more. */
export const PAGES = 2;
export const MANY = 2 ** 31 - 1;

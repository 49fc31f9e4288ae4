/**
 * What a record of a range is made of. The optimizing compiler of V8 folds the constants of a module into its code, but
 * loads and checks those that it imports each time. So files whose code runs for each operation import all of these
 * under one name and make constants of their own of them; all others import them as usual.
 */

/** A range or an area: the place of its record in `words` of its table. */
export type AreaIndex = number;

/** The absent one. It is black and has no range, and its record stays so. */
export const NIL: AreaIndex = 0;

/** Node tag of an area that belongs to no node. */
export const NO_TAG = 0;

/**
 * Places in a record of `words`, which is all that a descent reads. PAGE is that of the start, counted from the table's
 * `origin`; EARLIEST or LATEST stand for all that lies further away. The upper child follows the lower one. The place of
 * the record above is even, and RED is added to it if the record is red.
 */
export const PAGE = 0;
export const CHILD = 1;
export const PARENT = 3;
export const RED = 1;

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

/**
 * Places in an area's record of `lists`: its neighbours in the list of a lazy tree. NEXT also chains the areas of a pool,
 * and whatever else is in no tree.
 */
export const PREVIOUS = 0;
export const NEXT = 1;
/** Node of the CPU that asked, plus 1; NO_TAG for none. */
export const TAG = 2;
/** Pages of the area; MANY stands for that many and more. */
export const PAGES = 3;
export const MANY = 2 ** 31 - 1;

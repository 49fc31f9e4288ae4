/**
 * What a record of an area is made of. The optimizing compiler of V8 folds the constants of a module into its code, but
 * loads and checks those that it imports each time. So files whose code runs for each operation import all of these
 * under one name and make constants of their own of them; all others import them as usual.
 */

/** An area: the place of its record in each column of the table. */
export type AreaIndex = number;

/** The absent area. It is black and has no range, and its record stays so. */
export const NIL: AreaIndex = 0;

/** Node tag of an area that belongs to no node. */
export const NO_TAG = 0;

/** Numbers in a record of each column. */
export const RECORD = 4;

/**
 * Places in a record of `words`, which is all that a descent reads: four records are one line of the processor's cache.
 * PAGE is that of the start, counted from the table's `origin`; EARLIEST or LATEST stand for all that lies further away.
 * The upper child follows the lower one. The area above is a multiple of 4, and RED is added to it if the area is red.
 */
export const PAGE = 0;
export const CHILD = 1;
export const PARENT = 3;
export const RED = 1;

/** Places in a record of `lists`: neighbours in the list of the tree or the pool. NEXT also chains spare records. */
export const NEXT = 0;
export const PREVIOUS = 1;
/** Node of the CPU that asked, plus 1; NO_TAG for none. */
export const TAG = 2;

/** Places in a record of `numbers`. In the free tree, LARGEST is the bytes of the largest range in the subtree. */
export const START = 0;
export const END = 1;
export const LARGEST = 2;

/** Bounds of PAGE: what lies on one of them is not compared by it. */
export const EARLIEST = 0;
export const LATEST = 2 ** 31 - 1;

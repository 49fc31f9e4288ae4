import { InvariantError } from '../../core/errors.js';
import { PAGE_BYTES } from './abi.js';
import { POOLS_PER_NODE } from './area-pools.js';
import { type AreaIndex, CHILD, LARGEST, NIL, NO_TAG, PARENT, RED, UPPER } from './area-record.js';
import type { AreaTree } from './area-tree.js';
import { FreeTree } from './free-tree.js';
import { areasOf, areasOfPool, rangeLines, rangesOf } from './inspect.js';
import type { Vmap } from './vmap.js';

/** Compares the state of a system with what must always hold. @throws InvariantError with the ranges. */
export function checkVmap(vmap: Vmap): void {
  const problem =
    contradictionInTree(vmap.free.tree) ||
    contradictionInNodes(vmap) ||
    contradictionInPools(vmap) ||
    contradictionInRanges(vmap) ||
    (vmap.free.spectrum?.contradiction() ?? '');
  if (problem !== '') throw new InvariantError(`${vmap.name}: ${problem}`, rangeLines(vmap));
}

/** Order, colours, links, size and largest sizes of a tree; '' if all is well. */
export function contradictionInTree(tree: AreaTree): string {
  const { table } = tree;
  const { words } = table;
  const inOrder: AreaIndex[] = [];
  let problem = (words[tree.root + PARENT]! & RED) !== 0 ? 'the root is red' : '';
  const blacksBelow = (row: AreaIndex): number => {
    if (row === NIL) return 1;
    const lower = words[row + CHILD]!;
    const upper = words[row + CHILD + UPPER]!;
    const below = blacksBelow(lower);
    inOrder.push(row);
    if (blacksBelow(upper) !== below) problem = 'paths have different numbers of black areas';
    const isRed = (words[row + PARENT]! & RED) !== 0;
    if (isRed && ((words[lower + PARENT]! & RED) !== 0 || (words[upper + PARENT]! & RED) !== 0))
      problem = 'a red area has a red child';
    for (const child of [lower, upper])
      if (child !== NIL && (words[child + PARENT]! & ~RED) !== row) problem = 'a child has another parent';
    if (tree instanceof FreeTree) {
      const sizes = [lower, upper].map((child) => (child === NIL ? 0 : tree.largestOf(child)));
      if (sizes.some((size, side) => words[row + LARGEST + side] !== size))
        problem = 'a largest size is wrong';
    }
    return isRed ? below : below + 1;
  };
  blacksBelow(tree.root);
  const isAscending = inOrder.every(
    (row, index) => index === 0 || table.endOf(inOrder[index - 1]!) <= table.startOf(row),
  );
  if (!isAscending) problem = 'the areas are not in order';
  if (inOrder.length !== tree.size) problem = `${inOrder.length} areas, ${tree.size} are counted`;
  return problem;
}

function contradictionInNodes({ nodes, areas, lazyPages }: Vmap): string {
  let waiting = 0;
  for (let node = 0; node < nodes.count; node++) {
    const busy = nodes.busy[node]!;
    const lazy = nodes.lazy[node]!;
    const problem = contradictionInTree(busy) || contradictionInTree(lazy.settled);
    if (problem !== '') return `node ${node}: ${problem}`;
    for (const row of areasOf(busy))
      if (nodes.ofAddress(areas.startOf(row)) !== node) return 'an area is busy in another node than its own';
    for (const row of areasOf(lazy.settled)) {
      const tag = areas.tagOf(row);
      if (tag !== NO_TAG && tag !== node + 1) return 'an area waits in another node than its tag says';
      waiting += areas.pagesOf(row);
    }
  }
  return waiting === lazyPages ? '' : `${waiting} pages wait, ${lazyPages} are counted`;
}

function contradictionInPools(vmap: Vmap): string {
  const { pools, areas } = vmap;
  let pooled = 0;
  for (let pool = 0; pool < pools.count; pool++) {
    const rows = [...areasOfPool(vmap, pool)];
    const bytes = ((pool % POOLS_PER_NODE) + 1) * PAGE_BYTES;
    if (rows.some((row) => areas.pagesOf(row) * PAGE_BYTES !== bytes))
      return 'a pool holds an area of another size';
    if (rows.length !== pools.lengthOf(pool)) return 'a pool is miscounted';
    pooled += rows.length;
  }
  return pooled === pools.areasPooled ? '' : `${pooled} areas are pooled, ${pools.areasPooled} are counted`;
}

/** All ranges together are the kernel's address space, free neighbours are joined, and the figures agree. */
function contradictionInRanges(vmap: Vmap): string {
  const ranges = rangesOf(vmap);
  for (let index = 1; index < ranges.length; index++) {
    const [before, after] = [ranges[index - 1]!, ranges[index]!];
    if (before.end !== after.start) return 'ranges overlap or leave a hole';
    if (before.place === 'free' && after.place === 'free') return 'two free neighbours are not joined';
  }
  const taken = ranges.filter(({ place }) => place !== 'free');
  const bytes = taken.reduce((sum, { start, end }) => sum + end - start, 0);
  if (taken.length !== vmap.figures.allocTags || bytes !== vmap.figures.inUseBytes)
    return `${taken.length} areas with ${bytes} bytes are out of the free tree`;
  const records = vmap.areas.count + vmap.free.ranges.count;
  return ranges.length === records ? '' : `${records} records for ${ranges.length} ranges`;
}

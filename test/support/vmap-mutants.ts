import { AreaPools, POOLS_PER_NODE } from '../../src/arena/linux-vmap/area-pools.js';
import { NIL, NO_TAG, TAG } from '../../src/arena/linux-vmap/area-record.js';
import { BalancedTree } from '../../src/arena/linux-vmap/balanced-tree.js';
import { FreeSpace } from '../../src/arena/linux-vmap/free-space.js';
import { FreeTree } from '../../src/arena/linux-vmap/free-tree.js';
import { AreaNodes } from '../../src/arena/linux-vmap/nodes.js';
import { MAIN_WINDOW, Vmap } from '../../src/arena/linux-vmap/vmap.js';
import { insides, replaceHidden, replaceMethod } from './mutation.js';
import type { Mutant } from './vmem-mutants.js';

type OnNode = (this: Vmap, node: number, isFull: boolean) => void;
type OnList = (this: Vmap, first: number) => void;
type MoveBack = (head: number, row: number) => void;
type Balance = (this: BalancedTree, above: number, side: number) => void;

/** Numbers in a pool's record. */
const NUMBERS_PER_POOL = 4;

/** Whether the first area of a pool is a multiple of `align`. */
function isFirstAligned(pools: AreaPools, pool: number, align: number): boolean {
  const { areas } = insides<{ areas: Vmap['areas'] }>(pools, ['areas']);
  return areas.startOf(pools.firstOf(pool)) % align === 0;
}

const POOL_MUTANTS: readonly Mutant[] = [
  {
    mistake: 'a pool gives out an area that is not aligned',
    apply: () =>
      replaceMethod(
        AreaPools,
        'take',
        (original) =>
          function (this: AreaPools, pool) {
            return original.call(this, pool, 1);
          },
      ),
  },
  {
    mistake: 'an area that is not aligned stays first in its pool',
    apply: () =>
      replaceMethod(
        AreaPools,
        'take',
        (original) =>
          function (this: AreaPools, pool, align) {
            return isFirstAligned(this, pool, align) ? original.call(this, pool, align) : NIL;
          },
      ),
  },
  {
    mistake: 'areas of 256 pages are not taken from their pool',
    apply: () =>
      replaceMethod(
        AreaPools,
        'take',
        (original) =>
          function (this: AreaPools, pool, align) {
            return pool % POOLS_PER_NODE === POOLS_PER_NODE - 1 ? NIL : original.call(this, pool, align);
          },
      ),
  },
  {
    mistake: 'a purged area goes to the end of its pool',
    apply: () =>
      replaceMethod(
        AreaPools,
        'put',
        (original) =>
          function (this: AreaPools, pool, row) {
            original.call(this, pool, row);
            if (this.lengthOf(pool) === 1) return;
            const { moveBack } = insides<{ moveBack: MoveBack }>(this, ['moveBack']);
            moveBack.call(this, pool * NUMBERS_PER_POOL, row);
          },
      ),
  },
  {
    mistake: 'a pool of fewer than four areas does not decay',
    apply: () =>
      replaceMethod(
        AreaPools,
        'decaying',
        (original) =>
          function (this: AreaPools, pool, isFull) {
            return !isFull && this.lengthOf(pool) < 4 ? 0 : original.call(this, pool, isFull);
          },
      ),
  },
  {
    mistake: 'a pool loses half of its areas at each decay',
    apply: () =>
      replaceMethod(
        AreaPools,
        'decaying',
        (original) =>
          function (this: AreaPools, pool, isFull) {
            return isFull || this.lengthOf(pool) < 4
              ? original.call(this, pool, isFull)
              : this.lengthOf(pool) >> 1;
          },
      ),
  },
  {
    mistake: 'the shrinker takes a quarter of each pool',
    apply: () =>
      replaceMethod(
        Vmap,
        'decay',
        (original) =>
          function (this: Vmap) {
            original.call(this, false);
          },
      ),
  },
];

const PURGE_MUTANTS: readonly Mutant[] = [
  {
    mistake: 'a full pass fills pools',
    apply: () =>
      replaceHidden<OnNode>(
        Vmap,
        'purgeNode',
        (original) =>
          function (this: Vmap, node) {
            original.call(this, node, false);
          },
      ),
  },
  {
    mistake: 'ranges go back to the tree in the opposite order',
    apply: () =>
      replaceHidden<OnList>(
        Vmap,
        'giveBackList',
        (original) =>
          function (this: Vmap, first) {
            let reversed = NIL;
            for (let row = first; row !== NIL; ) {
              const { ranges } = this.free;
              const following = ranges.nextOf(row);
              ranges.chain(row, reversed);
              reversed = row;
              row = following;
            }
            original.call(this, reversed);
          },
      ),
  },
  {
    mistake: 'a failing request reclaims nothing',
    apply: () =>
      replaceMethod(
        Vmap,
        'purge',
        (original) =>
          function (this: Vmap, isFull) {
            return isFull ? 0 : original.call(this, false);
          },
      ),
  },
  {
    mistake: 'a freed area loses its tag',
    apply: () =>
      replaceMethod(
        Vmap,
        'freeAt',
        (original) =>
          function (this: Vmap, address) {
            const row = this.nodes.busy[this.nodes.ofAddress(address)]!.find(address);
            this.areas.lists[row + TAG] = NO_TAG;
            original.call(this, address);
          },
      ),
  },
  {
    mistake: 'the node of an address changes with each page',
    apply: () =>
      replaceMethod(
        AreaNodes,
        'ofPage',
        () =>
          function (this: AreaNodes, page) {
            return page % this.count;
          },
      ),
  },
  {
    mistake: 'requests of other windows get a tag',
    apply: () =>
      replaceMethod(
        Vmap,
        'alloc',
        (original) =>
          function (this: Vmap, size, align, window, cpu) {
            const row = original.call(this, size, align, window, cpu);
            if (row !== NIL && window !== MAIN_WINDOW && this.nodes.count > 1)
              this.areas.lists[row + TAG] = (cpu % this.nodes.count) + 1;
            return row;
          },
      ),
  },
  {
    mistake: 'a request is tagged with the node after its CPU',
    apply: () =>
      replaceMethod(
        Vmap,
        'alloc',
        (original) =>
          function (this: Vmap, size, align, window, cpu) {
            return original.call(this, size, align, window, (cpu + 1) % this.nodes.count);
          },
      ),
  },
];

const TREE_MUTANTS: readonly Mutant[] = [
  {
    mistake: 'every search is for the size alone, whatever the alignment',
    apply: () =>
      replaceMethod(
        FreeSpace,
        'search',
        (original) =>
          function (this: FreeSpace, size, align, window) {
            return original.call(this, size, align, window, true);
          },
      ),
  },
  {
    mistake: 'a window as long as the request is searched for the worst alignment',
    apply: () =>
      replaceMethod(
        FreeSpace,
        'search',
        (original) =>
          function (this: FreeSpace, size, align, window) {
            return original.call(this, size, align, window, false);
          },
      ),
  },
  {
    mistake: 'the last byte of a window is not counted as outside',
    apply: () =>
      replaceMethod(
        Vmap,
        'addWindow',
        (original) =>
          function (this: Vmap, from, to) {
            return original.call(this, from, to + 1);
          },
      ),
  },
  {
    mistake: 'a range that changes its size does not tell the ones above',
    apply: () => replaceMethod(FreeTree, 'resized', () => () => undefined),
  },
  {
    mistake: 'the tree is not balanced after a removal',
    apply: () => replaceHidden<Balance>(BalancedTree, 'balanceRemoved', () => () => undefined),
  },
  {
    mistake: 'the lower part of a cut range is looked up from the root, and the upper part is the new one',
    apply: () =>
      replaceMethod(
        FreeSpace,
        'cut',
        (original) =>
          function (this: FreeSpace, row, size) {
            const { ranges, place: from } = this;
            const [start, end] = [ranges.startOf(row), ranges.endOf(row)];
            if (start === from || end === from + size) {
              original.call(this, row, size);
              return;
            }
            ranges.setRange(row, start, from);
            this.tree.resized(row);
            const upper = ranges.take();
            ranges.setRange(upper, from + size, end);
            this.tree.insert(upper);
          },
      ),
  },
];

/** Broken models of Linux's vmap; each must be noticed by a vector. */
export const VMAP_MUTANTS: readonly Mutant[] = [...POOL_MUTANTS, ...PURGE_MUTANTS, ...TREE_MUTANTS];

import type { Address } from '../../core/address.js';
import { POOLS_PER_NODE } from './area-pools.js';
import { NIL, NO_TAG } from './area-record.js';
import { type AreaRange, rangesOf } from './inspect.js';
import type { Vmap } from './vmap.js';

/**
 * Changes that no kernel makes, for a replay that learns from a recording that its state was not the kernel's. The
 * work that they cost is not counted.
 */

/** Whether the area at an address waits for a purge. */
export function isWaiting({ nodes }: Vmap, address: Address): boolean {
  return nodes.lazy.some(({ settled }) => settled.find(address) !== NIL);
}

/** Takes the area at an address, if it waits for a purge, back into use. Returns whether it did wait. */
export function takeBack(vmap: Vmap, address: Address): boolean {
  const { nodes, sizes, areas } = vmap;
  for (const tree of nodes.lazy) {
    const row = tree.take(address);
    if (row === NIL) continue;
    nodes.busy[nodes.ofAddress(address)]!.insert(row);
    const pages = areas.pagesOf(row);
    vmap.lazyPages -= pages;
    if (areas.tagOf(row) !== NO_TAG && pages <= POOLS_PER_NODE) sizes.withdrawn[pages - 1]! += 1;
    else sizes.otherPages -= pages;
    return true;
  }
  return false;
}

/** Makes [from, to) free: whatever area lies there, in use, waiting or pooled, goes back to the free tree whole. */
export function makeFree(vmap: Vmap, from: Address, to: Address): void {
  for (const range of rangesOf(vmap)) {
    if (range.start < to && from < range.end && range.place !== 'free') giveUp(vmap, range);
  }
}

function giveUp(vmap: Vmap, { row, place, start }: AreaRange): void {
  const { areas, nodes, pools, sizes } = vmap;
  const pages = areas.pagesOf(row);
  if (place === 'lazy') takeBack(vmap, start);
  const isPooled = place === 'pool';
  if (isPooled) pools.withdraw((areas.tagOf(row) - 1) * POOLS_PER_NODE + pages - 1, row);
  else nodes.busy[nodes.ofAddress(start)]!.remove(row);
  if (areas.tagOf(row) !== NO_TAG && pages <= POOLS_PER_NODE) {
    sizes.areas[pages - 1]! -= 1;
    if (isPooled) sizes.withdrawn[pages - 1]! += 1;
  }
  vmap.makeFree(row);
}

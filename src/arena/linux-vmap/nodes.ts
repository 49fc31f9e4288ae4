import { type Address, AddressSpace } from '../../core/address.js';
import type { AreaTable } from './area-table.js';
import { AreaTree } from './area-tree.js';

/** Most nodes that there are, whatever the number of CPUs. */
const MOST_NODES = 128;

/** Bytes of consecutive addresses that belong to one node, where there are several. */
const ZONE_BYTES = 16 * 4096;

/** First address of the kernel half with 4-level page tables: no area lies below. */
const LOWEST = 0xffff_8000_0000_0000n;

const LOWEST_ADDRESS: Address = AddressSpace.canonical.toNumber(LOWEST);

/** First address of the kernel half that the model covers. */
export const LOWEST_KERNEL_ADDRESS = LOWEST_ADDRESS;

/** Nodes of a kernel with so many CPUs. */
export function nodesFor(cpus: number): number {
  return Math.min(cpus, MOST_NODES);
}

/**
 * The busy and lazy areas, spread over nodes (`struct vmap_node`, mm/vmalloc.c [linux-6.12.117]); spec §3. The
 * node of an area in use is that of its address, taken in zones of 16 pages.
 */
export class AreaNodes {
  readonly busy: readonly AreaTree[];
  readonly lazy: readonly AreaTree[];
  /** Node of the lowest address, of which differences are taken: those fit in 32 bits. */
  private readonly lowestNode: number;

  constructor(
    areas: AreaTable,
    readonly count: number,
  ) {
    this.lowestNode = Number((LOWEST / BigInt(ZONE_BYTES)) % BigInt(this.count));
    this.busy = Array.from({ length: this.count }, () => new AreaTree(areas, false));
    this.lazy = Array.from({ length: this.count }, () => new AreaTree(areas, false));
  }

  /** Node of an address at or above LOWEST_KERNEL_ADDRESS. */
  ofAddress(address: Address): number {
    const zone = ((address - LOWEST_ADDRESS) / ZONE_BYTES) | 0;
    return (zone + this.lowestNode) % this.count;
  }

  /** Areas that wait for a purge. */
  get waiting(): number {
    return this.lazy.reduce((sum, tree) => sum + tree.size, 0);
  }

  /** Visits of all descents in the trees of busy and lazy areas. */
  get steps(): number {
    let steps = 0;
    for (const tree of this.busy) steps += tree.steps;
    for (const tree of this.lazy) steps += tree.steps;
    return steps;
  }
}

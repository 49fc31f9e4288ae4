import { type Address, AddressSpace } from '../../core/address.js';
import { isPowerOfTwo } from '../../core/units.js';
import * as abi from './abi.js';
import type { AreaIndex } from './area-record.js';
import * as record from './area-record.js';
import type { AreaTable } from './area-table.js';
import { AreaTree } from './area-tree.js';
import { LazyAreas } from './lazy-areas.js';

const { EARLIEST, LATEST, PAGE } = record;
const { PAGE_BYTES } = abi;

/** Most nodes that there are, whatever the number of CPUs. */
const MOST_NODES = 128;

/** Pages of consecutive addresses that belong to one node, where there are several: 16. */
const ZONE_SHIFT = 4;
const ZONE_BYTES = 2 ** ZONE_SHIFT * PAGE_BYTES;

/** First address of the kernel half with 4-level page tables: no area lies below. */
const LOWEST = 0xffff_8000_0000_0000n;

const LOWEST_ADDRESS: Address = AddressSpace.canonical.toNumber(LOWEST);

/** First address of the kernel half that the model covers. */
export const LOWEST_KERNEL_ADDRESS = LOWEST_ADDRESS;

/** In place of a node's number. */
const NONE = -1;
const SEVERAL = -2;

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
  readonly lazy: readonly LazyAreas[];
  /** The node to whose waiting areas some have been added since `steps` was asked for; NONE or SEVERAL. */
  private unsettled = NONE;
  /** Node of the lowest address, of which differences are taken: those fit in 32 bits. */
  private readonly lowestNode: number;
  /** Pages before page 0 since a zone of node 0, up to whole rounds of all nodes. */
  private readonly pagesBefore: number;
  /** Bits of a zone's number that say its node, where their number is a power of two. */
  private readonly mask: number;

  constructor(
    private readonly areas: AreaTable,
    readonly count: number,
  ) {
    this.lowestNode = Number((LOWEST / BigInt(ZONE_BYTES)) % BigInt(this.count));
    const pages = (areas.base - LOWEST_ADDRESS) / PAGE_BYTES;
    const round = count << ZONE_SHIFT;
    this.pagesBefore = (((pages % round) + round) % round) + (this.lowestNode << ZONE_SHIFT);
    this.mask = isPowerOfTwo(count) ? count - 1 : 0;
    this.busy = Array.from({ length: this.count }, () => new AreaTree(areas));
    this.lazy = Array.from({ length: this.count }, () => new LazyAreas(areas));
  }

  /** Node of an address at or above LOWEST_KERNEL_ADDRESS. */
  ofAddress(address: Address): number {
    const zone = ((address - LOWEST_ADDRESS) / ZONE_BYTES) | 0;
    const number = zone + this.lowestNode;
    return this.mask > 0 ? number & this.mask : number % this.count;
  }

  /** Node of an address that has a page; see RangeTable. */
  ofPage(page: number): number {
    const zone = (page + this.pagesBefore) >>> ZONE_SHIFT;
    return this.mask > 0 ? zone & this.mask : zone % this.count;
  }

  /** Node of an area in use. */
  ofArea(row: AreaIndex): number {
    const page = this.areas.words[row + PAGE]!;
    return page > EARLIEST && page < LATEST ? this.ofPage(page) : this.ofAddress(this.areas.startOf(row));
  }

  /** Areas that wait for a purge. */
  get waiting(): number {
    return this.lazy.reduce((sum, tree) => sum + tree.size, 0);
  }

  /** Visits of all descents in the trees of busy and lazy areas. A run asks for them around each request. */
  get steps(): number {
    const { lazy, unsettled } = this;
    if (unsettled === SEVERAL) for (const areas of lazy) areas.settle();
    else if (unsettled !== NONE) lazy[unsettled]!.settle();
    this.unsettled = NONE;
    return this.areas.steps;
  }

  /** Adds an area that starts at a page to those of a node that wait; EARLIEST if it has none. */
  addLazy(node: number, row: AreaIndex, page: number): void {
    if (this.unsettled !== node) this.unsettled = this.unsettled === NONE ? node : SEVERAL;
    this.lazy[node]!.add(row, page);
  }
}

import { type Address, AddressSpace } from '../../core/address.js';
import { type AreaIndex, CHILD, NIL, PARENT, RED, UPPER } from './area-record.js';
import type { AreaTree } from './area-tree.js';
import type { RangeTable } from './range-table.js';
import type { Vmap } from './vmap.js';

/** Areas shown on either side of an address. */
const CONTEXT = 4;

/** Where an area is. */
export type AreaPlace = 'free' | 'alloc' | 'lazy' | 'pool';

/** One range of the address space: a free one, or an area. `row` is its record in the table of its kind. */
export interface AreaRange {
  readonly row: AreaIndex;
  readonly place: AreaPlace;
  readonly start: Address;
  readonly end: Address;
}

/** The records of a tree, in address order. */
export function* areasOf(tree: AreaTree): Generator<AreaIndex> {
  for (let row = tree.first; row !== NIL; row = tree.after(row)) yield row;
}

/** The areas of a pool, the next to be taken first. */
export function* areasOfPool({ pools, areas }: Vmap, pool: number): Generator<AreaIndex> {
  for (let row = pools.firstOf(pool); row !== NIL; row = areas.nextOf(row)) yield row;
}

/** Every range that is free, in use, waiting or pooled, in address order. */
export function rangesOf(vmap: Vmap): AreaRange[] {
  const { nodes, pools, areas } = vmap;
  const ranges: AreaRange[] = [];
  const add = (place: AreaPlace, rows: Iterable<AreaIndex>, table: RangeTable = areas) => {
    for (const row of rows) ranges.push({ row, place, start: table.startOf(row), end: table.endOf(row) });
  };
  add('free', areasOf(vmap.free.tree), vmap.free.ranges);
  for (const tree of nodes.busy) add('alloc', areasOf(tree));
  for (const tree of nodes.lazy) add('lazy', areasOf(tree.settled));
  for (let pool = 0; pool < pools.count; pool++) add('pool', areasOfPool(vmap, pool));
  return ranges.sort((one, other) => one.start - other.start);
}

/** Bytes of a range as 64-bit addresses count them: the first one may reach over the hole between the halves. */
export function exactBytes({ start, end }: AreaRange): bigint {
  return AddressSpace.canonical.toBigInt(end) - AddressSpace.canonical.toBigInt(start);
}

/**
 * The shape of the free tree in preorder: `(`, start, `-`, end, b or r for the colour, the lower and the upper subtree,
 * `)`; a dot stands for nothing, addresses are without 0x.
 */
export function treeShape({ root, table }: AreaTree): string {
  const { words } = table;
  const hex = (address: Address) => AddressSpace.canonical.toBigInt(address).toString(16);
  const shapeOf = (row: AreaIndex): string => {
    if (row === NIL) return '.';
    const colour = (words[row + PARENT]! & RED) !== 0 ? 'r' : 'b';
    const children = `${shapeOf(words[row + CHILD]!)}${shapeOf(words[row + CHILD + UPPER]!)}`;
    return `(${hex(table.startOf(row))}-${hex(table.endOf(row))}${colour}${children})`;
  };
  return shapeOf(root);
}

/** The ranges around the addresses, a line each; all of them without addresses. */
export function rangeLines(vmap: Vmap, around?: readonly Address[]): string {
  const ranges = rangesOf(vmap);
  const shown = around?.map((address) => ranges.findLastIndex(({ start }) => start <= address));
  const { free, lazyPages, lazyMax, pools } = vmap;
  const lines = [
    `${vmap.name}: ${free.tree.size} free ranges, ${lazyPages} of ${lazyMax} pages waiting, ${pools.areasPooled} areas pooled`,
  ];
  ranges.forEach((range, index) => {
    if (shown?.every((centre) => Math.abs(centre - index) > CONTEXT)) return;
    const tag =
      range.place === 'free' || vmap.areas.tagOf(range.row) === 0
        ? ''
        : ` node ${vmap.areas.tagOf(range.row) - 1}`;
    lines.push(`    ${AddressSpace.canonical.format(range.start)} ${exactBytes(range)} ${range.place}${tag}`);
  });
  return lines.join('\n');
}

import { type Address, AddressSpace } from '../../core/address.js';
import { type EntryIndex, HEADER } from './splay-tree.js';
import type { VmMap } from './vm-map.js';

/** Entries shown on either side of an address. */
const CONTEXT = 4;

/** Every entry in address order. */
export function* entryRows({ tree }: VmMap): Generator<EntryIndex> {
  for (let entry = tree.next[HEADER]!; entry !== HEADER; entry = tree.next[entry]!) yield entry;
}

/** The entries around the addresses, a line each; all of them without addresses. */
export function entryLines(map: VmMap, around?: readonly Address[]): string {
  const { tree, attributes } = map;
  const rows = [...entryRows(map)];
  const centres = around?.map((address) => rows.findLastIndex((row) => tree.start[row]! <= address));
  const lines = [`map ${map.name}: ${rows.length} entries, root ${rows.indexOf(tree.root)}`];
  rows.forEach((row, index) => {
    if (centres !== undefined && !centres.some((centre) => Math.abs(index - centre) <= CONTEXT)) return;
    const range = [tree.start[row]!, tree.end[row]!].map((address) => AddressSpace.canonical.format(address));
    lines.push(
      `  entry ${index} ${range.join('..')} attributes ${attributes[row]}, then ${tree.gapBehind(row)} free`,
    );
  });
  return lines.join('\n');
}

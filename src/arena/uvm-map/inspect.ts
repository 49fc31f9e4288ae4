import { type Address, AddressSpace } from '../../core/address.js';
import { type EntryIndex, HEAD, NIL } from '../entry-map/entry-tree.js';
import { Attribute, EntryFlag, PROTECTION_BITS } from './flags.js';
import type { UvmMap } from './uvm-map.js';

/** Entries shown on either side of an address. */
const CONTEXT = 4;

/** The letters of an entry's bits; a protection other than all access as p and its number; `-` for none. */
export function entryLetters(map: UvmMap, row: EntryIndex): string {
  const flags = map.supply.flags[map.entryAt[row]!]!;
  const attributes = map.attributes[row]!;
  const protection = attributes & PROTECTION_BITS;
  const letters = [
    (flags & EntryFlag.kernel) !== 0 && 'k',
    (flags & EntryFlag.entryPage) !== 0 && 'K',
    (flags & EntryFlag.first) !== 0 && 'F',
    (flags & EntryFlag.quantum) !== 0 && 'q',
    (flags & EntryFlag.noMerge) !== 0 && 'n',
    (attributes & Attribute.object) !== 0 && 'o',
    (attributes & Attribute.submap) !== 0 && 's',
    protection !== Attribute.allAccess && `p${protection}`,
  ];
  return letters.filter((letter) => letter !== false).join('') || '-';
}

/** The rows of the map's entries, in address order. */
export function* entryRows({ tree }: UvmMap): Generator<EntryIndex> {
  for (let row = tree.next[HEAD]!; row !== NIL; row = tree.next[row]!) yield row;
}

/** The entries around the addresses, a line each, with the holes between; all of them without addresses. */
export function entryLines(map: UvmMap, around?: readonly Address[]): string {
  const { tree } = map;
  const rows = [...entryRows(map)];
  const shown = around?.map((address) => rows.findLastIndex((row) => tree.start[row]! <= address));
  const lines = [`map ${map.name}: ${rows.length} entries, ${map.figures.keptEntries} kept`];
  rows.forEach((row, index) => {
    if (shown?.every((centre) => Math.abs(centre - index) > CONTEXT)) return;
    lines.push(`    ${rangeText(map, row)} ${entryLetters(map, row)}${marks(map, row)}`);
    if (tree.gap[row]! > 0) lines.push(`      hole ${tree.gap[row]}`);
  });
  return lines.join('\n');
}

function rangeText({ tree }: UvmMap, row: EntryIndex): string {
  return `${AddressSpace.canonical.format(tree.start[row]!)} ${tree.end[row]! - tree.start[row]!}`;
}

function marks({ hint, firstFree }: UvmMap, row: EntryIndex): string {
  return (row === hint ? '  <- hint' : '') + (row === firstFree ? '  <- first_free' : '');
}

import { InvariantError } from '../../core/errors.js';
import { HEAD } from '../entry-map/entry-tree.js';
import { EntryPages } from './entry-pages.js';
import { EntryFlag, MapFlag } from './flags.js';
import { entryLines, entryRows } from './inspect.js';
import type { UvmMap } from './uvm-map.js';

/** Compares the state of a map with what must always hold. @throws InvariantError with the entries. */
export function checkMap(map: UvmMap): void {
  const problem = map.tree.contradiction() || contradictionInRanges(map) || contradictionInEntries(map);
  if (problem !== '') throw new InvariantError(`${map.name}: ${problem}`, entryLines(map));
}

function contradictionInRanges({ tree, firstFree, figures, base, limit }: UvmMap): string {
  let bytes = 0;
  let lastRow = HEAD;
  let isBehindHole = tree.gap[HEAD]! > 0;
  for (let row = tree.next[HEAD]!; row !== 0; row = tree.next[row]!) {
    bytes += tree.end[row]! - tree.start[row]!;
    if (row === firstFree && isBehindHole) return 'first_free lies behind a hole';
    isBehindHole ||= tree.gap[row]! > 0;
    lastRow = row;
  }
  if (bytes !== figures.inUseBytes) return `${bytes} bytes in entries, ${figures.inUseBytes} in use`;
  return tree.start[tree.next[HEAD]!]! < base || tree.end[lastRow]! > limit ? 'an entry lies outside' : '';
}

function contradictionInEntries(map: UvmMap): string {
  const { supply, entryAt, kept, figures } = map;
  const linked = [...entryRows(map)].map((row) => entryAt[row]!);
  const all = [...linked, ...kept];
  if (new Set(all).size !== all.length) return 'an entry is in two places';
  if ([...kept].some((entry) => (supply.flags[entry]! & MapFlag.quantum) === 0))
    return 'a kept entry is not quantum';
  if (!(supply instanceof EntryPages)) return '';
  const onPages = all.filter((entry) => (supply.flags[entry]! & EntryFlag.first) === 0).length;
  const expected = supply.pages * map.abi.entriesPerPage;
  const counted = onPages + figures.freeEntries;
  return counted === expected ? '' : `${counted} entries on pages for ${expected}`;
}

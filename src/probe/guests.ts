import type { ArenaView } from '../arena/view.js';
import type { GuestFigures } from '../backend/guest-view.js';
import { RequestClass } from '../core/request.js';
import { externalFragmentation } from './arenas.js';
import { bytesColumn, countColumn, ratioColumn, textColumn } from './column.js';
import type { Column, Field, RunView, TableProbe } from './contract.js';
import { Refusal } from './refusals.js';
import type { RequestFigures } from './request-figures.js';

const REFUSALS: readonly Column[] = [
  countColumn(
    'first_refusal_request',
    'more',
    'Segments of guests asked for when the first found no addresses, that one included; empty if none did.',
  ),
  { ...bytesColumn('first_refusal_ns', 'more', 'Simulated time of that refusal.'), unit: 'ns' },
  bytesColumn('first_refusal_bytes', 'none', 'Address space that the refused segment needed.'),
  bytesColumn('first_refusal_segment_bytes', 'more', 'Address space of live segments then.'),
  bytesColumn('first_refusal_free_bytes', 'none', 'Bytes free in the arena then.'),
  bytesColumn('first_refusal_largest_free', 'none', 'Largest free segment of the arena then.'),
];

const COLUMNS: readonly Column[] = [
  textColumn('arena', 'Arena without a source that guests get their addresses from.'),
  bytesColumn('arena_bytes', 'less', 'Its size.'),
  countColumn('requests', 'none', 'Segments of guests asked for.'),
  countColumn('refused_length', 'less', 'Refused: longer than the kernel lets one segment be.'),
  countColumn('refused_memory', 'less', 'Refused: guests have all of the RAM.'),
  countColumn('refused_space', 'less', 'Refused although there was RAM: no addresses in one piece.'),
  ...REFUSALS,
  bytesColumn('segment_bytes', 'none', 'Address space of live segments at the end.'),
  bytesColumn('peak_segment_bytes', 'none', 'The most that it ever was.'),
  bytesColumn('free_bytes', 'none', 'Bytes free in the arena at the end.'),
  bytesColumn('largest_free_bytes', 'more', 'Largest free segment of the arena at the end.'),
  bytesColumn(
    'least_largest_free_bytes',
    'more',
    'The smallest that the largest free segment was, looked at after each segment that was granted.',
  ),
  ratioColumn('external_fragmentation', 'less', '1 − largest_free_bytes / free_bytes.'),
  countColumn('leaf_tables', 'less', 'Page tables at the end that hold pages of 4 KiB of guests.'),
  countColumn('middle_tables', 'less', 'Those that hold pages of 2 MiB, or leaf tables.'),
  countColumn('upper_tables', 'less', 'Those that hold pages of 1 GiB, or middle tables.'),
  countColumn('peak_tables', 'less', 'The most page tables of guests that there ever were.'),
  bytesColumn(
    'others_bytes',
    'none',
    'Allocated in the arena at the end, but not to guests: zero where guests are alone.',
  ),
  countColumn('others_requests', 'none', 'Allocations of all other classes asked for.'),
  countColumn('others_failures', 'less', 'Of these, refused.'),
];

/** Guests that get kernel addresses: when these run out, what page tables they cost, and what they do to others. */
export const guestsTable: TableProbe = {
  name: 'guests',
  title: 'Guest memory over the whole run, of backends whose guests get kernel addresses',
  when: 'end',
  isOptional: true,
  columns: COLUMNS,
  key: ['arena'],
  concerns: ({ guests }) => guests !== undefined,
  rows: ({ backend, requests }: RunView) => {
    const figures = backend.guests!.guestFigures();
    const arena = backend.arenas.find(({ name }) => name === figures.arena)!;
    return [[...demand(figures, arena), ...firstRefusal(figures), ...space(figures, arena, requests)]];
  },
};

function demand(figures: GuestFigures, arena: ArenaView): Field[] {
  const { requests, refusedLength, refusedMemory, refusedSpace } = figures;
  return [arena.name, arena.figures.totalBytes, requests, refusedLength, refusedMemory, refusedSpace];
}

function firstRefusal({ firstRefusal: first }: GuestFigures): Field[] {
  if (first === undefined) return REFUSALS.map(() => Number.NaN);
  const { requests, timeNs, bytes, segmentBytes, freeBytes, largestFree } = first;
  return [requests, timeNs, bytes, segmentBytes, freeBytes, largestFree];
}

function space(figures: GuestFigures, arena: ArenaView, requests: RequestFigures): Field[] {
  const { segmentBytes, peakSegmentBytes, leastLargestFree, pageTables, peakPageTables } = figures;
  const others = Object.values(RequestClass).filter((cls) => cls !== RequestClass.guest);
  return [
    segmentBytes,
    peakSegmentBytes,
    arena.freeBytes(),
    arena.largestFree(),
    leastLargestFree,
    externalFragmentation([arena]),
    ...pageTables,
    peakPageTables,
    arena.figures.totalBytes - arena.freeBytes() - segmentBytes,
    ...total(others, requests),
  ];
}

/** Requests and refusals of classes together. */
function total(classes: readonly number[], { sizes, refusals }: RequestFigures): [number, number] {
  const asked = classes.reduce((sum, cls) => sum + sizes.count(cls), 0);
  const refused = classes.flatMap((cls) =>
    Object.values(Refusal).map((reason) => refusals.count(cls, reason)),
  );
  return [asked, refused.reduce((sum, count) => sum + count, 0)];
}

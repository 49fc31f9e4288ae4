import type { SegkpFailure, SegkpFigures } from '../backend/segkp-view.js';
import { bytesColumn, countColumn, ratio, ratioColumn, textColumn } from './column.js';
import type { Column, Field, RunView, TableProbe } from './contract.js';

const COLUMNS: readonly Column[] = [
  textColumn(
    'moment',
    'first failure, of any request; first thread failure; first heap failure; end of the run. What has not failed has no row.',
  ),
  {
    name: 'moment_ns',
    unit: 'ns',
    kind: 'exact',
    better: 'more',
    description: 'Simulated time of the moment.',
  },
  textColumn('failed', 'thread or heap: what was refused; empty at the end.'),
  bytesColumn('failed_bytes', 'none', 'Size that was asked for and refused.'),
  textColumn('arena', 'Name of the arena that had nothing left.'),
  countColumn('threads', 'more', 'Live threads.'),
  bytesColumn('stack_bytes', 'none', 'Address space of their stacks, red zones included.'),
  bytesColumn('heap_live_bytes', 'more', 'Bytes that live heap objects asked for.'),
  bytesColumn('heap_used_bytes', 'none', 'Bytes of the heap in use by anything but segkp.'),
  bytesColumn('heap_free_bytes', 'none', 'Bytes of free segments of the heap.'),
  bytesColumn('heap_largest_free_bytes', 'more', 'Largest of them.'),
  countColumn('heap_free_segments', 'less', 'Number of them.'),
  ratioColumn('heap_fragmentation', 'less', '1 − heap_largest_free_bytes / heap_free_bytes.'),
  bytesColumn('segkp_bytes', 'none', 'Address space that segkp holds: its own segment, or its imports.'),
  bytesColumn('segkp_idle_bytes', 'less', 'Of these, bytes that are not of live stacks.'),
  countColumn('segkp_imports', 'none', 'Spans that segkp has imported from the heap so far.'),
  countColumn('segkp_releases', 'none', 'Of these, spans that went back.'),
  countColumn(
    'qcache_stacks',
    'none',
    'Stacks so far, live or not, of a length that quantum caches of segkp serve.',
  ),
  bytesColumn('bitmap_bytes', 'less', "Bitmap that tells segkp's pages of the heap from others."),
  countColumn('bitmap_bits', 'none', 'Bits set in it: pages of live stacks, red zones included.'),
  countColumn('anon_slots', 'less', 'Slots of the array that finds the anonymous memory of a stack page.'),
];

/** How far threads and heap got before one of them was refused, with segkp in the heap or beside it. */
export const segkpTable: TableProbe = {
  name: 'segkp',
  title:
    'Threads and heap at the first failures and at the end, for backends that set segkp against the heap',
  when: 'end',
  isOptional: true,
  columns: COLUMNS,
  key: ['moment'],
  concerns: ({ segkp }) => segkp !== undefined,
  rows: ({ backend: { segkp }, simulation }: RunView) => {
    if (segkp === undefined) return [];
    const { failures } = segkp;
    const [first] = failures;
    const end = ['end', simulation.now, '', Number.NaN, '', ...fieldsOf(segkp.figures())];
    return [
      ...(first === undefined ? [] : [failureRow('first failure', first)]),
      ...failures.map((failure) => failureRow(`first ${failure.kind} failure`, failure)),
      end,
    ];
  },
};

function failureRow(moment: string, { kind, timeNs, size, arena, figures }: SegkpFailure): Field[] {
  return [moment, timeNs, kind, size, arena, ...fieldsOf(figures)];
}

function fieldsOf(figures: SegkpFigures): Field[] {
  const { heapFreeBytes, heapLargestFree, segkpBytes, stackBytes } = figures;
  return [
    figures.threads,
    stackBytes,
    figures.heapLiveBytes,
    figures.heapUsedBytes,
    heapFreeBytes,
    heapLargestFree,
    figures.heapFreeSegments,
    ratio(heapFreeBytes - heapLargestFree, heapFreeBytes),
    segkpBytes,
    segkpBytes - stackBytes,
    figures.segkpImports,
    figures.segkpReleases,
    figures.cachedStacks,
    figures.bitmapBytes,
    figures.bitmapBits,
    figures.anonSlots,
  ];
}

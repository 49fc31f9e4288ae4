import type { ArenaView } from '../arena/view.js';
import type { Backend } from '../backend/contract.js';
import { REQUEST_CLASS_NAMES } from '../core/request.js';
import type { Bytes } from '../core/units.js';
import { freeSpectrumOf, rootsOf } from './arenas.js';
import { bytesColumn, countColumn, ratio, ratioColumn, textColumn } from './column.js';
import type { Field, TableProbe } from './contract.js';
import type { RequestSizes } from './request-sizes.js';

const SIZE_TEXT =
  'of the sizes that the class has asked for so far, granted or not (nearest rank; sizes that are not of 32 steps ' +
  'per power of two are rounded up to the next)';

/**
 * The unusable free space index of Gorman and Whitcroft ("The What, The Why and the Where To of Anti-Fragmentation",
 * OLS 2006) for the sizes that the workload asks for: which share of the free space is of no use to a request.
 */
export const unusableTable: TableProbe = {
  name: 'unusable',
  title:
    'Share of free space that is too cut up for the sizes asked for, by request class at each sample point',
  when: 'sample',
  columns: [
    textColumn('class', 'Request class; one without requests so far has no row.'),
    countColumn('requests', 'none', 'Allocations of the class asked for so far, granted or not.'),
    bytesColumn('p50_bytes', 'none', `Median ${SIZE_TEXT}.`),
    bytesColumn('p90_bytes', 'none', `90th percentile ${SIZE_TEXT}.`),
    bytesColumn('max_bytes', 'none', 'Largest size that the class has asked for so far, exact.'),
    bytesColumn(
      'free_bytes',
      'none',
      'Bytes of free segments of the root arenas that the class gets its address space from.',
    ),
    bytesColumn('unusable_p50_bytes', 'less', 'Bytes of free segments smaller than p50_bytes.'),
    bytesColumn('unusable_p90_bytes', 'less', 'Bytes of free segments smaller than p90_bytes.'),
    bytesColumn('unusable_max_bytes', 'less', 'Bytes of free segments smaller than max_bytes.'),
    ratioColumn('unusable_p50', 'less', 'Share of free_bytes in segments smaller than p50_bytes.'),
    ratioColumn('unusable_p90', 'less', 'Share of free_bytes in segments smaller than p90_bytes.'),
    ratioColumn('unusable_max', 'less', 'Share of free_bytes in segments smaller than max_bytes.'),
  ],
  key: ['class'],
  rows: ({ backend, requests }) =>
    REQUEST_CLASS_NAMES.flatMap((name, cls) =>
      requests.sizes.count(cls) === 0 ? [] : [[name, ...unusableOf(backend, cls, requests.sizes)]],
    ),
};

function unusableOf(backend: Backend, cls: number, asked: RequestSizes): Field[] {
  const sizes = [asked.quantile(cls, 50), asked.quantile(cls, 90), asked.max(cls)];
  const { free, tooSmall } = measure(rootsOf(backend, cls), sizes);
  return [asked.count(cls), ...sizes, free, ...tooSmall, ...tooSmall.map((bytes) => ratio(bytes, free))];
}

/** Free bytes, and those in segments smaller than each of `sizes`. */
function measure(arenas: readonly ArenaView[], sizes: readonly Bytes[]): { free: Bytes; tooSmall: Bytes[] } {
  const tooSmall = sizes.map(() => 0);
  let free = 0;
  for (const arena of arenas) {
    const spectrum = freeSpectrumOf(arena);
    free += spectrum.bytes;
    for (const [index, size] of sizes.entries()) tooSmall[index]! += spectrum.bytesBelow(size);
  }
  return { free, tooSmall };
}

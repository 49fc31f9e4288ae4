import type { ArenaView } from '../arena/view.js';
import { freeSpectrumOf } from './arenas.js';
import { bytesColumn, countColumn, textColumn } from './column.js';
import type { Field, TableProbe } from './contract.js';

/** Sizes from 1 to 2^53 lie in this many classes. */
const CLASSES = 54;

/** How the free space of each arena is cut: its free segments by the power of two below their size. */
export const spectrumTable: TableProbe = {
  name: 'spectrum',
  title: 'Free segments of each arena by size at each sample point; classes without segments have no row',
  when: 'sample',
  columns: [
    textColumn('arena', 'Name of the arena.'),
    bytesColumn(
      'class_bytes',
      'none',
      'Smallest size of the class, a power of two; the class ends below twice of it.',
    ),
    countColumn('segments', 'none', 'Free segments in the class.'),
    bytesColumn('bytes', 'none', 'Their bytes together.'),
  ],
  key: ['arena', 'class_bytes'],
  rows: ({ backend }) => backend.arenas.flatMap(spectrumOf),
};

function spectrumOf(arena: ArenaView): Field[][] {
  const segments = new Float64Array(CLASSES);
  const bytes = new Float64Array(CLASSES);
  freeSpectrumOf(arena).addClasses(segments, bytes);
  const rows: Field[][] = [];
  segments.forEach((count, log2) => {
    if (count > 0) rows.push([arena.name, 2 ** log2, count, bytes[log2]!]);
  });
  return rows;
}

import { formatBytes } from '../../core/units.js';
import { type AddressMap, SHOWN_KINDS } from '../../harness/map/address-map.js';

/** A character for each shown kind; capitals where it takes at least half of the addresses. */
const LETTERS: Readonly<Record<string, string>> = {
  kmem: 'k',
  kstack: 's',
  va: 'v',
  guest: 'g',
  page: 'p',
  stackArea: 'a',
  task: 't',
  malloc: 'm',
  poolPage: 'o',
  interrupt: 'i',
  pageable: 'b',
  guard: 'x',
  cached: 'c',
};

const NARROWEST = 40;

/**
 * A map for a terminal: a line per slice of time, addresses from left to right, at most `width` characters wide. Windows
 * are divided by `|`; a dot is free, a blank is nothing.
 */
export function mapStrip(map: AddressMap, width: number, slices: number): string[] {
  const { file, rows } = map;
  const times = Math.max(1, Math.min(slices, file.columns));
  const stamps = Array.from(
    { length: times },
    (_, slice) => Math.ceil(((slice + 1) * file.columns) / times) - 1,
  );
  const label = (column: number): string =>
    `${(Math.min(file.durationNs, (column + 1) * file.columnNs) / 1e9).toFixed(3)} s`;
  const margin = Math.max(...stamps.map((column) => label(column).length)) + 2;
  const room = Math.max(NARROWEST, width) - margin - file.windows.length;
  const perCell = Math.max(1, Math.ceil(rows.length / Math.max(1, room)));
  const lines = [`${file.workload} on ${file.backend}, seed ${file.seed}`];
  const used = new Set<number>();
  map.forEachColumn((column, bytes) => {
    if (!stamps.includes(column)) return;
    const strip = stripOf(map, bytes, perCell, used);
    lines.push(`${label(column).padStart(margin - 2)} |${strip.join('|')}|`);
  });
  return [...lines, ...windowLines(map), legend(used)];
}

/** The text of each window. */
function stripOf(map: AddressMap, bytes: Float64Array, perCell: number, used: Set<number>): string[] {
  return map.file.windows.map((_, window) => {
    const inside = [...map.rows.keys()].filter((row) => map.rows[row]!.window === window);
    let text = '';
    for (let at = 0; at < inside.length; at += perCell) {
      text += character(map, bytes, inside.slice(at, at + perCell), used);
    }
    return text;
  });
}

function character(map: AddressMap, bytes: Float64Array, rows: readonly number[], used: Set<number>): string {
  const sums = SHOWN_KINDS.map(() => 0);
  let height = 0;
  for (const row of rows) {
    height += map.rows[row]!.bytes;
    for (const [kind, value] of map.shown(bytes, row).entries()) sums[kind]! += value;
  }
  const most = sums.indexOf(Math.max(...sums));
  if (sums[most] === 0) return ' ';
  const letter = LETTERS[SHOWN_KINDS[most]!];
  if (letter === undefined) return '.';
  used.add(most);
  return sums[most]! * 2 >= height ? letter.toUpperCase() : letter;
}

function windowLines({ file }: AddressMap): string[] {
  return file.windows.map(({ start, granule, rows }, index) => {
    const text = rows === 1 ? '1 row' : `${rows} rows`;
    return `window ${index + 1}: from ${start}, ${text} of ${formatBytes(granule)}`;
  });
}

function legend(used: ReadonlySet<number>): string {
  const kinds = [...used]
    .sort((a, b) => a - b)
    .map((kind) => `${LETTERS[SHOWN_KINDS[kind]!]} ${SHOWN_KINDS[kind]}`);
  return [...kinds, '. free', 'blank nothing; capitals: at least half of the addresses'].join(', ');
}

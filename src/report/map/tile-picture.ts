import { type AddressMap, SHOWN_KINDS } from '../../harness/map/address-map.js';
import { type PaletteColour, palettePng } from './png.js';

/** Colours of the shown kinds. They are laid over the page's own ground, so that they serve light and dark alike. */
export const KIND_COLOURS: Readonly<Record<string, readonly [number, number, number]>> = {
  kmem: [47, 111, 190],
  kstack: [226, 125, 38],
  va: [34, 155, 115],
  guest: [146, 90, 190],
  page: [120, 120, 120],
  stackArea: [160, 110, 70],
  task: [150, 150, 150],
  malloc: [79, 169, 222],
  poolPage: [190, 80, 135],
  interrupt: [140, 100, 60],
  pageable: [125, 150, 40],
  guard: [214, 52, 71],
  cached: [222, 184, 40],
  free: [130, 141, 158],
};

/** Opacities of a tile whose kind takes up to a quarter, half, three quarters and all of it. */
const LEVELS: readonly number[] = [90, 145, 200, 255];
/** Free space stays in the background. */
const FREE_LEVELS: readonly number[] = [20, 32, 44, 56];

/** Lines left empty between windows, and where rows of a window do not follow each other. */
const WINDOW_GAP = 4;
const ROW_GAP = 1;

/** Colour 0 is none at all; then four for each shown kind. */
const PALETTE: readonly PaletteColour[] = [
  [0, 0, 0, 0],
  ...SHOWN_KINDS.flatMap((kind) => {
    const [red, green, blue] = KIND_COLOURS[kind]!;
    return (kind === 'free' ? FREE_LEVELS : LEVELS).map((level): PaletteColour => [red, green, blue, level]);
  }),
];

/** Rows of a map from the top of its picture down: the highest addresses first; -1 is an empty line. */
export function pictureLines({ rows }: AddressMap): number[] {
  const lines: number[] = [];
  for (let row = rows.length - 1; row >= 0; row--) {
    const above = rows[row + 1];
    const { window, start, bytes } = rows[row]!;
    const isApart = above !== undefined && above.start !== start + BigInt(bytes);
    const gap = above !== undefined && above.window !== window ? WINDOW_GAP : isApart ? ROW_GAP : 0;
    for (let line = 0; line < gap; line++) lines.push(-1);
    lines.push(row);
  }
  return lines;
}

/** The colour of each tile, a byte each, by lines: that of the kind with most bytes, the paler the fewer there are. */
export function pictureTiles(map: AddressMap, lines: readonly number[]): Uint8Array {
  const { columns } = map.file;
  const pixels = new Uint8Array(columns * lines.length);
  const colours = new Uint8Array(map.rows.length);
  map.forEachColumn((column, bytes, changed) => {
    for (const row of changed) colours[row] = tileColour(map.shown(bytes, row), map.rows[row]!.bytes);
    for (let line = 0; line < lines.length; line++) {
      if (lines[line]! >= 0) pixels[line * columns + column] = colours[lines[line]!]!;
    }
  });
  return pixels;
}

function tileColour(shown: readonly number[], height: number): number {
  let most = 0;
  for (let kind = 1; kind < shown.length; kind++) if (shown[kind]! > shown[most]!) most = kind;
  if (shown[most] === 0) return 0;
  return (
    1 +
    most * LEVELS.length +
    Math.min(LEVELS.length - 1, Math.floor((shown[most]! / height) * LEVELS.length))
  );
}

/** The whole map as a picture. */
export interface MapPicture {
  /** A PNG in a data URI: a pixel for each tile. */
  readonly source: string;
  /** Row of each line, see `pictureLines`. */
  readonly lines: readonly number[];
  /** Those of SHOWN_KINDS whose colour it has. */
  readonly kinds: readonly string[];
}

/** Draws a map. */
export function mapPicture(map: AddressMap): MapPicture {
  const lines = pictureLines(map);
  const pixels = pictureTiles(map, lines);
  const png = palettePng(map.file.columns, lines.length, pixels, PALETTE);
  const colours = new Set(pixels);
  const kinds = SHOWN_KINDS.filter((_, kind) =>
    LEVELS.some((_level, level) => colours.has(1 + kind * LEVELS.length + level)),
  );
  return { source: `data:image/png;base64,${png.toString('base64')}`, lines, kinds };
}

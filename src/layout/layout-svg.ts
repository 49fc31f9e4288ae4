import { hexAddress, type Layout, larger, type Segment, type SegmentKind } from './layout.js';

const WIDTH = 1180;
const MARGIN = 24;
const HEAD = 84;
const BAR_X = 200;
const BAR_WIDTH = 150;
const NAME_X = BAR_X + BAR_WIDTH + 16;
const SIZE_X = NAME_X + 240;
const RULE_X = SIZE_X + 16;
const LINE = 18;
const SHORTEST = 24;
const LONGEST = 64;

const COLOURS: Readonly<Record<SegmentKind, string>> = {
  user: '#d9d9d9',
  'red zone': '#d7301f',
  mapping: '#9ecae1',
  allocator: '#3182bd',
  fixed: '#737373',
};

/** A part of the picture: a segment, or the unused addresses between two. */
interface Band {
  readonly segment?: Segment;
  readonly base: bigint;
  readonly size: bigint;
  readonly height: number;
}

/**
 * A layout as an SVG picture: high addresses above, each segment with base, size and rule. Heights grow with the
 * logarithm of the size, for sizes of 8 KiB and 128 TiB stand side by side; findings are written below.
 */
export function layoutSvg(layout: Layout, formatSize: (bytes: bigint) => string): string {
  const bands = bandsOf(layout.segments);
  const barHeight = bands.reduce((sum, { height }) => sum + height, 0);
  const findings = layout.findings.map(({ kind, text }) => `${kind}: ${text}`);
  const height = HEAD + barHeight + MARGIN * 2 + findings.length * LINE;
  const title = `${layout.platform}, ${layout.revision}, ${formatSize(layout.physmem)} of RAM`;
  const parts = [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" font-family="ui-monospace, monospace" font-size="12" fill="#222">`,
    `<title>${escapeXml(title)}</title>`,
    `<rect width="${WIDTH}" height="${height}" fill="#fff"/>`,
    text(MARGIN, 32, title, 'font-size="16" font-weight="bold"'),
    ...legend(),
    ...drawBands(bands, formatSize),
    ...findings.map((line, index) =>
      text(MARGIN, HEAD + barHeight + MARGIN * 1.5 + index * LINE, line, findingColour(line)),
    ),
    '</svg>',
  ];
  return `${parts.join('\n')}\n`;
}

/** From the highest address down. Segments of no size are left out. */
function bandsOf(segments: readonly Segment[]): Band[] {
  const bands: Band[] = [];
  let reached = 0n;
  for (const segment of segments.filter(({ size }) => size > 0n)) {
    const { base, size } = segment;
    if (base > reached) bands.push({ base: reached, size: base - reached, height: SHORTEST });
    bands.push({ segment, base, size, height: bandHeight(size) });
    reached = larger(reached, base + size);
  }
  return bands.reverse();
}

/** From SHORTEST at 8 KiB to LONGEST at 128 TiB. */
function bandHeight(size: bigint): number {
  const doublings = Math.min(34, Math.max(0, size.toString(2).length - 14));
  return Math.round(SHORTEST + ((LONGEST - SHORTEST) * doublings) / 34);
}

function drawBands(bands: readonly Band[], formatSize: (bytes: bigint) => string): string[] {
  let y = HEAD;
  return bands.flatMap(({ segment, base, size, height }) => {
    const top = y;
    y += height;
    const middle = top + height / 2 + 4;
    const fill = segment === undefined ? '#fff' : COLOURS[segment.kind];
    const bounds = `x="${BAR_X}" y="${top}" width="${BAR_WIDTH}" height="${height}"`;
    const dashes = segment === undefined ? ' stroke-dasharray="3 3"' : '';
    const right = 'text-anchor="end"';
    return [
      `<rect ${bounds} fill="${fill}" stroke="#222"${dashes}/>`,
      text(BAR_X - 8, top + height - 3, hexAddress(base), right),
      text(
        NAME_X,
        middle,
        segment?.name ?? 'unused',
        segment === undefined ? 'fill="#777"' : 'font-weight="bold"',
      ),
      text(SIZE_X, middle, formatSize(size), right),
      text(RULE_X, middle, segment?.rule ?? '', 'fill="#555"'),
    ];
  });
}

function legend(): string[] {
  return Object.entries(COLOURS).flatMap(([kind, colour], index) => {
    const x = MARGIN + index * 120;
    return [
      `<rect x="${x}" y="48" width="14" height="14" fill="${colour}" stroke="#222"/>`,
      text(x + 20, 60, kind, ''),
    ];
  });
}

function findingColour(line: string): string {
  return line.startsWith('note') ? 'fill="#555"' : 'fill="#d7301f" font-weight="bold"';
}

function text(x: number, y: number, content: string, attributes: string): string {
  return `<text x="${x}" y="${y}" ${attributes}>${escapeXml(content)}</text>`.replace(' >', '>');
}

function escapeXml(content: string): string {
  return content.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;').replace(/"/g, '&quot;');
}

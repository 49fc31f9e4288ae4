import { hexAddress, type Layout, larger, type Segment, type SegmentKind } from './layout.js';

/** No wider than a page of a report. */
const WIDTH = 1000;
const MARGIN = 24;
const HEAD = 116;
const BAR_X = 168;
const BAR_WIDTH = 120;
const NAME_X = BAR_X + BAR_WIDTH + 16;
const SIZE_X = NAME_X + 232;
const RULE_X = SIZE_X + 16;
const LINE = 18;
/** Distance of lines of one text. */
const WRAPPED_LINE = 14;
const SHORTEST = 32;
const LONGEST = 64;

/** A character of a monospaced font of 12 units is 0.61 of that wide at most. */
const CHARACTER = 0.61 * 12;
const RULE_CHARACTERS = Math.floor((WIDTH - MARGIN - RULE_X) / CHARACTER);
const FINDING_CHARACTERS = Math.floor((WIDTH - 2 * MARGIN) / CHARACTER);

const HEIGHTS =
  'Heights grow with the logarithm of the size; an address is where the segment above it begins.';

/** End of the addresses below the hole that 48-bit addresses leave, and its size. */
const HOLE = { base: 1n << 47n, size: (1n << 64n) - (1n << 48n) } as const;

const COLOURS: Readonly<Record<SegmentKind, string>> = {
  user: '#d9d9d9',
  'red zone': '#d7301f',
  mapping: '#9ecae1',
  allocator: '#3182bd',
  fixed: '#737373',
};

const UNUSED = ' stroke-dasharray="3 3"';

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
  const findings = layout.findings.map(({ kind, text }) => wrapped(`${kind}: ${text}`, FINDING_CHARACTERS));
  const below = drawFindings(findings, HEAD + barHeight + MARGIN * 1.5);
  const height = HEAD + barHeight + MARGIN * 2 + findings.flat().length * LINE;
  const title = `${layout.platform}, ${layout.revision}, ${formatSize(layout.physmem)} of RAM`;
  const parts = [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" font-family="ui-monospace, monospace" font-size="12" fill="#222">`,
    `<title>${escapeXml(title)}</title>`,
    `<rect width="${WIDTH}" height="${height}" fill="#fff"/>`,
    text(MARGIN, 32, title, 'font-size="16" font-weight="bold"'),
    ...legend(bands),
    text(MARGIN, 82, HEIGHTS, 'fill="#555"'),
    ...drawBands(bands, formatSize),
    ...below,
    '</svg>',
  ];
  return `${parts.join('\n')}\n`;
}

function drawFindings(findings: readonly (readonly string[])[], top: number): string[] {
  let y = top - LINE;
  return findings.flatMap((lines) =>
    lines.map((line) => {
      y += LINE;
      return text(MARGIN, y, line, findingColour(lines[0]!));
    }),
  );
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
  const { base, size } = bands[0] ?? { base: 0n, size: 0n };
  const end = text(BAR_X - 8, HEAD - 3, hexAddress(base + size - 1n), 'text-anchor="end" fill="#777"');
  return [
    end,
    ...bands.flatMap((band) => {
      const top = y;
      y += band.height;
      return drawBand(band, top, formatSize);
    }),
  ];
}

function drawBand(band: Band, top: number, formatSize: (bytes: bigint) => string): string[] {
  const { segment, base, size, height } = band;
  const middle = top + height / 2 + 4;
  const fill = segment === undefined ? '#fff' : COLOURS[segment.kind];
  const bounds = `x="${BAR_X}" y="${top}" width="${BAR_WIDTH}" height="${height}"`;
  const name = segment?.name ?? (isHole(band) ? 'no addresses' : 'unused');
  const rule = wrapped(segment?.rule ?? (isHole(band) ? 'not canonical' : ''), RULE_CHARACTERS);
  const first = middle - ((rule.length - 1) * WRAPPED_LINE) / 2;
  const nameStyle = segment === undefined ? 'fill="#777"' : 'font-weight="bold"';
  return [
    `<rect ${bounds} fill="${fill}" stroke="#222"${segment === undefined ? UNUSED : ''}/>`,
    text(BAR_X - 8, top + height - 3, hexAddress(base), 'text-anchor="end"'),
    text(NAME_X, middle, name, nameStyle),
    text(SIZE_X, middle, formatSize(size), 'text-anchor="end"'),
    ...rule.map((line, index) => text(RULE_X, first + index * WRAPPED_LINE, line, 'fill="#555"')),
  ];
}

function isHole({ base, size }: Band): boolean {
  return base === HOLE.base && size === HOLE.size;
}

/** The kinds that the picture has. */
function legend(bands: readonly Band[]): string[] {
  const kinds = Object.entries(COLOURS).filter(([kind]) =>
    bands.some(({ segment }) => segment?.kind === kind),
  );
  const entries = kinds.map(([kind, colour]) => ({ kind, style: `fill="${colour}" stroke="#222"` }));
  if (bands.some(({ segment }) => segment === undefined)) {
    entries.push({ kind: 'unused', style: `fill="#fff" stroke="#222"${UNUSED}` });
  }
  let x = MARGIN;
  return entries.flatMap(({ kind, style }) => {
    const left = x;
    x += 48 + Math.ceil(kind.length * CHARACTER);
    return [`<rect x="${left}" y="48" width="14" height="14" ${style}/>`, text(left + 20, 60, kind, '')];
  });
}

/** Lines of whole words, `most` characters at most where the words allow it. */
function wrapped(content: string, most: number): string[] {
  const lines: string[] = [];
  for (const word of content.split(' ')) {
    const longer = `${lines.at(-1) ?? ''} ${word}`;
    if (lines.length > 0 && longer.length <= most) lines[lines.length - 1] = longer;
    else lines.push(word);
  }
  return lines;
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

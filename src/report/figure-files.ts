import { CHART_WIDTH } from './charts/chart.js';
import type { Figure, FigureGroup } from './content.js';
import { csvText } from './csv.js';
import { escapeMarkup } from './escape.js';
import type { Report } from './make-report.js';
import { shorten } from './notation.js';
import { backendColour, backendDash, colourRules } from './palette.js';

const MARGIN = 12;
const TITLE_HEIGHT = 44;
const LEGEND_LINE = 18;
const LEGEND_COLUMNS = 2;
const LONGEST_NAME = 26;
const LONGEST_TITLE = 58;

/** A figure with the group that it belongs to. */
export interface PlacedFigure {
  readonly figure: Figure;
  readonly group: FigureGroup;
}

/** Every figure of a report, in its order. */
export function figuresOf({ sections }: Report): PlacedFigure[] {
  const blocks = sections
    .flatMap((section) => section.blocks)
    .flatMap((block) => (block.kind === 'interactive' ? block.fallback : [block]));
  const groups = blocks.filter((block) => block.kind === 'figures');
  return groups.flatMap((group) => group.figures.map((figure) => ({ figure, group })));
}

/** A figure as an SVG file by itself, with title and legend, in the colours that the reader's system prefers. */
export function figureSvg({ figure, group }: PlacedFigure, report: Report): string {
  const legend = figure.legend ?? group.legend;
  const legendTop = TITLE_HEIGHT + chartHeight(figure.svg()) + 6;
  const legendLines = Math.ceil(legend.length / LEGEND_COLUMNS);
  const height = legendTop + legendLines * LEGEND_LINE + (legendLines > 0 ? MARGIN : 0);
  const width = CHART_WIDTH + 2 * MARGIN;
  const text = (y: number, content: string, attributes: string): string =>
    `<text x="${MARGIN}" y="${y}" ${attributes}>${escapeMarkup(shorten(content, LONGEST_TITLE))}</text>`;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" font-family="system-ui, sans-serif" font-size="12" role="img" aria-label="${escapeMarkup(figure.description)}">
<style>${colourRules('svg')}
svg{color:var(--ink)}</style>
<rect width="${width}" height="${height}" fill="var(--paper)"/>
<g fill="var(--ink)">${text(20, group.title, 'font-size="14" font-weight="bold"')}${text(37, figure.title, '')}</g>
${figure.svg().replace('<svg ', `<svg x="${MARGIN}" y="${TITLE_HEIGHT}" `)}
<g fill="var(--ink)">${legend.map((backend, index) => legendEntry(backend, index, legendTop, report)).join('')}</g>
</svg>
`;
}

/** The data of a figure as CSV. */
export function figureCsv({ figure }: PlacedFigure): string {
  return csvText(figure.data);
}

function chartHeight(svg: string): number {
  return Number(/ height="(\d+)"/.exec(svg)?.[1] ?? 0);
}

function legendEntry(backend: number, index: number, top: number, report: Report): string {
  const x = MARGIN + (index % LEGEND_COLUMNS) * (CHART_WIDTH / LEGEND_COLUMNS);
  const y = top + Math.floor(index / LEGEND_COLUMNS) * LEGEND_LINE + 8;
  const dash = backendDash(backend);
  const dashes = dash === '' ? '' : ` stroke-dasharray="${dash}"`;
  const name = escapeMarkup(shorten(report.backends[backend]!, LONGEST_NAME));
  return (
    `<path d="M${x} ${y}h22" stroke="${backendColour(backend)}" stroke-width="3"${dashes}/>` +
    `<text x="${x + 28}" y="${y + 4}">${name}</text>`
  );
}

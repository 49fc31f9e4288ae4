import type {
  Block,
  DataTable,
  Figure,
  FigureGroup,
  Interactive,
  TableCell,
  TableColumn,
} from './content.js';
import { contentPolicy } from './content-policy.js';
import { escapeMarkup } from './escape.js';
import { HTML_STYLE } from './html-style.js';
import type { RenderedSection, Report } from './make-report.js';
import { type PageScript, pageScript } from './page-script.js';
import { swatch } from './swatch.js';

/** Longer tables are folded. */
const MOST_ROWS = 40;

/** Scripts of every page. */
const SCRIPTS: readonly PageScript[] = ['sort-tables', 'highlight-backend'];

/**
 * A report as one HTML file. It asks for nothing: its policy forbids the browser every request, and every script but
 * those in it. Without scripts tables and charts are all there.
 */
export function renderHtml(report: Report): string {
  const scripts = scriptsOf(report).map((name) => `\n${pageScript(name)}`);
  const title = `${report.title} – kvabench`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${contentPolicy(scripts)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${escapeMarkup(title)}</title>
<style>${HTML_STYLE}${stylesOf(report).join('')}</style>
</head>
<body>
<header>
<h1>${escapeMarkup(report.title)}</h1>
<p>${escapeMarkup(report.subtitle)}</p>
<nav aria-label="Sections"><ul>${report.sections.map(navItem).join('')}</ul></nav>
</header>
<main>
${report.sections.map((section) => sectionHtml(section, report)).join('\n')}
</main>
<footer><p>Made by <code>kvabench report</code>.</p></footer>
${scripts.map((text) => `<script type="module">${text}</script>`).join('\n')}
</body>
</html>
`;
}

function scriptsOf(report: Report): PageScript[] {
  return [...new Set([...SCRIPTS, ...interactiveOf(report).flatMap(({ scripts }) => scripts)])];
}

function stylesOf(report: Report): string[] {
  return [...new Set(interactiveOf(report).map(({ style }) => style))];
}

function interactiveOf({ sections }: Report): Interactive[] {
  const blocks = sections.flatMap((section) => section.blocks);
  return blocks.filter((block) => block.kind === 'interactive');
}

function navItem({ id, title }: RenderedSection): string {
  return `<li><a href="#${id}">${escapeMarkup(title)}</a></li>`;
}

function sectionHtml({ id, title, blocks }: RenderedSection, report: Report): string {
  const body = blocks.map((block) => blockHtml(block, report)).join('\n');
  return `<section id="${id}" aria-labelledby="${id}-title">\n<h2 id="${id}-title">${escapeMarkup(title)}</h2>\n${body}\n</section>`;
}

function blockHtml(block: Block, report: Report): string {
  switch (block.kind) {
    case 'paragraph':
      return `<p>${escapeMarkup(block.text)}</p>`;
    case 'command':
      return commandHtml(block.text);
    case 'table':
      return tableHtml(block);
    case 'figures':
      return groupHtml(block, report);
    case 'interactive':
      return [...block.fallback.map((inner) => blockHtml(inner, report)), block.markup].join('\n');
  }
}

function commandHtml(text: string): string {
  return `<p class="command"><code>${escapeMarkup(text)}</code></p>`;
}

function tableHtml({ caption, columns, rows, notes }: DataTable): string {
  const head = columns.map(headHtml).join('');
  const body = rows.map(
    (row) => `<tr>${row.map((cell, index) => cellHtml(cell, columns[index]!, index === 0)).join('')}</tr>`,
  );
  const noteLines = notes.map((note) => `<p class="note">${escapeMarkup(note)}</p>`).join('\n');
  // A region that scrolls must be reachable by keyboard.
  const table = `<div class="scroll" role="region" tabindex="0" aria-label="${escapeMarkup(caption)}"><table class="sortable">
<caption>${escapeMarkup(caption)}</caption>
<thead><tr>${head}</tr></thead>
<tbody>
${body.join('\n')}
</tbody>
</table></div>
${noteLines}`;
  if (rows.length <= MOST_ROWS) return table;
  return `<details><summary>${escapeMarkup(caption)}: ${rows.length} rows</summary>\n${table}\n</details>`;
}

function headHtml({ name, align, meaning }: TableColumn): string {
  const title = meaning === '' ? '' : ` title="${escapeMarkup(meaning)}"`;
  return `<th scope="col" class="${align}"${title}>${escapeMarkup(name)}</th>`;
}

function cellHtml(
  { text, detail, value, best, faint, hint, backend }: TableCell,
  { align }: TableColumn,
  isFirst: boolean,
): string {
  const element = isFirst ? 'th scope="row"' : 'td';
  const sortKey = value === undefined || Number.isNaN(value) ? '' : ` data-value="${value}"`;
  const classes = [
    align,
    ...(best === true ? ['best'] : []),
    ...(faint === true ? ['faint'] : []),
    ...(backend === undefined ? [] : ['name']),
  ].join(' ');
  const mark = backend === undefined || backend < 0 ? '' : swatch(backend);
  const shown =
    best === true ? `<b>${escapeMarkup(text)}</b><span class="hidden"> (best)</span>` : escapeMarkup(text);
  const title = hint === undefined ? '' : ` title="${escapeMarkup(hint)}"`;
  const more = detail === undefined ? '' : `<br><small>${escapeMarkup(detail)}</small>`;
  return `<${element} class="${classes}"${title}${sortKey}>${mark}${shown}${more}</${element.slice(0, 2)}>`;
}

function groupHtml(group: FigureGroup, report: Report): string {
  const items = group.legend.map(
    (backend) =>
      `<li data-backend="${backend}">${swatch(backend)}${escapeMarkup(report.backends[backend]!)}</li>`,
  );
  const legend = items.length === 0 ? '' : `<ul class="legend" aria-label="Legend">${items.join('')}</ul>\n`;
  return `<h3>${escapeMarkup(group.title)}</h3>
<p class="definition">${escapeMarkup(group.definition)}</p>
${legend}<div class="charts">
${group.figures.map(figureHtml).join('\n')}
</div>
${commandsHtml(group.figures)}`;
}

function figureHtml(figure: Figure): string {
  return `<figure id="${figure.id}"><figcaption>${escapeMarkup(figure.title)}</figcaption>${figure.svg()}</figure>`;
}

/** Commands that repeat the figures of a group, folded: each is long. */
function commandsHtml(figures: readonly Figure[]): string {
  const commands = [...new Set(figures.map(({ command }) => command))].map(commandHtml);
  return `<details class="repeat"><summary>Commands that repeat these figures</summary>\n${commands.join('\n')}\n</details>`;
}

import { visibleText } from '../core/visible-text.js';
import type { Block, DataTable, Figure, FigureGroup, TableCell } from './content.js';
import { escapeMarkdown } from './escape.js';
import type { Report } from './make-report.js';
import { sparkLine } from './spark-line.js';

const BAR_LENGTH = 24;

/** A report in Markdown as GitHub reads it, for mail and issues: best figures are bold, charts are lines of bars. */
export function renderMarkdown(report: Report): string {
  const sections = report.sections.map(({ title, blocks }) =>
    [`## ${escapeMarkdown(title)}`, ...blocks.map(blockText)].join('\n\n'),
  );
  return `${[`# ${escapeMarkdown(report.title)}`, escapeMarkdown(report.subtitle), ...sections].join('\n\n')}\n`;
}

function blockText(block: Block): string {
  switch (block.kind) {
    case 'paragraph':
      return escapeMarkdown(block.text);
    case 'command':
      return codeBlock(block.text);
    case 'table':
      return tableText(block);
    case 'figures':
      return groupText(block);
    case 'interactive':
      return block.fallback.map(blockText).join('\n\n');
  }
}

/** The fence is longer than any run of backquotes inside. */
function codeBlock(text: string): string {
  const plain = visibleText(text);
  const runs = plain.match(/`+/g) ?? [];
  const fence = '`'.repeat(Math.max(3, ...runs.map(({ length }) => length + 1)));
  return `${fence}sh\n${plain}\n${fence}`;
}

function tableText({ caption, columns, rows, notes }: DataTable): string {
  const head = columns.map(({ name }) => escapeMarkdown(name));
  const rule = columns.map(({ align }) => (align === 'right' ? '---:' : '---'));
  const lines = [head, rule, ...rows.map((row) => row.map(cellText))].map(
    (cells) => `| ${cells.join(' | ')} |`,
  );
  return [`**${escapeMarkdown(caption)}**`, lines.join('\n'), ...notes.map(escapeMarkdown)].join('\n\n');
}

function cellText({ text, detail, best }: TableCell): string {
  const shown = best === true ? `**${escapeMarkdown(text)}**` : escapeMarkdown(text);
  return detail === undefined ? shown : `${shown} (${escapeMarkdown(detail)})`;
}

function groupText({ title, definition, figures }: FigureGroup): string {
  return [`### ${escapeMarkdown(title)}`, escapeMarkdown(definition), ...figures.map(figureText)].join(
    '\n\n',
  );
}

function figureText({ title, lines, command }: Figure): string {
  const rows = lines.map(
    ({ label, values, text }) =>
      `| ${escapeMarkdown(label)} | ${sparkLine(values, BAR_LENGTH)} | ${escapeMarkdown(text)} |`,
  );
  return [
    [`| ${escapeMarkdown(title)} | | |`, '| --- | --- | --- |', ...rows].join('\n'),
    codeBlock(command),
  ].join('\n\n');
}

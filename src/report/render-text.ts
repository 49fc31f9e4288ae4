import { visibleText } from '../core/visible-text.js';
import { tableLines } from './aligned-text.js';
import type { Block, DataTable, Figure, FigureGroup, TableCell } from './content.js';
import type { Report } from './make-report.js';
import { shorten } from './notation.js';
import { sparkLine } from './spark-line.js';
import { wrapWords } from './wrap-words.js';

/** How a terminal shows a report. */
export interface TextOptions {
  /** Characters of a line. */
  readonly columns: number;
  readonly colours: boolean;
}

const NARROWEST = 40;
/** A name takes at most this share of a line. */
const NAME_SHARE = 0.3;

/** A report as text for a terminal: aligned tables and lines of bars; best figures bear a star, in colour if wanted. */
export function renderText(report: Report, options: TextOptions): string {
  const printer = new Printer({ ...options, columns: Math.max(NARROWEST, options.columns) });
  const sections = report.sections.map(({ title, blocks }) => {
    const body = blocks.map((block) => printer.block(block));
    return [printer.heading(title), ...body].join('\n');
  });
  return [
    printer.heading(report.title),
    ...printer.wrapped(report.subtitle),
    '',
    sections.join('\n\n'),
    '',
  ].join('\n');
}

class Printer {
  constructor(private readonly options: TextOptions) {}

  heading(text: string): string {
    const plain = visibleText(text);
    return `${this.styled(plain, '1')}\n${'─'.repeat(Math.min(this.options.columns, plain.length))}`;
  }

  block(block: Block): string {
    switch (block.kind) {
      case 'paragraph':
        return `${this.wrapped(block.text).join('\n')}\n`;
      case 'command':
        return `  $ ${visibleText(block.text)}\n`;
      case 'table':
        return this.table(block);
      case 'figures':
        return this.figures(block);
      case 'interactive':
        return [
          ...block.fallback.map((inner) => this.block(inner)),
          ...block.lines(this.options.columns).map(visibleText),
          '',
        ].join('\n');
    }
  }

  /** Lines of at most the terminal's width, broken between words. */
  wrapped(text: string): string[] {
    return wrapWords(visibleText(text), this.options.columns);
  }

  private table(table: DataTable): string {
    return [
      ...this.wrapped(table.caption).map((line) => this.styled(line, '1')),
      ...this.aligned(table),
      ...table.notes.flatMap((note) => this.wrapped(note)),
      '',
    ].join('\n');
  }

  private aligned({ columns, rows }: DataTable): string[] {
    const lines = tableLines({
      rows: [columns.map(({ name }) => name), ...rows.map((row) => row.map(cellText))],
      alignments: columns.map(({ align }) => align),
      gap: '  ',
      width: this.options.columns,
    });
    return lines.map(({ text, row }) => (row === 0 ? this.styled(text, '2') : this.starred(text)));
  }

  private starred(line: string): string {
    return line.replace(/\S+\*(?=\s|$)/g, (best) => this.styled(best, '32;1'));
  }

  private figures({ title, definition, figures }: FigureGroup): string {
    return [
      ...this.wrapped(title).map((line) => this.styled(line, '1')),
      ...this.wrapped(definition),
      ...figures.flatMap((figure) => this.figure(figure)),
      '',
    ].join('\n');
  }

  private figure({ title, lines }: Figure): string[] {
    const { columns } = this.options;
    const longestName = Math.floor(columns * NAME_SHARE);
    const names = lines.map(({ label }) => shorten(visibleText(label), longestName));
    const nameWidth = Math.max(...names.map(({ length }) => length));
    const room = columns - nameWidth - 4;
    const textWidth = Math.max(...lines.map(({ text }) => text.length));
    const barRoom = Math.max(0, Math.min(60, room - textWidth));
    return [
      this.styled(`  ${shorten(visibleText(title), columns - 2)}`, '4'),
      ...lines.map(({ values, text }, index) => {
        const bars = barRoom < 8 ? '' : sparkLine(values, barRoom);
        const shown = bars === '' ? text : `${bars.padEnd(Math.min(barRoom, longest(lines)))} ${text}`;
        return `  ${names[index]!.padEnd(nameWidth)} ${shorten(shown, room + 1)}`;
      }),
    ];
  }

  private styled(text: string, code: string): string {
    return this.options.colours ? `\u001b[${code}m${text}\u001b[0m` : text;
  }
}

function longest(lines: Figure['lines']): number {
  return Math.max(...lines.map(({ values }) => values.length));
}

function cellText({ text, detail, best }: TableCell): string {
  const range = detail === undefined ? '' : ` (${detail})`;
  return `${text}${best === true ? '*' : ''}${range}`;
}

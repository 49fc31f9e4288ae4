import { join } from 'node:path';
import type { Argv } from 'yargs';
import { InputError } from '../../core/errors.js';
import { writeWhole } from '../../core/files.js';
import { unknownName } from '../../core/suggest.js';
import { figureCsv, figureSvg, figuresOf, type PlacedFigure } from '../../report/figure-files.js';
import { goldenAgreement } from '../../report/golden-agreement.js';
import { makeReport, type Report } from '../../report/make-report.js';
import { Results } from '../../report/read-results.js';
import { renderHtml } from '../../report/render-html.js';
import { renderMarkdown } from '../../report/render-markdown.js';
import { renderText } from '../../report/render-text.js';
import { ReportData } from '../../report/report-data.js';
import type { Command } from '../command.js';
import { ExitCode, type Io } from '../io.js';
import { singleOption } from '../option-values.js';
import { type TextDestination, writeText } from '../text-output.js';

const FORMATS = ['html', 'md', 'text', 'svg', 'csv'] as const;
type Format = (typeof FORMATS)[number];

/** `kvabench report DIR`: results as pictures and tables, for browsers, terminals and mail. */
export const reportCommand: Command = {
  usage: 'report <dir>',
  summary: 'Show the results of a run: one HTML file, text for a terminal, Markdown, or single figures',
  options: declareOptions,
  run: (args, io) => {
    const format = singleOption(args, 'format', (text) => text as Format) ?? 'html';
    const figure = singleOption(args, 'figure', String);
    if (figure !== undefined && format !== 'svg' && format !== 'csv') {
      throw new InputError(`not with --format ${format}`, {
        field: '--figure',
        allowed: '--format svg or csv',
      });
    }
    const folder = args.dir as string;
    const results = Results.open(folder);
    const report = makeReport(new ReportData(results, goldenAgreement(results, args.verify === true)));
    const out = singleOption(args, 'out', String);
    if (format === 'svg' || format === 'csv')
      writeFigures(report, format, figure, out ?? folderOf(folder), out, io);
    else writeReport(report, format, out ?? (format === 'html' ? join(folder, 'report.html') : '-'), io);
    return ExitCode.done;
  },
};

function declareOptions(yargs: Argv): Argv {
  return yargs
    .positional('dir', { type: 'string', demandOption: true, describe: 'folder of results' })
    .option('format', { type: 'string', choices: FORMATS, describe: 'what to make; default: html' })
    .option('out', {
      type: 'string',
      requiresArg: true,
      describe: 'file to write, - for stdout; with svg and csv a folder, unless --figure is given',
    })
    .option('figure', {
      type: 'string',
      requiresArg: true,
      describe: 'only this figure (svg, csv), for example holes-1',
    })
    .option('verify', {
      type: 'boolean',
      describe:
        'replay the golden cases of the models behind the backends, and show how many agree (seconds)',
    });
}

function folderOf(folder: string): string {
  return join(folder, 'figures');
}

function writeReport(report: Report, format: 'html' | 'md' | 'text', out: string, io: Io): void {
  writeText({ out }, io, (to) => rendered(report, format, io, to));
  if (out !== '-') io.stdout.write(`${out}\n`);
}

function rendered(report: Report, format: 'html' | 'md' | 'text', io: Io, to: TextDestination): string {
  if (format === 'html') return renderHtml(report);
  if (format === 'md') return renderMarkdown(report);
  const noColour = io.env.NO_COLOR;
  return renderText(report, {
    columns: to.width,
    colours: to.isTerminal && (noColour === undefined || noColour === ''),
  });
}

function writeFigures(
  report: Report,
  format: 'svg' | 'csv',
  name: string | undefined,
  folder: string,
  out: string | undefined,
  io: Io,
): void {
  const render = (placed: PlacedFigure): string =>
    format === 'svg' ? figureSvg(placed, report) : figureCsv(placed);
  const figures = figuresOf(report);
  if (name === undefined && out !== '-') {
    for (const placed of figures) writeWhole(join(folder, `${placed.figure.id}.${format}`), render(placed));
    io.stdout.write(`${folder}: ${figures.length} figures\n`);
    return;
  }
  const placed = name === undefined ? onlyFigure(figures) : figureNamed(name, figures);
  if (out === undefined || out === '-') io.stdout.write(render(placed));
  else writeWhole(out, render(placed));
}

/** @throws InputError where there is no such figure. */
function figureNamed(name: string, figures: readonly PlacedFigure[]): PlacedFigure {
  const names = figures.map(({ figure }) => figure.id);
  const placed = figures[names.indexOf(name)];
  if (placed === undefined) throw unknownName('figure', name, names);
  return placed;
}

/** What standard output has room for. @throws InputError where there are several figures, or none. */
function onlyFigure(figures: readonly PlacedFigure[]): PlacedFigure {
  const [only, ...others] = figures;
  if (only !== undefined && others.length === 0) return only;
  throw new InputError(`${figures.length} figures cannot go to standard output`, {
    field: '--out',
    allowed: `a folder, or one of them: --figure ${figures.map(({ figure }) => figure.id).join(', ')}`,
  });
}

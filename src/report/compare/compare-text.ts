import { visibleText } from '../../core/visible-text.js';
import { tableLines } from '../aligned-text.js';
import { counted } from '../notation.js';
import { wrapWords } from '../wrap-words.js';
import type { Change } from './change.js';
import type { Check, CompareReport } from './compare-results.js';
import { type ComparedRow, isDifferent } from './compared-row.js';
import type { MetricTable } from './comparison.js';
import { chanceText, differenceText, figureTexts, shareText } from './figure-text.js';
import type { Metric } from './metrics.js';
import type { Pairing } from './side.js';

/** How a comparison is printed. */
export interface TextStyle {
  /** Characters of a line. */
  readonly width: number;
  readonly colour: boolean;
  /** Also rows without a difference. */
  readonly all: boolean;
}

/** Metrics that one line names. */
const MOST_NAMED = 8;

const GAP = '  ';

/** A comparison for people. */
export function compareText(report: CompareReport, style: TextStyle): string {
  const shown = report.tables.filter(({ rows }) => style.all || rows.some(isWorthShowing));
  const same = report.tables.filter((table) => !shown.includes(table) && table.rows.length > 0);
  return [
    headText(report),
    ...shown.map((table) => tableText(table, style)),
    ...listText(
      'the same in every cell',
      same.map(({ metric }) => metric.name),
      style.width,
    ),
    ...listText('differ too, --metric shows them', report.unshown, style.width),
    report.notes.map((note) => noteText(note, style.width)).join(''),
    checksText(report, style),
  ]
    .filter((part) => part !== '')
    .join('\n');
}

/** A note behind a star. */
function noteText(note: string, width: number): string {
  const lines = wrapWords(visibleText(note), width - 2);
  return lines.map((line, index) => `${index === 0 ? '*' : ' '} ${line}\n`).join('');
}

function headText({ pairing, differing }: CompareReport): string {
  const count = pairing.pairs.length;
  const same = count - differing;
  const outcome =
    same === count
      ? 'the same in every exact figure'
      : `${differing} ${differing === 1 ? 'differs' : 'differ'} in an exact figure, ${same} ${same === 1 ? 'does' : 'do'} not`;
  return `${sidesText(pairing)}${counted(count, 'cell')} compared: ${outcome}\n`;
}

function sidesText({ old, new: new_, baseline }: Pairing): string {
  const nameOf = ({ results }: Pairing['old']): string => `${results.path} (kvabench ${results.run.version})`;
  if (baseline !== undefined)
    return `${visibleText(nameOf(old))}: each backend (new) against ${visibleText(baseline)} (old)\n`;
  return `old: ${visibleText(nameOf(old))}\nnew: ${visibleText(nameOf(new_))}\n`;
}

function isWorthShowing(row: ComparedRow): boolean {
  return row.differing > 0;
}

function tableText({ metric, rows, mean }: MetricTable, style: TextStyle): string {
  const shown = rows.filter((row) => style.all || isWorthShowing(row));
  const columns = columnsOf(metric, shown);
  const figures = shown.map((row) => columns.map(({ text }) => text(row)));
  const meanRow = mean === undefined ? [] : [columns.map(({ meanText }) => meanText?.(mean) ?? '')];
  const lines = tableLines({
    rows: [
      ['workload', 'backend', ...columns.map(({ head }) => head)],
      ...shown.map((row, index) => [row.workload, row.backend, ...figures[index]!]),
      ...meanRow.map((fields) => ['geomean', '', ...fields]),
    ],
    alignments: ['left', 'left', ...columns.map(() => 'right' as const)],
    gap: GAP,
    keys: 2,
    width: style.width,
  });
  const coloured = lines.map(({ text, row }) => colourLine(text, shown[(row ?? 0) - 1], metric, style));
  const left = rows.length - shown.length;
  const rest = left === 0 ? '' : `${counted(left, 'row')} without a difference\n`;
  return `${titleOf(metric)}\n${coloured.join('\n')}\n${rest}${meanNote(rows, mean)}`;
}

function titleOf({ name, unit, better }: Metric): string {
  const parts = [unit === '1' ? '' : unit, better === 'none' ? '' : `${better} is better`];
  const text = parts.filter((part) => part !== '').join(', ');
  return text === '' ? name : `${name}: ${text}`;
}

/** A mean over some of the rows must say so. */
function meanNote(rows: readonly ComparedRow[], mean: MetricTable['mean']): string {
  if (mean === undefined || mean.rows === rows.length) return '';
  return `geomean: of the ${mean.rows} of ${rows.length} rows that are above 0 on both sides\n`;
}

/** A column of a table of one metric. */
interface TextColumn {
  readonly head: string;
  text(row: ComparedRow): string;
  meanText?(mean: Change): string;
}

function columnsOf({ unit, timing }: Metric, rows: readonly ComparedRow[]): TextColumn[] {
  const figure = (side: 0 | 1) => (change: Change) => figureTexts(change.old, change.new, unit)[side];
  const isTested = rows.some(({ p }) => p !== undefined);
  const single = rows.every(({ seeds }) => seeds.length === 1);
  const isOneSeed = new Set(rows.flatMap(({ seeds }) => seeds)).size <= 1;
  return [
    ...(single && !isOneSeed ? [{ head: 'seed', text: ({ seeds }: ComparedRow) => String(seeds[0]) }] : []),
    { head: 'old', text: figure(0), meanText: figure(0) },
    { head: 'new', text: figure(1), meanText: figure(1) },
    { head: 'change', text: (row) => changeText(row, unit), meanText: ({ relative }) => shareText(relative) },
    ...(isTested ? [{ head: '95 % interval', text: (row: ComparedRow) => intervalText(row, unit) }] : []),
    ...(timing === undefined ? [] : [{ head: 'A', text: ({ effect }: ComparedRow) => effect!.toFixed(2) }]),
    ...(isTested ? [chanceColumn(timing !== undefined)] : []),
    {
      head: 'n',
      text: ({ samples: [old, new_] }) => (timing === undefined ? String(old) : `${old}+${new_}`),
    },
  ];
}

function chanceColumn(isCorrected: boolean): TextColumn {
  return isCorrected
    ? { head: 'p (Holm)', text: ({ pHolm }) => chanceText(pHolm) }
    : { head: 'p', text: ({ p }) => chanceText(p) };
}

/** `=` for exact figures without a difference, `~` for times that the test does not tell apart, as benchstat has it. */
function changeText(row: ComparedRow, unit: string): string {
  if (row.differing === 0) return '=';
  if (!isDifferent(row)) return '~';
  return Number.isFinite(row.relative) || Number.isNaN(row.relative)
    ? shareText(row.relative)
    : differenceText(row.absolute, unit);
}

function intervalText({ interval, p }: ComparedRow, unit: string): string {
  if (p === undefined) return '';
  if (interval === undefined) return '±∞';
  const text = (bound: number): string =>
    interval.of === 'relative' ? shareText(bound) : differenceText(bound, unit);
  return `${text(interval.low)} … ${text(interval.high)}`;
}

const GREEN = '\u001b[32m';
const RED = '\u001b[31m';
const PLAIN = '\u001b[0m';

function colourLine(line: string, row: ComparedRow | undefined, metric: Metric, style: TextStyle): string {
  if (!style.colour || row === undefined || metric.better === 'none' || !isDifferent(row)) return line;
  if (Number.isNaN(row.absolute) || row.absolute === 0) return line;
  const isBetter = row.absolute < 0 === (metric.better === 'less');
  return `${isBetter ? GREEN : RED}${line}${PLAIN}`;
}

function listText(what: string, names: readonly string[], width: number): string[] {
  if (names.length === 0) return [];
  const rest = names.length > MOST_NAMED ? ` and ${names.length - MOST_NAMED} more` : '';
  const lines = wrapWords(`${what}: ${names.slice(0, MOST_NAMED).join(', ')}${rest}`, width);
  return [`${lines.join('\n')}\n`];
}

function checksText({ checks, unchecked }: CompareReport, style: TextStyle): string {
  const lines = checks.flatMap((check) => checkLines(check));
  const failed = unchecked.map((cell) => `FAILED: no result to check of ${visibleText(cell)}`);
  return [...lines, ...failed].map((line) => `${colourCheck(line, style)}\n`).join('');
}

function checkLines({ condition, rows }: Check): string[] {
  if (rows.length === 0) return [`passed: ${condition.text}`];
  return rows.map((row) => {
    const change =
      condition.of === 'relative'
        ? shareText(row.relative)
        : differenceText(row.absolute, condition.metric.unit);
    const seed = row.seeds.length === 1 ? `, seed ${row.seeds[0]}` : '';
    return visibleText(`FAILED: ${condition.text}: '${row.workload}' on '${row.backend}'${seed}: ${change}`);
  });
}

function colourCheck(line: string, { colour }: TextStyle): string {
  return colour && line.startsWith('FAILED') ? `${RED}${line}${PLAIN}` : line;
}

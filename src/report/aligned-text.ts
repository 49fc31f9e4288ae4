import Table from 'cli-table3';
import { visibleText } from '../core/visible-text.js';
import { shorten } from './notation.js';
import { wrapWords } from './wrap-words.js';

type Alignment = 'left' | 'right';
type Rows = readonly (readonly string[])[];

/** A table as text. */
export interface TextTable {
  /** The head first; all of one length. */
  readonly rows: Rows;
  readonly alignments: readonly Alignment[];
  /** What stands between columns. */
  readonly gap: string;
  /** Leading columns that say what a row is about; one where nothing else is said. */
  readonly keys?: number;
  /** Characters that a line may have; any number where nothing is said. */
  readonly width?: number;
}

/** A line of a table, and the row that it belongs to: 0 for the head, none between two parts. */
export interface TableLine {
  readonly text: string;
  readonly row: number | undefined;
}

const NO_LINES = {
  top: '',
  'top-mid': '',
  'top-left': '',
  'top-right': '',
  bottom: '',
  'bottom-mid': '',
  'bottom-left': '',
  'bottom-right': '',
  left: '',
  'left-mid': '',
  mid: '',
  'mid-mid': '',
  right: '',
  'right-mid': '',
};

/** Fewest characters that are left of a shortened key. */
const NARROWEST_KEY = 12;
/** Fewest characters of a line of prose. */
const NARROWEST_PROSE = 24;

/** The lines of `tableLines` without their rows. */
export function alignedLines(table: TextTable): string[] {
  return tableLines(table).map(({ text }) => text);
}

/**
 * Rows as lines of aligned text, without rules, colours or trailing blanks; every character shows. Where the width does
 * not suffice, keys are shortened in the middle, or the prose of a last column is broken between words, or the columns
 * stand in several parts below each other that all begin with the keys: whatever takes the fewest lines.
 */
export function tableLines(table: TextTable): TableLine[] {
  const whole = { ...table, rows: table.rows.map((row) => row.map(visibleText)) };
  const { width = Number.POSITIVE_INFINITY, keys = 1 } = table;
  if (lineWidth(whole) <= width) return aligned(whole);
  const ways = [narrowed(whole, width, keys), wrapped(whole, width), folded(whole, width, keys)];
  return ways
    .filter((lines) => lines !== undefined)
    .reduce((best, lines) => (lines.length < best.length ? lines : best));
}

function aligned({ rows, alignments, gap }: TextTable): TableLine[] {
  const table = new Table({
    chars: { ...NO_LINES, middle: gap },
    style: { 'padding-left': 0, 'padding-right': 0, head: [], border: [] },
    colAligns: [...alignments],
  });
  for (const row of rows) table.push([...row]);
  const owners = rows.flatMap((row, index) => {
    const height = Math.max(...row.map((cell) => cell.split('\n').length));
    return Array.from({ length: height }, () => index);
  });
  const texts = table.toString().split('\n');
  return texts.map((text, line) => ({ text: text.trimEnd(), row: owners[line] }));
}

/** With shorter keys; undefined where that does not suffice, or would make two rows look alike. */
function narrowed(table: TextTable, width: number, keys: number): TableLine[] | undefined {
  const widths = columnWidths(table.rows);
  const gaps = (widths.length - 1) * table.gap.length;
  const room = width - gaps - sum(widths.slice(keys));
  const shares = sharesOf(widths.slice(0, keys), room);
  if (shares.some((share, key) => share < Math.min(NARROWEST_KEY, widths[key]!))) return undefined;
  const rows = withKeys(table.rows, shares);
  return rows === undefined ? undefined : aligned({ ...table, rows });
}

/** With the last column in several lines; undefined where that is no prose, or has no room. */
function wrapped(table: TextTable, width: number): TableLine[] | undefined {
  const widths = columnWidths(table.rows);
  const last = widths.length - 1;
  const room = width - sum(widths.slice(0, last)) - last * table.gap.length;
  if (table.alignments[last] !== 'left' || room < NARROWEST_PROSE) return undefined;
  return aligned({ ...table, rows: withProse(table.rows, last, room) });
}

/** In parts, each with the keys and as many of the other columns as there is room for, at least one. */
function folded(table: TextTable, width: number, keys: number): TableLine[] {
  const { gap, alignments } = table;
  const keyWidths = columnWidths(table.rows).slice(0, keys);
  const keyRoom = Math.floor(width / 2) - (keys - 1) * gap.length;
  const rows = withKeys(table.rows, sharesOf(keyWidths, keyRoom)) ?? table.rows;
  const widths = columnWidths(rows);
  const room = width - sum(widths.slice(0, keys)) - (keys - 1) * gap.length;
  const needed = widths.slice(keys).map((column) => gap.length + column);
  return balancedParts(needed, room).flatMap((columns, part) => {
    const chosen = [...widths.slice(0, keys).keys(), ...columns.map((column) => keys + column)];
    const picked = rows.map((row) => chosen.map((column) => row[column]!));
    const last = chosen.length - 1;
    const isProse = columns.length === 1 && alignments[chosen[last]!] === 'left';
    const lines = aligned({
      rows: isProse ? withProse(picked, last, room - gap.length) : picked,
      alignments: chosen.map((column) => alignments[column]!),
      gap,
    });
    return part === 0 ? lines : [{ text: '', row: undefined }, ...lines];
  });
}

/** Parts as few as can be, and then as equal: the narrowest room that makes no more of them. */
function balancedParts(widths: readonly number[], room: number): number[][] {
  const fewest = partsOf(widths, room).length;
  let least = Math.max(...widths);
  while (least < room && partsOf(widths, least).length > fewest) least++;
  return partsOf(widths, Math.min(least, room));
}

/** Columns of these widths divided into parts of at most `room` characters; one that is wider stands alone. */
function partsOf(widths: readonly number[], room: number): number[][] {
  const parts: number[][] = [];
  let left = 0;
  for (const [column, width] of widths.entries()) {
    if (width <= left) parts.at(-1)!.push(column);
    else {
      parts.push([column]);
      left = room;
    }
    left -= width;
  }
  return parts;
}

/** Widths of columns that share some room: none gets more than it needs, the others the same. */
function sharesOf(widths: readonly number[], room: number): number[] {
  const shares = [...widths];
  let left = room;
  const ascending = [...widths.keys()].sort((a, b) => widths[a]! - widths[b]!);
  for (const [taken, column] of ascending.entries()) {
    shares[column] = Math.min(widths[column]!, Math.floor(left / (widths.length - taken)));
    left -= shares[column]!;
  }
  return shares;
}

/** Rows with keys of at most these widths; undefined where rows of different keys would have the same. */
function withKeys(rows: Rows, widths: readonly number[]): Rows | undefined {
  const shortened = rows.map((row) =>
    row.map((cell, column) => (column < widths.length ? shorten(cell, widths[column]!) : cell)),
  );
  const distinct = (of: Rows): number =>
    new Set(of.map((row) => JSON.stringify(row.slice(0, widths.length)))).size;
  return distinct(shortened) < distinct(rows) ? undefined : shortened;
}

function withProse(rows: Rows, column: number, width: number): Rows {
  return rows.map((row) => row.map((cell, at) => (at === column ? wrapWords(cell, width).join('\n') : cell)));
}

function lineWidth({ rows, gap }: TextTable): number {
  const widths = columnWidths(rows);
  return sum(widths) + (widths.length - 1) * gap.length;
}

function columnWidths(rows: Rows): number[] {
  return rows[0]!.map((_, column) => rows.reduce((most, row) => Math.max(most, row[column]!.length), 0));
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

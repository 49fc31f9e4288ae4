import type { Field } from '../probe/contract.js';
import type { PageScript } from './page-script.js';
import type { ReportData } from './report-data.js';

/**
 * A part of a report. It says what there is to see, apart from any format; undefined where the results have nothing
 * for it. Texts are data: whoever renders them escapes them.
 */
export interface ReportSection {
  /** Anchor, and the beginning of the names of its figures. */
  readonly id: string;
  readonly title: string;
  /** @throws InputError for tables that are broken. */
  render(data: ReportData): readonly Block[] | undefined;
}

export type Block = Paragraph | DataTable | FigureGroup | CommandLine | Interactive;

export interface Paragraph {
  readonly kind: 'paragraph';
  readonly text: string;
}

/** A command that repeats something. */
export interface CommandLine {
  readonly kind: 'command';
  readonly text: string;
}

export interface DataTable {
  readonly kind: 'table';
  readonly caption: string;
  readonly columns: readonly TableColumn[];
  readonly rows: readonly (readonly TableCell[])[];
  readonly notes: readonly string[];
}

export interface TableColumn {
  readonly name: string;
  readonly align: 'left' | 'right';
  /** What its figures are; '' where the name says it. */
  readonly meaning: string;
}

export interface TableCell {
  readonly text: string;
  /** Behind the text and less important, for example a range. */
  readonly detail?: string;
  /** What a sort goes by; the text where it is absent. */
  readonly value?: number;
  /** Best of its column. */
  readonly best?: boolean;
  /** It does not count. */
  readonly faint?: boolean;
  /** Shown on pointing at it, where the text is a short form. */
  readonly hint?: string;
  /** Number of the backend whose colour stands before the text. */
  readonly backend?: number;
}

/** Figures of one measure, usually one per workload. */
export interface FigureGroup {
  readonly kind: 'figures';
  readonly title: string;
  /** What is drawn, with its definition. */
  readonly definition: string;
  /** Numbers of the backends that the legend names. */
  readonly legend: readonly number[];
  readonly figures: readonly Figure[];
}

export interface Figure {
  /** Name of its file, unique in a report: letters, digits and `-`. */
  readonly id: string;
  readonly title: string;
  /** What it shows, for those who cannot see it. */
  readonly description: string;
  /** The SVG element, without the legend. */
  svg(): string;
  /** Backends that the legend of its own file names, where they are not those of its group. */
  readonly legend?: readonly number[];
  /** Its figures, a column name each in the first row. */
  readonly data: readonly (readonly Field[])[];
  /** What a terminal shows of it. */
  readonly lines: readonly SparkLine[];
  /** Command lines that give the results which it shows. */
  readonly command: string;
}

export interface SparkLine {
  readonly label: string;
  readonly values: readonly number[];
  /** Behind the line, for example its last value. */
  readonly text: string;
}

/** Something that a script makes alive. */
export interface Interactive {
  readonly kind: 'interactive';
  /** HTML of our own making, with every text in it escaped. */
  readonly markup: string;
  readonly scripts: readonly PageScript[];
  /** CSS rules that the markup needs besides those of every page. */
  readonly style: string;
  /** What formats without scripts show, and HTML above the markup. */
  readonly fallback: readonly Exclude<Block, Interactive>[];
  /** What a terminal of so many columns shows below that, in lines. */
  lines(columns: number): readonly string[];
}

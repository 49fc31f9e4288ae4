import type { Backend } from '../backend/contract.js';
import type { Simulation } from '../core/simulation.js';
import type { GuestLimits } from './guest-limits.js';
import type { RequestFigures } from './request-figures.js';

/** What a column means; repeated in docs/results.md and datapackage.json. */
export interface Column {
  readonly name: string;
  /** `1` is a ratio, which may be fractional; bytes, ns and counts are integers unless they are means or measured. */
  readonly unit: 'bytes' | 'byte-hours' | 'ns' | 'count' | '1' | 'text' | 'ns/event' | 'events/s';
  /** Exact columns are byte-identical for the same inputs on any machine; measured ones never share their file. */
  readonly kind: 'exact' | 'measured';
  readonly better: 'less' | 'more' | 'none';
  readonly description: string;
  /** Aggregates over the sample points that summary.csv has beside the value at the end. */
  readonly aggregates?: readonly Aggregate[];
}

export type Aggregate = 'peak' | 'mean';

/** What a probe may look at. */
export interface RunView {
  readonly simulation: Simulation;
  readonly backend: Backend;
  readonly requests: RequestFigures;
  /** Only of workloads that have the locked-memory limits of their guests followed. */
  readonly guestLimits?: GuestLimits;
}

/** A field of a table; NaN is an empty one. */
export type Field = string | number;

/** Reads a table of figures that has a number of rows of its own, and never changes anything. */
export interface TableProbe {
  /** Name of the file without `.csv`. */
  readonly name: string;
  readonly title: string;
  /** Whether it is read at every sample point or at the end of the run only. */
  readonly when: 'sample' | 'end';
  readonly columns: readonly Column[];
  /** Columns that together name a row among those of one cell and sample. */
  readonly key: readonly string[];
  /**
   * Whether a backend has what the table is about; without it, every backend has. The results of one that has not, and
   * so their digests, are the same as if there were no such table.
   */
  concerns?(backend: Backend): boolean;
  /** For what only some backends or workloads have: results in which no cell has a row are without the file. */
  readonly isOptional?: true;
  /** The rows at this time, in the order of `columns`. */
  rows(run: RunView): Field[][];
}

/** Reads figures at sample points and never changes anything. */
export interface Probe {
  readonly name: string;
  readonly columns: readonly Column[];
  /** Fills `row[at + i]` for column i. Ratios without a denominator are NaN, printed as empty fields. */
  sample(run: RunView, row: Float64Array, at: number): void;
}

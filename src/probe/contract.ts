import type { Backend } from '../backend/contract.js';
import type { Simulation } from '../core/simulation.js';
import type { RequestFigures } from './request-figures.js';

/** What a column means; repeated in docs/results.md and datapackage.json. */
export interface Column {
  readonly name: string;
  /** `bytes`, `ns`, `1` (ratio or count), `count`, `text`. */
  readonly unit: string;
  /** Exact columns are byte-identical for the same inputs on any machine; measured ones never share their file. */
  readonly kind: 'exact' | 'measured';
  readonly better: 'less' | 'more' | 'none';
  readonly description: string;
}

/** What a probe may look at. */
export interface RunView {
  readonly simulation: Simulation;
  readonly backend: Backend;
  readonly requests: RequestFigures;
}

/** Reads figures at sample points and never changes anything. */
export interface Probe {
  readonly name: string;
  readonly columns: readonly Column[];
  /** Fills `row[at + i]` for column i. Ratios without a denominator are NaN, printed as empty fields. */
  sample(run: RunView, row: Float64Array, at: number): void;
}

import type { Address } from '../../core/address.js';
import type { GoldenCase, TableRow } from './golden-case.js';

/** What differs after an operation whose answer is more than one address. */
export interface Difference {
  readonly what: string;
  readonly wanted: string;
  readonly got: string;
}

/** A model under test in the course of a case. */
export interface OracleModel {
  /**
   * Carries out operations `from` to `to` (exclusive) and stops at the first whose result is not the vector's.
   * Returns the row of that one, with our result in `lastResult`, or `to`. This is the loop that is timed.
   */
  advance(from: number, to: number): number;
  readonly lastResult: number;
  /** Says instead of `lastResult` what was different, if answers are not single addresses. */
  readonly lastDifference?: Difference | undefined;
  /** Our version of a row that a checkpoint table has now; only modelled columns. */
  checkpoint(table: string, wanted: TableRow): TableRow;
  /** Our version of a whole table as of now, one text line per row, header excluded. */
  wholeTable(table: string): readonly string[];
  /** The tags around some addresses in the arena, for people; all of them without addresses. */
  dump(arena: string, around?: readonly Address[]): string;
}

/** A case with its operations decoded, of which any number of models can be started. */
export interface PreparedCase {
  /** A fresh model. `recording`: whether what only checkpoints need is to be kept as well. */
  start(recording: boolean): OracleModel;
}

/** How a family of golden cases is replayed: one file per oracle, one line in the registry. */
export interface Oracle {
  /** Name in case.json. */
  readonly name: string;
  /** Tables with a `seq` column, compared row by row after that operation. */
  readonly checkpointTables: readonly string[];
  /** Tables compared whole before the first operation. */
  readonly initialTables: readonly string[];
  /** Tables compared whole after the last operation. */
  readonly finalTables: readonly string[];
  /** Tables without which a case proves too little; unless given, those that FORMAT.md asks for. */
  requiredTables?(golden: GoldenCase): readonly string[];
  /** Columns of the case's checkpoint tables that are not modelled, with the reason. */
  unmodelled(golden: GoldenCase): Readonly<Record<string, string>>;
  /** Why a case cannot be replayed, or undefined if it can. */
  skipReason(golden: GoldenCase): string | undefined;
  prepare(golden: GoldenCase): PreparedCase;
  /** A larger model that the same vectors are held against once the first has passed. */
  readonly companion?: Oracle;
}

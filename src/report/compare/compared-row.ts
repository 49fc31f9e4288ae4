import type { Change } from './change.js';

/** A line of a comparison: what became of a metric of one backend under one workload. */
export interface ComparedRow extends Change {
  readonly workload: string;
  readonly backend: string;
  /** Seeds that are in it. */
  readonly seeds: readonly number[];
  /** Independent observations on each side: seeds that say something of their own, or timed processes. */
  readonly samples: readonly [old: number, new: number];
  /** Cells whose figures differ at all. */
  readonly differing: number;
  /** Cells with a figure on one side only, which are in no other number. */
  readonly oneSided: number;
  /** p corrected by Holm's method for the number of tests in the table. */
  readonly pHolm?: number | undefined;
  /** Of timed rows: chance that a process of the new side takes longer than one of the old, see `MannWhitney`. */
  readonly effect?: number | undefined;
}

/** Significance level of the tests. */
export const LEVEL = 0.05;

/** Whether a row tells its sides apart: exact figures by any difference, times by the corrected test. */
export function isDifferent(row: ComparedRow): boolean {
  if (row.effect === undefined) return row.differing > 0;
  return row.pHolm !== undefined && row.pHolm < LEVEL;
}

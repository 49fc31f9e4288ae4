import { inspect } from 'node:util';
import { InputError } from '../core/errors.js';
import { type CellResult, runCell } from './cell.js';
import type { CellPlan } from './plan.js';
import type { Registries } from './registries.js';

/** Why a cell has no result. Plain data: an error would lose its class on the way between threads. */
export interface CellFailure {
  /** One line. */
  readonly message: string;
  /** The whole error: stack, cause, every argument or the dump of the model's state. */
  readonly detail: string;
}

/** What running a cell came to. */
export type CellAnswer = { readonly result: CellResult } | { readonly failure: CellFailure };

/** Runs a cell; whatever it throws is its failure, so that other cells can go on. */
export function attemptCell(plan: CellPlan, registries: Registries): CellAnswer {
  try {
    return { result: runCell(plan, registries) };
  } catch (error) {
    return { failure: failureOf(error) };
  }
}

/** The failure that a thrown value stands for. The message of bad input speaks for itself; others get their class. */
export function failureOf(error: unknown): CellFailure {
  const text = error instanceof InputError ? error.message : String(error);
  return { message: text.split('\n', 1)[0]!, detail: `${inspect(error, { depth: 6 })}\n` };
}

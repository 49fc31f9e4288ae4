import { InputError } from '../core/errors.js';
import { withSameFile } from './backend-files.js';
import { type CellResult, runCell } from './cell.js';
import type { CellPlan } from './plan.js';
import { REGISTRIES } from './registries.js';

/** What a worker answers; an error's class would be lost on the way between threads. */
export type CellAnswer = { readonly result: CellResult } | { readonly badInput: string };

/** Entry point of worker threads. */
export default async function answerCell(plan: CellPlan): Promise<CellAnswer> {
  const { file } = plan.backend;
  try {
    const registries = file === undefined ? REGISTRIES : await withSameFile(REGISTRIES, file);
    return { result: runCell(plan, registries) };
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    return { badInput: error.message };
  }
}

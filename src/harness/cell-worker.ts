import { attemptCell, type CellAnswer, failureOf } from './attempt-cell.js';
import { withSameFile } from './backend-files.js';
import type { CellPlan } from './plan.js';
import { REGISTRIES } from './registries.js';

/** Entry point of worker threads. */
export default async function answerCell(plan: CellPlan): Promise<CellAnswer> {
  const { file } = plan.backend;
  try {
    const registries = file === undefined ? REGISTRIES : await withSameFile(REGISTRIES, file);
    return attemptCell(plan, registries);
  } catch (error) {
    return { failure: failureOf(error) };
  }
}

import { attemptCell, type CellAnswer } from './attempt-cell.js';
import type { CellPlan } from './plan.js';
import { REGISTRIES } from './registries.js';

/** Entry point of worker threads. */
export default function answerCell(plan: CellPlan): CellAnswer {
  return attemptCell(plan, REGISTRIES);
}

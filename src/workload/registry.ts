import { unknownName } from '../core/suggest.js';
import { churn } from './churn.js';
import type { WorkloadDefinition } from './definition.js';
import { replay } from './replay.js';

export type { Parameters, WorkloadDefinition } from './definition.js';

/** Every workload, by name. */
export const WORKLOADS: readonly WorkloadDefinition[] = [churn, replay];

/** @throws InputError if there is no workload of that name; it suggests the nearest one. */
export function findWorkload(name: string): WorkloadDefinition {
  const found = WORKLOADS.find((definition) => definition.name === name);
  if (found !== undefined) return found;
  throw unknownName(
    'workload',
    name,
    WORKLOADS.map((definition) => definition.name),
  );
}

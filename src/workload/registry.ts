import { churn } from './churn.js';
import type { WorkloadDefinition } from './definition.js';
import { guest } from './guest.js';
import { kstack } from './kstack.js';
import { replay } from './replay.js';

export type { Parameters, WorkloadDefinition } from './definition.js';

/** Every workload, by name. */
export const WORKLOADS: readonly WorkloadDefinition[] = [churn, guest, kstack, replay];

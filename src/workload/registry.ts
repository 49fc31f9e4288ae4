import { adversary } from './adversary.js';
import { churn } from './churn.js';
import type { WorkloadDefinition } from './definition.js';
import { guest } from './guest.js';
import { kmem } from './kmem.js';
import { kstack } from './kstack.js';
import { netbsdPools } from './netbsd-pools.js';
import { replay } from './replay.js';
import { threadsAndHeap } from './threads-and-heap.js';
import { vmallocSuite } from './vmalloc-suite.js';

export type { Parameters, WorkloadDefinition } from './definition.js';

/** Every workload, by name. */
export const WORKLOADS: readonly WorkloadDefinition[] = [
  adversary,
  churn,
  guest,
  kmem,
  kstack,
  netbsdPools,
  replay,
  threadsAndHeap,
  vmallocSuite,
];

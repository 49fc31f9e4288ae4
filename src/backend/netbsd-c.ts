import type { BackendDefinition } from './contract.js';
import { createThreadHeap, THREAD_PARAMETERS } from './netbsd-b.js';
import { pageArena } from './netbsd-heap.js';

/**
 * Option c of the thread: b, and on top of heap_va the arena heap_page, without quantum caches, which maps pages when it
 * imports. So every allocation of kmem, malloc, poolPage and interrupt is an import of exactly its length: two tags more,
 * and its span goes back with the free. The rest is as in netbsd-b (spec netbsd-vmem-uvm §3, S).
 */
export const netbsdC: BackendDefinition = {
  name: 'netbsd-c',
  summary: 'NetBSD, option c of 2011: b with a further arena on top that maps pages on import',
  heldBy: ['netbsd-vmem', 'netbsd-uvm-map'],
  parameters: THREAD_PARAMETERS,
  create: (parameters, environment) =>
    createThreadHeap(parameters, environment, (system, heapVa) => pageArena(system, 'heap_page', heapVa)),
};

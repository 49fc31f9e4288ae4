import { Type } from '@sinclair/typebox';
import type { VmemArena } from '../arena/netbsd-vmem/arena.js';
import type { VmemSystem } from '../arena/netbsd-vmem/system.js';
import type { BackendDefinition, BackendEnvironment, Parameters } from './contract.js';
import {
  bootVmem,
  entryAbi,
  HEAP_PARAMETERS,
  heapBesideMap,
  heapBytesOf,
  kernelRange,
  type NetbsdHeap,
  pageArena,
  qcacheParameter,
} from './netbsd-heap.js';

/** Parameters of options b and c. */
export const THREAD_PARAMETERS = Type.Object(
  {
    ...HEAP_PARAMETERS,
    qcache_max: qcacheParameter(4, 'heap_va', 'what fits the counts of the thread; 16 landed'),
  },
  { additionalProperties: false },
);

/**
 * Option b of the thread of 2011 on NetBSD's kernel memory: one static entry of kernel_map holds a heap that vmem manages.
 *
 * heap → heap_va (quantum caches); heap → vmem-va (16 times what is asked for) → vmem-meta for vmem's and pool(9)'s own
 * structures. heap_va takes kmem, malloc, poolPage and interrupt; kernel_map beside the heap takes va, kstack (u-areas) and
 * pageable, an entry each unless neighbours merge. The thread tells the arenas (spec netbsd-vmem-uvm §3, S), not the sizes;
 * the internal arena is that of the change that landed (A).
 */
export const netbsdB: BackendDefinition = {
  name: 'netbsd-b',
  summary: 'NetBSD, option b of 2011: one map entry for a heap of vmem arenas with quantum caches',
  heldBy: ['netbsd-vmem', 'netbsd-uvm-map'],
  parameters: THREAD_PARAMETERS,
  create: (parameters, environment) => createThreadHeap(parameters, environment, (_system, heapVa) => heapVa),
};

/** Boots heap and heap_va; `onTop` answers the arena that clients take pages from. */
export function createThreadHeap(
  parameters: Parameters,
  environment: BackendEnvironment,
  onTop: (system: VmemSystem, heapVa: VmemArena) => VmemArena,
): NetbsdHeap {
  const { base, limit } = kernelRange(parameters);
  const bytes = heapBytesOf(parameters);
  const system = bootVmem(environment, parameters, { name: 'heap', base, bytes });
  const heapVa = pageArena(system, 'heap_va', system.kmem, Number(parameters.qcache_max));
  const pages = onTop(system, heapVa);
  const rest = { base: base + bytes, limit };
  return heapBesideMap(system, pages, rest, entryAbi(parameters, false), environment);
}

import { Type } from '@sinclair/typebox';
import type { BackendDefinition } from './contract.js';
import {
  bootVmem,
  entryAbi,
  HEAP_PARAMETERS,
  heapBesideMap,
  heapBytesOf,
  kernelRange,
  pageArena,
  qcacheParameter,
} from './netbsd-heap.js';

/**
 * NetBSD's kernel memory as it landed in February 2012 (uvm_km_bootstrap; spec netbsd-vmem-uvm §1.12, §2.8).
 *
 * kmem → kva (quantum caches up to 16 pages); kmem → vmem-va → vmem-meta for the structures of vmem and pool(9). kva takes
 * kmem, malloc, poolPage and interrupt; kernel_map beside it takes va, kstack (u-areas) and pageable. That is netbsd-b with
 * other names, larger quantum caches, and map entries of 144 (88) bytes.
 */
export const netbsd2012: BackendDefinition = {
  name: 'netbsd-2012',
  summary: 'NetBSD as of February 2012: vmem arenas kmem and kva, quantum caches up to 16 pages',
  heldBy: ['netbsd-vmem', 'netbsd-uvm-map'],
  parameters: Type.Object(
    { ...HEAP_PARAMETERS, qcache_max: qcacheParameter(16, 'kva', 'as landed') },
    { additionalProperties: false },
  ),
  create(parameters, environment) {
    const { base, limit } = kernelRange(parameters);
    const bytes = heapBytesOf(parameters);
    const system = bootVmem(environment, parameters, { name: 'kmem', base, bytes });
    const kva = pageArena(system, 'kva', system.kmem, Number(parameters.qcache_max));
    const rest = { base: base + bytes, limit };
    return heapBesideMap(system, kva, rest, entryAbi(parameters, true), environment);
  },
};

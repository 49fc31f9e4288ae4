import { Type } from '@sinclair/typebox';
import type { BackendDefinition } from './contract.js';
import {
  bootVmem,
  entryAbi,
  entryPool,
  KERNEL_PARAMETERS,
  kernelRange,
  NetbsdHeap,
  pageArena,
  qcacheParameter,
} from './netbsd-heap.js';
import { KernelMap } from './netbsd-kernel-map.js';
import { ArenaRanges } from './netbsd-ranges.js';

/** The map has one entry that nothing ever removes, that of the kernel image. */
const STATIC_ENTRIES = 1;

/**
 * What Yamamoto proposed in the thread of 2011: vmem is the only allocator of kernel addresses, and kernel_map is there for
 * faults alone.
 *
 * kernel_va covers all of the kernel behind its image and has no quantum caches. On it are kmem (quantum caches), which takes
 * kmem, malloc and poolPage; kmem_intrsafe (quantum caches), which takes interrupt; and vmem-va → vmem-meta for the structures
 * of vmem and pool(9). kernel_va itself takes va, kstack and pageable; only what is pageable is entered into kernel_map as
 * well, at the address that it got. Sizes and quantum caches are assumptions (spec netbsd-vmem-uvm §3).
 */
export const netbsdYamamoto: BackendDefinition = {
  name: 'netbsd-yamamoto',
  summary:
    "NetBSD, Yamamoto's proposal of 2011: one arena for all addresses, map entries only for what may fault",
  heldBy: ['netbsd-vmem', 'netbsd-uvm-map'],
  parameters: Type.Object(
    {
      ...KERNEL_PARAMETERS,
      qcache_max: qcacheParameter(16, 'kmem" and "kmem_intrsafe', 'assumption, as landed in 2012'),
    },
    { additionalProperties: false },
  ),
  create(parameters, environment) {
    const { base, limit } = kernelRange(parameters);
    const system = bootVmem(environment, parameters, { name: 'kernel_va', base, bytes: limit - base });
    const root = system.kmem;
    const qcachePages = Number(parameters.qcache_max);
    const pages = pageArena(system, 'kmem', root, qcachePages);
    const interrupt = pageArena(system, 'kmem_intrsafe', root, qcachePages);
    const abi = entryAbi(parameters, false);
    const entries = entryPool(system, pages, abi);
    const kernelMap = new KernelMap({
      base,
      limit,
      abi,
      entries,
      groups: system.pools.groups,
      staticEntries: STATIC_ENTRIES,
      source: root.name,
      lock: environment.simulation.locks.create('kernel map'),
    });
    const ranges = new ArenaRanges(root, kernelMap, environment.constraints);
    return new NetbsdHeap(system, { root, pages, interrupt, kernelMap, ranges }, entries, environment);
  },
};

import { Type } from '@sinclair/typebox';
import { OptionAStack } from '../arena/netbsd-option-a/stack.js';
import { CountedPoolView } from '../arena/netbsd-pool/view.js';
import { UVM_ABIS } from '../arena/uvm-map/abi.js';
import { MOST_CACHED_PAGES } from '../arena/uvm-map/kva-ranges.js';
import type { BackendDefinition, BackendEnvironment, Parameters } from './contract.js';
import { mapOptions, NETBSD_MAP_PARAMETERS, NetbsdMaps } from './netbsd-maps.js';

/**
 * Option a of the thread of 2011. kmem: pool caches on kernel_map's KVA cache below a page, kernel_map's KVA caches above.
 * malloc: buckets and ranges from kmem_map's KVA caches. poolPage and interrupt: the KVA caches of kernel_map and kmem_map.
 * va, kstack, pageable: uvm_km_alloc on kernel_map (see NetbsdMaps). pool(9)'s own structures: straight from kmem_map.
 */
export const netbsdA: BackendDefinition = {
  name: 'netbsd-a',
  summary: 'option a of the NetBSD thread of 2011: kernel maps, with KVA caches for kmem and malloc as well',
  heldBy: ['netbsd-uvm-map'],
  exceptions: [
    {
      promise: 'after everything is freed only caches hold anything',
      reason: 'pages of map entries stay, and so do the structures of slabs and chunks that caches hold',
    },
  ],
  parameters: Type.Object(
    {
      ...NETBSD_MAP_PARAMETERS,
      kva_cache_pages: Type.Integer({
        minimum: 1,
        maximum: MOST_CACHED_PAGES,
        default: 1,
        description:
          'longest range, in pages, that KVA caches serve; above 1 an assumption, chunks have 32 pages',
      }),
    },
    { additionalProperties: false },
  ),
  create: createNetbsdA,
};

function createNetbsdA(values: Parameters, environment: BackendEnvironment): NetbsdMaps {
  const stack = new OptionAStack({
    ...mapOptions(values, environment),
    abi: UVM_ABIS[values.abi as keyof typeof UVM_ABIS],
    cpus: environment.simulation.cpus,
    cachedPages: Number(values.kva_cache_pages),
  });
  const { uvm, kmem, malloc, kernelRanges, kmemMapRanges } = stack;
  const { kmemMap, structures } = uvm;
  kmemMap.caches.push(...malloc.buckets);
  for (const pool of [structures.groups, ...structures.headerPools]) {
    kmemMap.caches.push(new CountedPoolView(pool, kmemMap.name));
  }
  const layers = {
    uvm,
    kmem,
    malloc,
    poolPages: kernelRanges,
    interruptPages: kmemMapRanges,
    set cpu(cpu: number) {
      stack.cpu = cpu;
    },
    reclaim: () => stack.reclaim(),
  };
  return new NetbsdMaps(layers, [], values, environment);
}

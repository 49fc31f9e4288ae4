import { Type } from '@sinclair/typebox';
import { CountedPoolView } from '../arena/netbsd-pool/view.js';
import { OLD_ABIS } from '../arena/netbsd-stack-2011/abi.js';
import { Stack2011 } from '../arena/netbsd-stack-2011/stack.js';
import { VmemView } from '../arena/netbsd-vmem/view.js';
import { KvaRanges } from '../arena/uvm-map/kva-ranges.js';
import { type EventHandler, Priority, type Simulation } from '../core/simulation.js';
import { SECOND } from '../core/units.js';
import type { BackendDefinition, BackendEnvironment, Parameters } from './contract.js';
import { mapOptions, NETBSD_MAP_PARAMETERS, NetbsdMaps } from './netbsd-maps.js';

/** How often the worker looks at the hash table of kmem(9). */
const REHASH_INTERVAL = 10 * SECOND;

/**
 * NetBSD before the change, as 5.2 has it. kmem: kmem(9) on the arena "kmem" of the old vmem, which imports from kernel_map.
 * malloc: buckets and ranges of kmem_map. poolPage and interrupt: single pages through the KVA caches of kernel_map and
 * kmem_map, longer ones straight from the map. va, kstack, pageable: uvm_km_alloc on kernel_map (see NetbsdMaps).
 */
export const netbsd2011: BackendDefinition = {
  name: 'netbsd-2011',
  summary:
    'NetBSD 5.2, before the change: pool, kmem and malloc over kernel maps with merging and KVA caches',
  heldBy: ['netbsd-uvm-map'],
  exceptions: [
    {
      promise: 'after everything is freed only caches hold anything',
      reason: 'pages of map entries stay, and so do the structures of slabs and chunks that caches hold',
    },
  ],
  parameters: Type.Object(NETBSD_MAP_PARAMETERS, { additionalProperties: false }),
  create: createNetbsd2011,
};

function createNetbsd2011(values: Parameters, environment: BackendEnvironment): NetbsdMaps {
  const { simulation } = environment;
  const abi = OLD_ABIS[values.abi as keyof typeof OLD_ABIS];
  const stack = new Stack2011({ ...mapOptions(values, environment), abi, cpus: simulation.cpus });
  const { uvm, kmem, malloc } = stack;
  const { kernelMap, kmemMap, structures } = uvm;
  kmemMap.caches.push(...malloc.buckets);
  for (const pool of [structures.groups, ...structures.headerPools, stack.tagPool]) {
    kmemMap.caches.push(new CountedPoolView(pool, kmemMap.name));
  }
  kernelMap.caches.push(new CountedPoolView(stack.cacheStructures, kernelMap.name));
  new RehashWorker(stack, simulation).start();
  const layers = {
    uvm,
    kmem,
    malloc,
    poolPages: new KvaRanges(kernelMap, 1, uvm),
    interruptPages: new KvaRanges(kmemMap, 1, uvm),
    set cpu(cpu: number) {
      stack.cpu = cpu;
    },
    reclaim: () => stack.reclaim(),
  };
  return new NetbsdMaps(layers, [new VmemView(kmem.arena, abi)], values, environment);
}

/** vmem_rehash_all every ten seconds. */
class RehashWorker implements EventHandler {
  private readonly handler: number;

  constructor(
    private readonly stack: Stack2011,
    private readonly simulation: Simulation,
  ) {
    this.handler = simulation.register(this);
  }

  start(): void {
    const { simulation } = this;
    simulation.schedule(simulation.now + REHASH_INTERVAL, Priority.timer, this.handler);
  }

  fire(): void {
    this.stack.rehash();
    this.start();
  }
}

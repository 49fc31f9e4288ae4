import { Value } from '@sinclair/typebox/value';
import { beforeAll, describe, expect, it } from 'vitest';
import { PAGE_BYTES } from '../../../src/arena/uvm-map/abi.js';
import { UvmSystem } from '../../../src/arena/uvm-map/uvm-system.js';
import { NO_ADDRESS } from '../../../src/core/address.js';
import { Simulation } from '../../../src/core/simulation.js';
import { GIB, MIB } from '../../../src/core/units.js';
import type { Parameters } from '../../../src/workload/definition.js';
import { netbsdPools } from '../../../src/workload/netbsd-pools.js';

/**
 * The pools of the thread of 2011 on the maps of NetBSD 5.2: single pages from the KVA cache of kernel_map, all that is
 * longer straight from the map. Spec netbsd-vmem-uvm §3.2 works out on paper what this measures.
 */
function populate(parameters: Parameters) {
  const system = new UvmSystem({
    base: 2 ** 44,
    limit: 2 ** 44 + 8 * GIB,
    imageBytes: 16 * MIB,
    kmemMapPages: 32_768,
    submaps: [],
  });
  const { kernelMap } = system;
  const before = liveEntries(system);
  const values = Value.Default(netbsdPools.parameters, { ...parameters }) as Parameters;
  const workload = netbsdPools.create(values, 1);
  const simulation = new Simulation();
  const addresses = new Float64Array(workload.objectLimit);
  const sizes = new Float64Array(workload.objectLimit);
  let direct = 0;
  workload.start(simulation, {
    alloc(object, _cls, size) {
      const isSingle = size === PAGE_BYTES;
      const address = isSingle ? kernelMap.kvaCache!.alloc() : system.allocate(kernelMap, size, 0);
      if (!isSingle) direct++;
      addresses[object] = address;
      sizes[object] = size;
      return address !== NO_ADDRESS;
    },
    free(object) {
      const size = sizes[object]!;
      if (size === PAGE_BYTES) kernelMap.kvaCache!.free(addresses[object]!);
      else {
        system.free(kernelMap, addresses[object]!, size);
        direct--;
      }
    },
    act: () => expect.unreachable('nothing is done to a page'),
    reclaim: () => system.reclaim(kernelMap, 100),
  });
  simulation.run();
  return { system, direct, before };
}

function liveEntries({ kernelMap }: UvmSystem): number {
  return kernelMap.figures.linkedEntries + kernelMap.figures.keptEntries;
}

describe.each([
  ['fit', { mix: 'fit' }, 29_975],
  ['fit, grown to 130 % and freed back', { mix: 'fit', grow: 130 }, 29_975],
  ['mixed', { mix: 'mixed' }, 28_261],
])('the population %s', (_name, parameters, onPaper) => {
  let result: ReturnType<typeof populate>;
  beforeAll(() => {
    result = populate(parameters);
  });

  it('costs an entry for each chunk and each direct range, as on paper and within a tenth of the thread', () => {
    const { system, direct } = result;
    const entries = liveEntries(system);
    expect(Math.abs(entries / onPaper - 1)).toBeLessThan(0.1);
    expect(Math.abs(entries / 30_000 - 1)).toBeLessThan(0.1);
    expect(system.kernelMap.kvaCache!.slabs + direct).toBeGreaterThan(0.9 * onPaper);
  });

  it('has merged most of its mappings, and saved no entry by it', () => {
    const { system, direct, before } = result;
    const { kernelMap } = system;
    expect(kernelMap.figures.mergedMappings).toBeGreaterThan(0.9 * direct);
    expect(kernelMap.figures.keptEntries).toBeGreaterThan(0.5 * direct);
    const pages = liveEntries(system) - before - direct - kernelMap.kvaCache!.slabs;
    // What is left over describes pages of entries: one for each 28 others.
    expect(pages).toBeGreaterThan(0.9 * (direct / 28));
    expect(pages).toBeLessThan(1.2 * (liveEntries(system) / 28));
  });
});

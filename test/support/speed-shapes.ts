import { arenaOf, type CaseScript, operationOf } from './reference-case.js';
import type { CaseOperation } from './reference-system.js';
import { Splitmix64 } from './splitmix64.js';

const PAGE = 4096;

export interface ShapeOptions {
  readonly operations: number;
  /** Number of allocations that are kept alive. */
  readonly live: number;
  readonly seed: number;
}

/** Allocations up to the number to keep alive, then a random free and an allocation in turn; 20 ticks on the way. */
function* churn(
  arena: string,
  { operations, live, seed }: ShapeOptions,
  drawPages: (random: Splitmix64) => number,
): Generator<CaseOperation, void, string> {
  const random = new Splitmix64(seed);
  const ids: number[] = [];
  const betweenTicks = Math.floor(operations / 20);
  for (let done = 0, id = 0; done < operations; done++) {
    if (done % betweenTicks === betweenTicks - 1) yield operationOf({ op: 'update' });
    if (ids.length < live || random.below(2) === 0) {
      const size = BigInt(drawPages(random) * PAGE);
      const result = yield operationOf({ op: 'alloc', arena, id, size, flags: 'NOSLEEP' });
      if (result !== 'ENOMEM') ids.push(id);
      id++;
    } else {
      const [freed] = ids.splice(random.below(ids.length), 1);
      yield operationOf({ op: 'free', arena, id: freed! });
    }
  }
}

/** The shape of speed-1m-instantfit: one arena of 16 GiB, sizes of 1 to 64 pages by the power law P(≥ n) = n^−1.1. */
export function instantFitShape(options: ShapeOptions): CaseScript {
  return {
    name: 'speed-instantfit',
    arenas: [arenaOf({ name: 'heap0', base: '0xfffffe0000000000', size: 2 ** 34 })],
    checkpointEvery: Math.floor(options.operations / 20),
    operations: () =>
      churn('heap0', options, (random) => Math.min(64, Math.floor((1 - random.unit()) ** (-1 / 1.1)))),
  };
}

/** Weights of 1 to 8 pages, and of the 12 pages that bypass the quantum caches, in speed-1m-qcache. */
const QCACHE_PAGES = [40, 16, 10, 8, 5, 4, 3, 6, 2].flatMap((weight, index) =>
  Array<number>(weight).fill(index < 8 ? index + 1 : 12),
);

/** The shape of speed-1m-qcache: kmem_va with quantum caches of 1 to 8 pages over a heap of 1 TiB. */
export function quantumCacheShape(options: ShapeOptions): CaseScript {
  return {
    name: 'speed-qcache',
    arenas: [
      arenaOf({ name: 'heap0', base: '0xffffff0000000000', size: 2 ** 40 }),
      arenaOf({ name: 'kmem_va0', source: 'heap0', qcache_max: 8 * PAGE }),
    ],
    checkpointEvery: Math.floor(options.operations / 20),
    operations: () => churn('kmem_va0', options, (random) => random.pick(QCACHE_PAGES)),
  };
}

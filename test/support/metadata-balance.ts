import type { KernelSystem } from '../../src/arena/illumos-kernel/kernel-system.js';
import type { KmemCache } from '../../src/arena/illumos-kmem/cache.js';
import { InvariantError } from '../../src/core/errors.js';

/**
 * Checks that the structures which exist are those that arenas and caches use: spares are counted, slab structures,
 * bufctls and magazines in use match the slabs and depots, each hashed cache has one table, each cache one structure.
 * @throws InvariantError at the first that does not balance.
 */
export function metadataBalance(system: KernelSystem): void {
  const { caches, arenas } = system;
  for (const { name, spareSegments } of arenas) {
    if (spareSegments < 0) throw new InvariantError(`${name} has ${spareSegments} spare segment structures`);
  }
  const hashed = caches.filter((cache) => cache.geometry.hashed);
  const arena = (name: string) => arenas.find((candidate) => candidate.name === name)!;
  const cache = (name: string) => caches.find((candidate) => candidate.name === name)!;
  const pairs: [string, number, number][] = [
    ['slab structures', inUse(cache('kmem_slab_cache')), sum(hashed, ({ slabs }) => slabs.count)],
    ['bufctls', inUse(cache('kmem_bufctl_cache')), sum(hashed, ({ buffers }) => buffers)],
    ['bufctl tables', arena('kmem_hash').allocTags, hashed.length],
    ['cache structures', arena('kmem_cache').allocTags, caches.length],
    // The image's ten structures and those of later arenas are all entered here.
    ['arena structures', arena('vmem_vmem').allocTags, arenas.length],
    ...[1, 3, 7, 15].map((rounds): [string, number, number] => {
      const users = caches.filter(({ magazines }) => magazines.pool.rounds === rounds);
      const magazines = inUse(cache(`kmem_magazine_${rounds}`));
      return [`magazines of ${rounds}`, magazines, sum(users, (user) => user.magazines.pool.count)];
    }),
  ];
  for (const [what, exist, used] of pairs) {
    if (exist !== used) throw new InvariantError(`${what}: ${exist} exist, ${used} are used`);
  }
}

/** Objects of a cache that are with clients, not in magazines. */
function inUse(cache: KmemCache): number {
  return cache.slabs.buffersInUse - cache.magazines.roundsHeld;
}

function sum(caches: readonly KmemCache[], of: (cache: KmemCache) => number): number {
  return caches.reduce((total, cache) => total + of(cache), 0);
}

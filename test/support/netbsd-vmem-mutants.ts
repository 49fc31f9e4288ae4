import { PageList, PageTable } from '../../src/arena/netbsd-pool/page-table.js';
import { Pool } from '../../src/arena/netbsd-pool/pool.js';
import { PoolCache } from '../../src/arena/netbsd-pool/pool-cache.js';
import { VmemArena } from '../../src/arena/netbsd-vmem/arena.js';
import { BusyHash } from '../../src/arena/netbsd-vmem/busy-hash.js';
import { VmFlag } from '../../src/arena/netbsd-vmem/flags.js';
import { FreeLists } from '../../src/arena/netbsd-vmem/free-lists.js';
import { AllocSource } from '../../src/arena/netbsd-vmem/span-source.js';
import { VmemSystem } from '../../src/arena/netbsd-vmem/system.js';
import { TagSupply } from '../../src/arena/netbsd-vmem/tag-supply.js';
import { FREE_LISTS, NO_TAG, type TagTable } from '../../src/arena/netbsd-vmem/tags.js';
import { insides, replaceHidden, replaceMethod } from './mutation.js';
import type { Mutant } from './vmem-mutants.js';

type Fit = (this: VmemArena, bytes: number) => number;
type Search = (
  this: VmemArena,
  bytes: number,
  align: number,
  phase: number,
  nocross: number,
  min: number,
  max: number,
  headsOnly: boolean,
) => number;

/** The tightest segment of the lowest list that has a fit. */
function tightest(arena: VmemArena, bytes: number): number {
  const { freeLists, tags } = arena;
  for (let list = freeLists.listFrom(freeLists.listOf(bytes)); list < FREE_LISTS; ) {
    let best = NO_TAG;
    for (let tag = freeLists.first(list); tag !== NO_TAG; tag = tags.kinNext[tag]!) {
      const size = tags.size[tag]!;
      if (size >= bytes && (best === NO_TAG || size < tags.size[best]!)) best = tag;
    }
    if (best !== NO_TAG) return best;
    list = freeLists.listFrom(list + 1);
  }
  return NO_TAG;
}

/** Mistakes that a re-implementer of NetBSD's vmem may make; most are of the list in the specification. */
export const NETBSD_VMEM_MUTANTS: readonly Mutant[] = [
  {
    mistake: 'best fit takes the tightest segment',
    apply: () =>
      replaceHidden<Fit>(
        VmemArena,
        'bestFit',
        () =>
          function (this: VmemArena, bytes) {
            return tightest(this, bytes);
          },
      ),
  },
  {
    mistake: 'instant fit imports before it falls back on best fit',
    apply: () =>
      replaceHidden<(this: VmemArena, size: number, flags: number) => number>(
        VmemArena,
        'allocTag',
        (original) =>
          function (this: VmemArena, size, flags) {
            const { freeLists } = this;
            const list = freeLists.listFrom(freeLists.instantListOf(this.roundUp(size)));
            const { importSpan } = insides<{ importSpan: (bytes: number, flags: number) => boolean }>(this, [
              'importSpan',
            ]);
            const instant = (flags & VmFlag.BESTFIT) === 0;
            if (instant && list === FREE_LISTS) importSpan.call(this, this.roundUp(size), flags);
            return original.call(this, size, flags);
          },
      ),
  },
  {
    mistake: 'instant fit with constraints looks at every member',
    apply: () =>
      replaceHidden<Search>(
        VmemArena,
        'search',
        (original) =>
          function (this: VmemArena, bytes, align, phase, nocross, min, max) {
            return original.call(this, bytes, align, phase, nocross, min, max, false);
          },
      ),
  },
  {
    mistake: 'instant fit begins with the list that might fit',
    apply: () =>
      replaceMethod(
        FreeLists,
        'instantListOf',
        () =>
          function (this: FreeLists, size) {
            return this.listOf(size);
          },
      ),
  },
  {
    mistake: 'a released span does not reach the source',
    apply: () =>
      replaceMethod(AllocSource, 'returnSpan', () => () => {
        return;
      }),
  },
  {
    mistake: 'bounds rule an import out',
    apply: () =>
      replaceMethod(
        VmemArena,
        'xalloc',
        (original) =>
          function (this: VmemArena, size, align, phase, nocross, min, max, flags) {
            const bounded = min > 0 || max < 2 ** 53 - 1;
            const alignment = bounded && align === 0 ? this.quantum * 2 : align;
            return original.call(this, size, alignment, phase, nocross, min, max, flags);
          },
      ),
  },
  {
    mistake: 'the upper bound is exclusive',
    apply: () =>
      replaceMethod(
        VmemArena,
        'xalloc',
        (original) =>
          function (this: VmemArena, size, align, phase, nocross, min, max, flags) {
            return original.call(this, size, align, phase, nocross, min, Math.max(max - 1, min), flags);
          },
      ),
  },
  {
    mistake: 'the source is asked with instant fit, whatever the request says',
    apply: () =>
      replaceMethod(
        AllocSource,
        'importSpan',
        (original) =>
          function (this: AllocSource, size, flags) {
            return original.call(this, size, flags & ~VmFlag.BESTFIT);
          },
      ),
  },
  {
    mistake: 'free segments are listed last',
    apply: () =>
      replaceMethod(
        FreeLists,
        'insert',
        (original) =>
          function (this: FreeLists, tag) {
            original.call(this, tag);
            const { tags } = insides<{ tags: TagTable }>(this, ['tags']);
            const second = tags.kinNext[tag]!;
            if (second === NO_TAG) return;
            let last = second;
            while (tags.kinNext[last] !== NO_TAG) last = tags.kinNext[last]!;
            const head = tags.kinPrevious[tag]!;
            tags.kinNext[head] = second;
            tags.kinPrevious[second] = head;
            tags.kinNext[last] = tag;
            tags.kinPrevious[tag] = last;
            tags.kinNext[tag] = NO_TAG;
          },
      ),
  },
  {
    mistake: 'the hash table has a power of two of chains',
    apply: () =>
      replaceHidden<(this: BusyHash, chains: number) => void>(
        BusyHash,
        'resize',
        (original) =>
          function (this: BusyHash, chains) {
            original.call(this, 2 ** Math.floor(Math.log2(chains)));
          },
      ),
  },
  {
    mistake: 'quantum caches of close sizes are not shared',
    apply: () =>
      replaceMethod(
        VmemSystem,
        'createQuantumCaches',
        () =>
          function (this: VmemSystem, arena, quanta) {
            type Create = (arena: VmemArena, size: number, qcacheMax: number) => PoolCache;
            const { createQuantumCache } = insides<{ createQuantumCache: Create }>(this, [
              'createQuantumCache',
            ]);
            return Array.from({ length: quanta }, (_, index) => {
              return createQuantumCache.call(
                this,
                arena,
                (index + 1) * arena.quantum,
                quanta * arena.quantum,
              );
            });
          },
      ),
  },
  {
    mistake: 'slabs have no colour',
    apply: () =>
      replaceMethod(
        PageTable,
        'create',
        (original) =>
          function (this: PageTable, base, _colour, now) {
            return original.call(this, base, 0, now);
          },
      ),
  },
  {
    mistake: 'a slab that was full becomes the last of the partial ones',
    apply: () =>
      replaceMethod(
        PageTable,
        'insert',
        (original) =>
          function (this: PageTable, page, list) {
            let last: number = list;
            if (list === PageList.partial) while (this.next[last] !== 0) last = this.next[last]!;
            original.call(this, page, last);
          },
      ),
  },
  {
    mistake: 'idle slabs are released in the order in which they are found',
    apply: () =>
      replaceMethod(
        Pool,
        'reclaim',
        (original) =>
          function (this: Pool) {
            const { source } = insides<{ source: { freePage(base: number): void } }>(this, ['source']);
            const own = source.freePage.bind(source);
            const bases: number[] = [];
            source.freePage = (base) => bases.unshift(base);
            const count = original.call(this);
            source.freePage = own;
            for (const base of bases) own(base);
            return count;
          },
      ),
  },
  {
    mistake: 'groups are flushed with the oldest first',
    apply: () =>
      replaceHidden<(this: PoolCache, group: number, count: number) => void>(
        PoolCache,
        'destroy',
        (original) =>
          function (this: PoolCache, group, count) {
            const { objects, capacity } = this.groups;
            objects.subarray(group * capacity, group * capacity + count).reverse();
            original.call(this, group, count);
          },
      ),
  },
  {
    mistake: 'a full previous group goes to the depot at once',
    apply: () =>
      replaceHidden<(this: PoolCache) => boolean>(
        PoolCache,
        'loadRoom',
        (original) =>
          function (this: PoolCache) {
            type Inside = { current: number; previous: number; previousCount: number };
            const inside = insides<Inside>(this, ['current', 'previous', 'previousCount']);
            const loaded = original.call(this);
            if (inside.previous >= 0 && inside.previousCount === this.groups.capacity) {
              const { full } = insides<{ full: { push(group: number): void } }>(this, ['full']);
              full.push(inside.previous);
              inside.previous = -1;
              inside.previousCount = 0;
            }
            return loaded;
          },
      ),
  },
  {
    mistake: 'static tags do not go back to their store',
    apply: () =>
      replaceMethod(
        TagSupply,
        'give',
        (original) =>
          function (this: TagSupply, isStatic) {
            if (!isStatic) original.call(this, isStatic);
          },
      ),
  },
  {
    mistake: 'the arenas that tags come from are not refilled after others',
    apply: () =>
      replaceMethod(
        TagSupply,
        'connect',
        (original) =>
          function (this: TagSupply, pool) {
            original.call(this, pool, []);
          },
      ),
  },
  {
    mistake: 'spare tags are trimmed after an allocation as well',
    apply: () =>
      replaceMethod(
        VmemArena,
        'alloc',
        (original) =>
          function (this: VmemArena, size, flags) {
            const address = original.call(this, size, flags);
            while (this.spares.count > 60) {
              const tag = this.spares.take(flags);
              insides<{ supply: TagSupply }>(this.spares, ['supply']).supply.give(
                this.tags.origin[tag] === 1,
              );
              this.tags.destroy(tag);
            }
            return address;
          },
      ),
  },
  {
    mistake: 'a cached request takes the cache of the next larger size',
    apply: () =>
      replaceMethod(
        VmemArena,
        'alloc',
        (original) =>
          function (this: VmemArena, size, flags) {
            return original.call(
              this,
              size > this.qcacheMax ? size : this.roundUp(size) + this.quantum,
              flags,
            );
          },
      ),
  },
];

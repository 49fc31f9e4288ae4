import { VmemArena } from '../../src/arena/freebsd-vmem/arena.js';
import { BusyHash } from '../../src/arena/freebsd-vmem/busy-hash.js';
import { Cursor } from '../../src/arena/freebsd-vmem/cursor.js';
import { FreeLists } from '../../src/arena/freebsd-vmem/free-lists.js';
import { QuantumCaches } from '../../src/arena/freebsd-vmem/quantum-caches.js';
import { AllocSource, StackSlotSource } from '../../src/arena/freebsd-vmem/span-source.js';
import { SpareTags } from '../../src/arena/freebsd-vmem/spare-tags.js';
import { FREE_LISTS, NO_TAG, type TagTable } from '../../src/arena/freebsd-vmem/tags.js';
import { ZoneCache } from '../../src/arena/freebsd-vmem/zone-cache.js';
import { insides, replaceHidden, replaceMethod } from './mutation.js';
import type { Mutant } from './vmem-mutants.js';

type Fit = (this: VmemArena, bytes: number, flags: number) => number;
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
type ImportSpan = (this: VmemArena, source: object, bytes: number, align: number, flags: number) => boolean;

/** The tightest segment of the lowest list that has a fit. */
function tightest({ freeLists, tags }: VmemArena, bytes: number): number {
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

/** Mistakes that a re-implementer of FreeBSD's vmem may make; most are of the list in the specification. */
export const FREEBSD_VMEM_MUTANTS: readonly Mutant[] = [
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
    mistake: 'first fit takes the first segment that is large enough',
    apply: () =>
      replaceHidden<Fit>(
        VmemArena,
        'firstFit',
        () =>
          function (this: VmemArena, bytes, flags) {
            return insides<{ bestFit: Fit }>(this, ['bestFit']).bestFit.call(this, bytes, flags);
          },
      ),
  },
  {
    mistake: 'first fit with constraints looks at every member',
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
    mistake: 'there is a list for each number of quanta up to 31 only',
    apply: () =>
      replaceMethod(
        FreeLists,
        'listOf',
        (original) =>
          function (this: FreeLists, size) {
            const list = original.call(this, size);
            return list === 31 ? 32 : list;
          },
      ),
  },
  {
    mistake: 'the rest behind an allocation gets the new tag, and is listed before the front',
    apply: () =>
      replaceHidden<(this: VmemArena, tag: number, front: number, bytes: number) => number>(
        VmemArena,
        'carve',
        (original) =>
          function (this: VmemArena, tag, front, bytes) {
            const taken = original.call(this, tag, front, bytes);
            const before = this.tags.previous[taken]!;
            if (front > 0) {
              this.freeLists.remove(before);
              this.freeLists.insert(before);
            }
            return taken;
          },
      ),
  },
  {
    mistake: 'what merges at the cursor is filed by its new size',
    apply: () =>
      replaceMethod(
        FreeLists,
        'enlarge',
        (original) =>
          function (this: FreeLists, tag, absorbed) {
            original.call(this, tag, absorbed);
            const { tags } = insides<{ tags: TagTable }>(this, ['tags']);
            this.remove(tag);
            this.insert(tag);
            return tags;
          },
      ),
  },
  {
    mistake: 'nothing merges at the cursor',
    apply: () => replaceMethod(Cursor, 'mergeNeighbours', () => () => NO_TAG),
  },
  {
    mistake: 'next fit leaves the cursor behind what it found',
    apply: () =>
      replaceMethod(
        Cursor,
        'moveBehind',
        (original) =>
          function (this: Cursor, tag) {
            original.call(this, tag, 0);
          },
      ),
  },
  {
    mistake: 'an aligned request imports no more than its size',
    apply: () =>
      replaceHidden<ImportSpan>(
        VmemArena,
        'importSpan',
        (original) =>
          function (this: VmemArena, source, bytes, _align, flags) {
            return original.call(this, source, bytes, this.quantum, flags);
          },
      ),
  },
  {
    mistake: 'spans that touch stay apart',
    apply: () =>
      replaceHidden<(this: VmemArena, base: number, size: number, type: number) => void>(
        VmemArena,
        'addFree',
        (original) =>
          function (this: VmemArena, base, size, type) {
            const arena = insides<{ releasesSpans: boolean }>(this, ['releasesSpans']);
            const { releasesSpans } = arena;
            arena.releasesSpans = true;
            original.call(this, base, size, type);
            arena.releasesSpans = releasesSpans;
          },
      ),
  },
  {
    mistake: 'a released span does not reach the source',
    apply: () =>
      replaceMethod(AllocSource, 'releaseSpan', () => () => {
        return;
      }),
  },
  {
    mistake: 'a stack arena begins with the first byte that it imported',
    apply: () =>
      replaceMethod(
        StackSlotSource,
        'importSpan',
        (original) =>
          function (this: StackSlotSource, size, flags) {
            const start = original.call(this, size, flags);
            return start - (start % 2 ** 21);
          },
      ),
  },
  {
    mistake: 'a failing request drains nothing',
    apply: () =>
      replaceMethod(QuantumCaches, 'drain', () => () => {
        return;
      }),
  },
  {
    mistake: 'a failing request drains the buckets of CPUs as well',
    apply: () =>
      replaceMethod(
        QuantumCaches,
        'drain',
        () =>
          function (this: QuantumCaches) {
            this.drainCpus();
          },
      ),
  },
  {
    mistake: 'address 0 enters a quantum cache',
    apply: () =>
      replaceMethod(
        VmemArena,
        'free',
        () =>
          function (this: VmemArena, address, size) {
            if (size <= this.quantumCaches.most) this.quantumCaches.put(address, size);
            else this.xfree(address, size);
          },
      ),
  },
  {
    mistake: 'buckets are released newest first',
    apply: () =>
      replaceHidden<(this: ZoneCache, bucket: number) => void>(
        ZoneCache,
        'releaseItems',
        (original) =>
          function (this: ZoneCache, bucket) {
            type Inside = { items: Float64Array; count: Int32Array; stride: number };
            const { items, count, stride } = insides<Inside>(this, ['items', 'count', 'stride']);
            items.subarray(bucket * stride, bucket * stride + count[bucket]!).reverse();
            original.call(this, bucket);
          },
      ),
  },
  {
    mistake: 'items leave a bucket in the order in which they were imported',
    apply: () =>
      replaceHidden<(this: ZoneCache, flags: number) => number>(
        ZoneCache,
        'importBucket',
        (original) =>
          function (this: ZoneCache, flags) {
            const bucket = original.call(this, flags);
            type Inside = { items: Float64Array; count: Int32Array; stride: number };
            const { items, count, stride } = insides<Inside>(this, ['items', 'count', 'stride']);
            items.subarray(bucket * stride, bucket * stride + count[bucket]!).reverse();
            return bucket;
          },
      ),
  },
  {
    mistake: 'spare tags are trimmed to 64',
    apply: () =>
      replaceMethod(
        SpareTags,
        'trim',
        () =>
          function (this: SpareTags) {
            this.count = Math.min(this.count, 64);
          },
      ),
  },
  {
    mistake: 'a request begins with the spare tags that it needs, not with four',
    apply: () =>
      replaceMethod(
        SpareTags,
        'fill',
        () =>
          function (this: SpareTags) {
            this.count = Math.max(this.count, 3);
          },
      ),
  },
  {
    mistake: 'the hash table follows the busy tags exactly',
    apply: () =>
      replaceHidden<(this: BusyHash, chains: number) => void>(
        BusyHash,
        'resize',
        (original) =>
          function (this: BusyHash, chains) {
            original.call(this, chains / 2);
          },
      ),
  },
];

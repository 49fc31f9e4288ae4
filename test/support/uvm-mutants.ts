import { type EntryTree, HEAD, NIL } from '../../src/arena/entry-map/entry-tree.js';
import { CountedCache } from '../../src/arena/netbsd-pool/counted-cache.js';
import { CountedPool } from '../../src/arena/netbsd-pool/counted-pool.js';
import { EntryPages } from '../../src/arena/uvm-map/entry-pages.js';
import type { MapEntry } from '../../src/arena/uvm-map/entry-supply.js';
import { EntryFlag, MapFlag } from '../../src/arena/uvm-map/flags.js';
import { KvaCache } from '../../src/arena/uvm-map/kva-cache.js';
import { PooledEntries } from '../../src/arena/uvm-map/pooled-entries.js';
import { SpaceSearch } from '../../src/arena/uvm-map/space-search.js';
import { UvmMap } from '../../src/arena/uvm-map/uvm-map.js';
import { insides, replaceHidden, replaceMethod, type Undo } from './mutation.js';
import type { Mutant } from './vmem-mutants.js';

type Agrees = (this: UvmMap, row: number, flags: number, attributes: number) => boolean;
type TakeForSplit = (this: UvmMap, old: MapEntry, row: number) => MapEntry;
type Enter = (
  this: UvmMap,
  before: number,
  size: number,
  flags: number,
  attributes: number,
  entry: MapEntry,
) => boolean;

function withAgreement(
  change: (map: UvmMap, row: number, flags: number, attributes: number) => boolean,
): Undo {
  return replaceHidden<Agrees>(
    UvmMap,
    'agrees',
    (original) =>
      function (this: UvmMap, row, flags, attributes) {
        if (row === HEAD || row === NIL) return false;
        return original.call(this, row, flags, attributes) || change(this, row, flags, attributes);
      },
  );
}

/** Changes the bits of each entry that a page of entries hands out. */
function withFreshBits(cleared: number): Undo {
  return replaceMethod(
    EntryPages,
    'take',
    (original) =>
      function (this: EntryPages) {
        const entry = original.call(this);
        if (entry >= 0) this.flags[entry]! &= ~cleared;
        return entry;
      },
  );
}

const bitsOf = (map: UvmMap, row: number) => map.supply.flags[map.entryAt[row]!]!;

/** Mistakes about where ranges go and which share an entry. */
const PLACEMENT: readonly Mutant[] = [
  {
    mistake: 'alignment is ignored',
    apply: () =>
      replaceMethod(
        UvmMap,
        'map',
        (original) =>
          function (this: UvmMap, size, _align, hint, flags, attributes) {
            return original.call(this, size, 0, hint, flags, attributes);
          },
      ),
  },
  {
    mistake: 'a hint that is taken falls back to the lowest fit of the whole map',
    apply: () =>
      replaceMethod(
        SpaceSearch,
        'find',
        (original) =>
          function (this: SpaceSearch, size, align, hint, flags) {
            const { tree } = insides<{ tree: EntryTree }>(this, ['tree']);
            const isTaken = hint > 0 && hint < tree.end[tree.findEntry(hint)]!;
            return original.call(
              this,
              size,
              align,
              isTaken && (flags & MapFlag.fixed) === 0 ? 0 : hint,
              flags,
            );
          },
      ),
  },
  {
    mistake: 'a lookup leaves the hint alone',
    apply: () =>
      replaceMethod(
        SpaceSearch,
        'lookUp',
        () =>
          function (this: SpaceSearch, address) {
            return insides<{ tree: EntryTree }>(this, ['tree']).tree.findEntry(address);
          },
      ),
  },
  {
    mistake: 'first_free goes on over all entries that touch',
    apply: () =>
      replaceHidden<Enter>(
        UvmMap,
        'enter',
        (original) =>
          function (this: UvmMap, ...args) {
            const answer = original.apply(this, args);
            const { tree } = this;
            while (tree.gap[this.firstFree] === 0 && tree.next[this.firstFree] !== NIL) {
              this.firstFree = tree.next[this.firstFree]!;
            }
            return answer;
          },
      ),
  },
  {
    mistake: 'quantum and other ranges merge',
    apply: () =>
      withAgreement(
        (map, row, flags, attributes) =>
          map.attributes[row] === attributes && ((bitsOf(map, row) ^ flags) & MapFlag.noMerge) === 0,
      ),
  },
  {
    mistake: 'a range merges with a nomerge entry before or behind it',
    apply: () =>
      withAgreement(
        (map, row, flags, attributes) =>
          map.attributes[row] === attributes && ((bitsOf(map, row) ^ flags) & MapFlag.quantum) === 0,
      ),
  },
  {
    mistake: 'ranges of different protection or object merge',
    apply: () => withAgreement((map, row, flags) => ((bitsOf(map, row) ^ flags) & 3) === 0),
  },
];

/** Mistakes about the memory of entries. */
const ENTRIES: readonly Mutant[] = [
  { mistake: 'entries come without the quantum bit they had', apply: () => withFreshBits(EntryFlag.quantum) },
  { mistake: 'entries come without the nomerge bit they had', apply: () => withFreshBits(EntryFlag.noMerge) },
  {
    mistake: 'an entry that merging made superfluous is freed, quantum or not',
    apply: () =>
      replaceHidden<(this: UvmMap, entry: MapEntry) => void>(
        UvmMap,
        'giveUnused',
        () =>
          function (this: UvmMap, entry) {
            if (entry >= 0) this.supply.give(entry);
          },
      ),
  },
  {
    mistake: 'the oldest kept entry is used for a split',
    apply: () =>
      replaceHidden<TakeForSplit>(
        UvmMap,
        'takeForSplit',
        (original) =>
          function (this: UvmMap, old, row) {
            const [oldest, ...newer] = [...this.kept];
            this.kept.count = 0;
            if (oldest !== undefined) for (const entry of [...newer, oldest]) this.kept.push(entry);
            return original.call(this, old, row);
          },
      ),
  },
  {
    mistake: 'no entries are reserved for an unmap',
    apply: () =>
      replaceMethod(
        UvmMap,
        'unmap',
        () =>
          function (this: UvmMap, start, size, isQuantum) {
            const { removeRange } = insides<{
              removeRange(from: number, to: number, isQuantum: boolean): void;
            }>(this, ['removeRange']);
            removeRange.call(this, start, start + size, isQuantum);
          },
      ),
  },
  {
    mistake: 'the parts of a split keep the bits of the entry',
    apply: () =>
      replaceHidden<TakeForSplit>(
        UvmMap,
        'takeForSplit',
        (original) =>
          function (this: UvmMap, old, row) {
            const entry = original.call(this, old, row);
            this.supply.flags[entry]! |= this.supply.flags[old]! & MapFlag.noMerge;
            return entry;
          },
      ),
  },
  {
    mistake: 'the last empty page of entries is given back too',
    apply: () =>
      replaceMethod(
        EntryPages,
        'give',
        (original) =>
          function (this: EntryPages, entry) {
            original.call(this, entry);
            const inside = insides<{ listed: number; used: Int32Array; removePage(page: number): void }>(
              this,
              ['listed', 'used', 'removePage'],
            );
            const page = Math.trunc(entry / 29);
            if (inside.listed === page && inside.used[page] === 1) inside.removePage(page);
          },
      ),
  },
  {
    mistake: 'an empty page of entries is never given back',
    apply: () => replaceHidden<() => void>(EntryPages, 'removePage', () => () => {}),
  },
  {
    mistake: 'pooled entries keep their bits as those of kernel maps do',
    apply: () =>
      replaceMethod(
        PooledEntries,
        'take',
        (original) =>
          function (this: PooledEntries) {
            const before = Int8Array.from(this.flags);
            const entry = original.call(this);
            if (entry >= 0) this.flags[entry]! |= before[entry] ?? 0;
            return entry;
          },
      ),
  },
];

/** Mistakes about the KVA cache and the pools. */
const CACHES: readonly Mutant[] = [
  {
    mistake: 'chunks are not aligned',
    apply: () =>
      replaceMethod(
        UvmMap,
        'map',
        (original) =>
          function (this: UvmMap, size, align, hint, flags, attributes) {
            return original.call(this, size, align === 2 ** 17 ? 2 ** 16 : align, hint, flags, attributes);
          },
      ),
  },
  {
    mistake: 'a full chunk of which a page comes back goes behind the others',
    apply: () =>
      replaceHidden<(this: KvaCache, chunk: number, list: number) => void>(
        KvaCache,
        'list',
        (original) =>
          function (this: KvaCache, chunk, list) {
            const { heads, next, taken } = insides<{
              heads: Int32Array;
              next: Int32Array;
              taken: Int32Array;
            }>(this, ['heads', 'next', 'taken']);
            const first = heads[list]!;
            original.call(this, chunk, list);
            if (first < 0 || taken[chunk] !== 31) return;
            const { previous } = insides<{ previous: Int32Array }>(this, ['previous']);
            const second = next[first]!;
            heads[list] = first;
            previous[first] = -1;
            next[first] = chunk;
            previous[chunk] = first;
            next[chunk] = second;
            if (second >= 0) previous[second] = chunk;
          },
      ),
  },
  {
    mistake: 'page headers cost nothing',
    apply: () =>
      replaceMethod(
        CountedPool,
        'take',
        (original) =>
          function (this: CountedPool) {
            return this.name.startsWith('phpool') || original.call(this);
          },
      ),
  },
  {
    mistake: 'a pool cache takes no groups',
    apply: () =>
      replaceMethod(
        CountedCache,
        'give',
        () =>
          function (this: CountedCache) {
            insides<{ objects: CountedPool }>(this, ['objects']).objects.give();
          },
      ),
  },
];

export const UVM_MUTANTS: readonly Mutant[] = [...PLACEMENT, ...ENTRIES, ...CACHES];

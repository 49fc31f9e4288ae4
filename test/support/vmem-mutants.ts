import { VmemArena } from '../../src/arena/illumos-vmem/arena.js';
import { POLICY_FLAGS, VmFlag } from '../../src/arena/illumos-vmem/flags.js';
import { FreeLists } from '../../src/arena/illumos-vmem/free-lists.js';
import { NextFit } from '../../src/arena/illumos-vmem/next-fit.js';
import { SegmentHash } from '../../src/arena/illumos-vmem/segment-hash.js';
import { AllocSource } from '../../src/arena/illumos-vmem/span-source.js';
import { VmemSystem } from '../../src/arena/illumos-vmem/system.js';
import { ANCHOR, NO_TAG, ROTOR, Tag, type TagTable } from '../../src/arena/illumos-vmem/tags.js';
import { isPowerOfTwo } from '../../src/core/units.js';
import { insides, replaceHidden, replaceMethod, type Undo } from './mutation.js';

/** A deliberately broken model. */
export interface Mutant {
  /** The mistake, as a re-implementer may make it. */
  readonly mistake: string;
  /** Breaks the model; the result repairs it. */
  readonly apply: () => Undo;
}

type Search = (
  this: VmemArena,
  size: number,
  align: number,
  phase: number,
  nocross: number,
  minAddress: number,
  limit: number,
  flags: number,
) => number;

/** Lets `change` look at the segment that a search found, if the request has the flag and no constraint. */
function afterSearch(flag: number, change: (arena: VmemArena, found: number, size: number) => number): Undo {
  return replaceHidden<Search>(
    VmemArena,
    'search',
    (original) =>
      function (this: VmemArena, size, align, phase, nocross, min, limit, flags) {
        const found = original.call(this, size, align, phase, nocross, min, limit, flags);
        const isPlain = align === this.quantum && nocross === 0 && min === 0 && limit === 2 ** 53;
        return found !== NO_TAG && isPlain && (flags & flag) !== 0 ? change(this, found, size) : found;
      },
  );
}

/** Changes the arguments of every vmem_xalloc. */
function withConstraint(
  change: (request: { phase: number; nocross: number; max: number; flags: number }) => object,
): Undo {
  return replaceMethod(
    VmemArena,
    'xalloc',
    (original) =>
      function (this: VmemArena, size, align, phase, nocross, min, max, flags) {
        const request = { phase, nocross, max, flags };
        const { phase: p, nocross: n, max: m, flags: f } = { ...request, ...change(request) };
        return original.call(this, size, align, p, n, min, m, f);
      },
  );
}

/** Puts a listed segment where `isBefore` says among the other members of its list. */
function sortIn(freeLists: FreeLists, tag: number, isBefore: (other: number) => boolean): void {
  const { tags } = insides<{ tags: TagTable }>(freeLists, ['tags']);
  const { kinNext, kinPrevious, type } = tags;
  let place = tag;
  while (type[kinNext[place]!] !== Tag.head && !isBefore(kinNext[place]!)) place = kinNext[place]!;
  if (place === tag) return;
  const next = kinNext[tag]!;
  const previous = kinPrevious[tag]!;
  kinNext[previous] = next;
  kinPrevious[next] = previous;
  const behind = kinNext[place]!;
  kinNext[place] = tag;
  kinPrevious[tag] = place;
  kinNext[tag] = behind;
  kinPrevious[behind] = tag;
}

function relist(arena: VmemArena, tag: number): void {
  arena.freeLists.remove(tag);
  arena.freeLists.insert(tag);
}

const FREE_LIST_MUTANTS: readonly Mutant[] = [
  {
    mistake: 'free segments are listed at the tail',
    apply: () =>
      replaceMethod(
        FreeLists,
        'insert',
        (original) =>
          function (this: FreeLists, tag) {
            original.call(this, tag);
            sortIn(this, tag, () => false);
          },
      ),
  },
  {
    mistake: 'free lists are sorted by address',
    apply: () =>
      replaceMethod(
        FreeLists,
        'insert',
        (original) =>
          function (this: FreeLists, tag) {
            original.call(this, tag);
            const { tags } = insides<{ tags: TagTable }>(this, ['tags']);
            sortIn(this, tag, (other) => tags.start[other]! > tags.start[tag]!);
          },
      ),
  },
  {
    mistake: 'a segment shrunk in place moves to the head of its list',
    apply: () =>
      replaceMethod(
        VmemArena,
        'carveInPlace',
        (original) =>
          function (this: VmemArena, tag, address, size, taken, before) {
            const allocated = original.call(this, tag, address, size, taken, before);
            relist(this, tag);
            return allocated;
          },
      ),
  },
  {
    mistake: 'the left remainder is listed before the right one',
    apply: () =>
      replaceMethod(
        VmemArena,
        'carve',
        (original) =>
          function (this: VmemArena, tag, address, size) {
            const isCut = this.tags.start[tag] !== address;
            const allocated = original.call(this, tag, address, size);
            const right = this.tags.next[allocated]!;
            if (isCut && this.tags.type[right] === Tag.free) relist(this, right);
            return allocated;
          },
      ),
  },
  {
    mistake: 'freed segments do not coalesce to the left',
    apply: () =>
      replaceMethod(
        VmemArena,
        'xfree',
        (original) =>
          function (this: VmemArena, address, size) {
            const { type, previous } = this.tags;
            let freed = 0;
            this.hash.walk((tag) => {
              if (this.tags.start[tag] === address) freed = tag;
            });
            const left = previous[freed]!;
            const isFree = type[left] === Tag.free;
            if (isFree) type[left] = Tag.alloc;
            original.call(this, address, size);
            if (isFree) type[left] = Tag.free;
          },
      ),
  },
];

const POLICY_MUTANTS: readonly Mutant[] = [
  {
    mistake: 'instant fit looks into the list that might fit first',
    apply: () =>
      replaceMethod(
        VmemArena,
        'alloc',
        (original) =>
          function (this: VmemArena, size, flags) {
            const isInstant = (flags & POLICY_FLAGS) === 0 && size > this.qcacheMax && !isPowerOfTwo(size);
            return original.call(this, size, isInstant ? flags | VmFlag.FIRSTFIT : flags);
          },
      ),
  },
  {
    mistake: 'best fit takes the last of equals',
    apply: () =>
      afterSearch(VmFlag.BESTFIT, ({ tags }, found, size) => {
        const bytes = tags.end[found]! - tags.start[found]!;
        if (bytes === size) return found;
        let last = found;
        for (let tag = tags.kinNext[found]!; tags.type[tag] !== Tag.head; tag = tags.kinNext[tag]!) {
          if (tags.end[tag]! - tags.start[tag]! === bytes) last = tag;
        }
        return last;
      }),
  },
  {
    mistake: 'best fit goes on searching after an exact fit',
    apply: () =>
      afterSearch(VmFlag.BESTFIT, (arena, found, size) => {
        const { tags } = arena;
        if (tags.end[found]! - tags.start[found]! !== size) return found;
        for (let tag = found; tags.type[tag] !== Tag.head; tag = tags.kinNext[tag]!) arena.searches++;
        return found;
      }),
  },
  {
    mistake: 'first fit takes the lowest address',
    apply: () =>
      afterSearch(VmFlag.FIRSTFIT, ({ tags, freeLists }, found, size) => {
        let lowest = found;
        freeLists.walk((_list, tag) => {
          const fits = tags.end[tag]! - tags.start[tag]! >= size;
          if (fits && tags.start[tag]! < tags.start[lowest]!) lowest = tag;
        });
        return lowest;
      }),
  },
  {
    mistake: 'moving the rotor does not coalesce what it parted',
    apply: () =>
      replaceHidden<(this: NextFit, tag: number) => void>(
        NextFit,
        'advance',
        () =>
          function (this: NextFit, tag) {
            const { arena } = insides<{ arena: VmemArena }>(this, ['arena']);
            arena.tags.unlink(ROTOR);
            arena.tags.linkAfter(tag, ROTOR);
          },
      ),
  },
  {
    mistake: 'next fit begins at the front each time',
    apply: () =>
      replaceMethod(
        NextFit,
        'alloc',
        (original) =>
          function (this: NextFit, size, flags) {
            const { arena } = insides<{ arena: VmemArena }>(this, ['arena']);
            arena.tags.unlink(ROTOR);
            arena.tags.linkAfter(ANCHOR, ROTOR);
            return original.call(this, size, flags);
          },
      ),
  },
];

const CONSTRAINT_MUTANTS: readonly Mutant[] = [
  {
    mistake: 'ENDALLOC respects maxaddr',
    apply: () =>
      withConstraint(({ max, flags }) => ({ flags: max === 0 ? flags : flags & ~VmFlag.ENDALLOC })),
  },
  {
    mistake: 'maxaddr is inclusive',
    apply: () => withConstraint(({ max }) => ({ max: max === 0 ? 0 : max + 1 })),
  },
  {
    mistake: 'a request with nocross loses its phase',
    apply: () => withConstraint(({ phase, nocross }) => ({ phase: nocross === 0 ? phase : 0 })),
  },
  {
    mistake: 'nocross is ignored',
    apply: () => withConstraint(() => ({ nocross: 0 })),
  },
  {
    mistake: 'allocated segments have rounded sizes',
    apply: () => {
      const undoAlloc = replaceMethod(
        VmemArena,
        'alloc',
        (original) =>
          function (this: VmemArena, size, flags) {
            return original.call(this, this.roundUp(size), flags);
          },
      );
      const undoFree = replaceMethod(
        VmemArena,
        'free',
        (original) =>
          function (this: VmemArena, address, size) {
            original.call(this, address, this.roundUp(size));
          },
      );
      return () => {
        undoFree();
        undoAlloc();
      };
    },
  },
];

/** Flags of the request that is being served, for the mutant that lets them reach the source. */
let requested = 0;

const IMPORT_MUTANTS: readonly Mutant[] = [
  {
    mistake: 'policy flags reach the source',
    apply: () => {
      const undoAlloc = replaceMethod(
        VmemArena,
        'alloc',
        (original) =>
          function (this: VmemArena, size, flags) {
            if (this.source !== null) requested = flags & POLICY_FLAGS;
            return original.call(this, size, flags);
          },
      );
      const undoImport = replaceMethod(
        AllocSource,
        'importSpan',
        (original) =>
          function (this: AllocSource, size, align, flags) {
            return original.call(this, size, align, flags | requested);
          },
      );
      return () => {
        undoImport();
        undoAlloc();
      };
    },
  },
  {
    mistake: 'there is no least import size',
    apply: () =>
      replaceMethod(
        VmemSystem,
        'createArena',
        (original) =>
          function (this: VmemSystem, spec) {
            return Object.assign(original.call(this, spec), { minImport: 0 });
          },
      ),
  },
  {
    mistake: 'an aligned import is a quantum larger than need be',
    apply: () =>
      replaceMethod(
        AllocSource,
        'importSpan',
        (original) =>
          function (this: AllocSource, size, align, flags) {
            const extra = align > this.quantum ? this.quantum : 0;
            return original.call(this, size + extra, align, flags);
          },
      ),
  },
  {
    mistake: 'empty imported spans are kept',
    apply: () => replaceMethod(VmemArena, 'fillsImportedSpan', () => () => false),
  },
  {
    mistake: 'spans go back without a free function',
    apply: () =>
      replaceMethod(
        VmemArena,
        'fillsImportedSpan',
        () =>
          function (this: VmemArena, tag) {
            const { type, previous, next } = this.tags;
            return type[previous[tag]!] === Tag.importedSpan && this.tags.isSpan(next[tag]!);
          },
      ),
  },
  {
    mistake: 'new spans come first',
    apply: () =>
      replaceMethod(
        VmemArena,
        'addSpan',
        (original) =>
          function (this: VmemArena, base, size) {
            original.call(this, base, size);
            const { tags } = this;
            const segment = tags.previous[ANCHOR]!;
            const span = tags.previous[segment]!;
            tags.unlink(segment);
            tags.unlink(span);
            tags.linkAfter(ANCHOR, span);
            tags.linkAfter(span, segment);
          },
      ),
  },
];

const HASH_MUTANTS: readonly Mutant[] = [
  {
    mistake: 'the hash table shrinks at half, not at an eighth',
    apply: () =>
      replaceMethod(
        SegmentHash,
        'wantedBuckets',
        (original) =>
          function (this: SegmentHash, live) {
            const wanted = original.call(this, live);
            const half = this.buckets / 2;
            return wanted === this.buckets && half >= 16 && 3 * live + 4 < 2 * half ? half : wanted;
          },
      ),
  },
  {
    mistake: 'a rescale keeps the order of chains',
    apply: () =>
      replaceMethod(
        SegmentHash,
        'rescale',
        (original) =>
          function (this: SegmentHash, buckets) {
            original.call(this, buckets);
            original.call(this, buckets);
          },
      ),
  },
  {
    mistake: 'the hash ignores the upper 16 bits of addresses',
    apply: () =>
      replaceMethod(
        SegmentHash,
        'insert',
        (original) =>
          function (this: SegmentHash, tag) {
            const hash = insides<{ upperBits: Uint16Array }>(this, ['upperBits']);
            if (hash.upperBits.some((bits) => bits !== 0)) hash.upperBits = new Uint16Array(33);
            original.call(this, tag);
          },
      ),
  },
];

/** Mistakes in the segment lists, imports and the hash table. */
export const VMEM_MUTANTS: readonly Mutant[] = [
  ...FREE_LIST_MUTANTS,
  ...POLICY_MUTANTS,
  ...CONSTRAINT_MUTANTS,
  ...IMPORT_MUTANTS,
  ...HASH_MUTANTS,
];

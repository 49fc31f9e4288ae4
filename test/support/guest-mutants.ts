import { PolicySource } from '../../src/arena/illumos-vmem/span-source.js';
import { PageTables } from '../../src/arena/page-tables.js';
import { GuestSegments } from '../../src/backend/guest-segments.js';
import { roundUp } from '../../src/core/units.js';
import { insides, replaceHidden, replaceMethod } from './mutation.js';
import type { Mutant } from './vmem-mutants.js';

type OfSize = (this: GuestSegments, size: number) => number;
type Change = (this: PageTables, level: number, address: number, size: number, step: 1 | -1) => void;
type Place = (this: GuestSegments, length: number, page: number, row: number) => number;

/** Guest segments with one mistake each. */
export const GUEST_MUTANTS: readonly Mutant[] = [
  {
    mistake: 'the policy does not reach the arena',
    apply: () =>
      replaceMethod(
        PolicySource,
        'importSpan',
        () =>
          function (this: PolicySource, size, align, flags) {
            this.importedBytes = size;
            return align > this.quantum
              ? this.arena.xalloc(size, align, 0, 0, 0, 0, flags)
              : this.arena.alloc(size, flags);
          },
      ),
  },
  {
    mistake: 'what has been imported is not aligned',
    apply: () =>
      replaceMethod(
        PolicySource,
        'importSpan',
        (original) =>
          function (this: PolicySource, size, _align, flags) {
            return original.call(this, size, this.quantum, flags);
          },
      ),
  },
  {
    mistake: 'large pages do not align segments',
    apply: () =>
      replaceHidden<Place>(
        GuestSegments,
        'place',
        (original) =>
          function (length, _page, row) {
            return original.call(this, length, 4096, row);
          },
      ),
  },
  {
    mistake: 'a segment gets the largest page even where it is shorter',
    apply: () =>
      replaceHidden<OfSize>(
        GuestSegments,
        'pageOf',
        () =>
          function () {
            return insides<{ largestPage: number }>(this, ['largestPage']).largestPage;
          },
      ),
  },
  {
    mistake: 'RAM is taken for the addresses instead of the pages',
    apply: () =>
      replaceHidden<OfSize>(
        GuestSegments,
        'memoryOf',
        () =>
          function (size) {
            return this.footprint(size);
          },
      ),
  },
  {
    mistake: 'RAM does not come back',
    apply: () =>
      replaceMethod(
        GuestSegments,
        'free',
        (original) =>
          function (this: GuestSegments, address, size) {
            const inside = insides<{ memoryBytes: number }>(this, ['memoryBytes']);
            const before = inside.memoryBytes;
            original.call(this, address, size);
            inside.memoryBytes = before;
          },
      ),
  },
  {
    mistake: 'the last table of a range is not counted',
    apply: () =>
      replaceHidden<Change>(
        PageTables,
        'change',
        (original) =>
          function (level, address, size, step) {
            const reach = 2 ** (21 + 9 * level);
            const end = Math.floor((address + size - 1) / reach) * reach;
            original.call(this, level, address, end > address ? end - address : size, step);
          },
      ),
  },
  {
    mistake: 'tables are counted for each range, shared or not',
    apply: () =>
      replaceHidden<Change>(
        PageTables,
        'change',
        () =>
          function (level, address, size, step) {
            const reach = 2 ** (21 + 9 * level);
            const first = Math.floor(address / reach) * reach;
            this.tables[level]! += (step * (roundUp(address + size, reach) - first)) / reach;
          },
      ),
  },
];

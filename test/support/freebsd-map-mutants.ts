import { SplayTree } from '../../src/arena/vm-map/splay-tree.js';
import { VmMap } from '../../src/arena/vm-map/vm-map.js';
import { insides, replaceHidden, replaceMethod } from './mutation.js';
import type { Mutant } from './vmem-mutants.js';

/** The lowest address from `start` on with a gap of `length` bytes behind it, by looking at every gap; -1 if none. */
function lowestFit(tree: SplayTree, start: number, length: number): number {
  for (let entry = 0, from = tree.end[0]!; ; ) {
    const at = Math.max(from, start);
    entry = tree.next[entry]!;
    if (at + length <= tree.start[entry]!) return at;
    if (entry === 0) return -1;
    from = tree.end[entry]!;
  }
}

type AreAlike = (this: VmMap, entry: number, after: number) => boolean;
type Search = (this: VmMap, size: number, align: number, hint: number) => boolean;

/** Mistakes that a re-implementer of FreeBSD's map may make. */
export const FREEBSD_MAP_MUTANTS: readonly Mutant[] = [
  {
    mistake: 'a search looks behind the last gap',
    apply: () =>
      replaceMethod(
        SplayTree,
        'findSpace',
        () =>
          function (this: SplayTree, start, length) {
            const at = lowestFit(this, start, length);
            this.found[0] = at;
            return at >= 0;
          },
      ),
  },
  {
    mistake: 'a search begins at the lowest address, whatever the hint',
    apply: () =>
      replaceMethod(
        SplayTree,
        'findSpace',
        (original) =>
          function (this: SplayTree, _start, length) {
            return original.call(this, this.end[0]!, length);
          },
      ),
  },
  {
    mistake: 'the rest of the gap that holds the hint does not count',
    apply: () =>
      replaceMethod(
        SplayTree,
        'findSpace',
        (original) =>
          function (this: SplayTree, start, length) {
            const isFree = original.call(this, start, length);
            const at = this.found[0]!;
            if (!isFree || at !== start || start === this.end[0]) return isFree;
            const next = this.lookUp(start);
            return original.call(this, this.end[this.next[next]!]!, length);
          },
      ),
  },
  {
    mistake: 'an aligned search rounds up once and does not look again',
    apply: () =>
      replaceHidden<Search>(
        VmMap,
        'search',
        (original) =>
          function (this: VmMap, size, align, hint) {
            if (align === 0) return original.call(this, size, 0, hint);
            if (!original.call(this, size, 0, hint)) return false;
            const aligned = Math.ceil(this.tree.found[0]! / align) * align;
            return original.call(this, size, 0, aligned);
          },
      ),
  },
  {
    mistake: 'superpage alignment counts for every length',
    apply: () =>
      replaceMethod(
        VmMap,
        'findSuper',
        () =>
          function (this: VmMap, size, hint, attributes) {
            return this.find(size, 2 ** 21, hint, attributes);
          },
      ),
  },
  {
    mistake: 'entries of different protection merge',
    apply: () =>
      replaceHidden<AreAlike>(
        VmMap,
        'areAlike',
        () =>
          function (this: VmMap, entry, after) {
            return entry !== 0 && after !== 0 && this.tree.end[entry] === this.tree.start[after];
          },
      ),
  },
  {
    mistake: 'an entry does not merge with the one behind it',
    apply: () => replaceHidden<AreAlike>(VmMap, 'areAlike', () => () => false),
  },
  {
    mistake: 'an insertion that overlaps the next entry is cut off at it',
    apply: () =>
      replaceMethod(
        VmMap,
        'insert',
        (original) =>
          function (this: VmMap, start, size, attributes) {
            const { tree } = this;
            const before = tree.lookUp(start);
            const room = tree.start[tree.next[before]!]! - start;
            return original.call(this, start, room > 0 ? Math.min(size, room) : size, attributes);
          },
      ),
  },
  {
    mistake: 'a free removes whole entries',
    apply: () =>
      replaceMethod(
        VmMap,
        'remove',
        (original) =>
          function (this: VmMap, start) {
            const entry = this.tree.lookUp(start);
            original.call(this, this.tree.start[entry]!, this.tree.end[entry]! - this.tree.start[entry]!);
          },
      ),
  },
  {
    mistake: 'the part that a free cuts off loses its protection',
    apply: () =>
      replaceHidden<(this: VmMap, part: number, entry: number) => void>(
        VmMap,
        'noteCut',
        (original) =>
          function (this: VmMap, part, entry) {
            original.call(this, part, entry);
            this.attributes[part] = 0;
          },
      ),
  },
  {
    mistake: 'merging keeps the range of the entry behind',
    apply: () =>
      replaceMethod(
        SplayTree,
        'mergeIntoNext',
        (original) =>
          function (this: SplayTree, entry) {
            const after = this.next[entry]!;
            const start = this.start[after]!;
            original.call(this, entry);
            this.start[after] = start;
            return after;
          },
      ),
  },
  {
    mistake: 'the largest gap of a subtree leaves out the one at its lower edge',
    apply: () =>
      replaceHidden<(this: SplayTree, node: number) => number>(
        SplayTree,
        'freeOnLeft',
        (original) =>
          function (this: SplayTree, node) {
            const { left } = insides<{ left: Int32Array }>(this, ['left']);
            return left[node] === 0 ? 0 : original.call(this, node);
          },
      ),
  },
];

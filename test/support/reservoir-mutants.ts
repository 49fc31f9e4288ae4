import { Reservoir } from '../../src/arena/bhyve-reservoir/reservoir.js';
import { SpanSet } from '../../src/arena/bhyve-reservoir/span-set.js';
import type { SpanTable } from '../../src/arena/bhyve-reservoir/span-table.js';
import { LengthIndex } from '../../src/arena/length-index.js';
import { insides, replaceMethod } from './mutation.js';
import type { Mutant } from './vmem-mutants.js';

/** Reservoirs with one mistake each. */
export const RESERVOIR_MUTANTS: readonly Mutant[] = [
  {
    mistake: 'a longer span is cut at its low end',
    apply: () =>
      replaceMethod(
        SpanSet,
        'take',
        (original) =>
          function (this: SpanSet, want) {
            const taken = original.call(this, want);
            const { spans } = insides<{ spans: SpanTable }>(this, ['spans']);
            // The rest lies directly below: exchange the two.
            for (let row = 1; row < spans.limit; row++) {
              if (row === taken || spans.start[row]! + spans.size[row]! !== spans.start[taken]) continue;
              spans.start[taken] = spans.start[row]!;
              return taken;
            }
            return taken;
          },
      ),
  },
  {
    mistake: 'of several spans that fit, the longest is taken',
    apply: () =>
      replaceMethod(
        LengthIndex,
        'atLeast',
        (original) =>
          function (this: LengthIndex, length) {
            const found = original.call(this, length);
            return found === 0 ? found : this.last();
          },
      ),
  },
  {
    mistake: 'the shortest span is taken where none is long enough',
    apply: () =>
      replaceMethod(
        LengthIndex,
        'last',
        () =>
          function (this: LengthIndex) {
            return this.seek(0, 0);
          },
      ),
  },
  {
    mistake: 'new offsets are used although there are empty ones',
    apply: () =>
      replaceMethod(
        Reservoir,
        'add',
        (original) =>
          function (this: Reservoir, size, isTransient) {
            const { empty } = this;
            const count = Object.getOwnPropertyDescriptor(SpanSet.prototype, 'count')!;
            Object.defineProperty(empty, 'count', { ...count, get: () => 0, configurable: true });
            try {
              return original.call(this, size, isTransient);
            } finally {
              Reflect.deleteProperty(empty, 'count');
            }
          },
      ),
  },
  {
    mistake: 'transient memory stays in the reservoir',
    apply: () =>
      replaceMethod(
        Reservoir,
        'remove',
        (original) =>
          function (this: Reservoir, size, isTransient) {
            return isTransient ? true : original.call(this, size, isTransient);
          },
      ),
  },
  {
    mistake: 'transient requests are served from what is reserved',
    apply: () =>
      replaceMethod(
        Reservoir,
        'alloc',
        (original) =>
          function (this: Reservoir, size, isTransient) {
            return original.call(this, size, isTransient && size > this.freeReservedBytes);
          },
      ),
  },
  {
    mistake: 'the limit is not looked at',
    apply: () =>
      replaceMethod(
        Reservoir,
        'add',
        (original) =>
          function (this: Reservoir, size, isTransient) {
            const inside = insides<{ capacityBytes: number }>(this, ['capacityBytes']);
            inside.capacityBytes = 2 ** 53;
            return original.call(this, size, isTransient);
          },
      ),
  },
  {
    mistake: 'neighbours are not merged on a free',
    apply: () =>
      replaceMethod(
        SpanSet,
        'insert',
        () =>
          function (this: SpanSet, span) {
            const inside = insides<{ spans: SpanTable; enter(row: number): void }>(this, ['spans', 'enter']);
            this.bytes += inside.spans.size[span]!;
            inside.enter(span);
          },
      ),
  },
];

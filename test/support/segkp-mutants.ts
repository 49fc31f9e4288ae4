import { VmFlag } from '../../src/arena/illumos-vmem/flags.js';
import { SegkpBackend } from '../../src/backend/illumos-segkp.js';
import { IllumosStack } from '../../src/backend/illumos-stack.js';
import type { SegkpFigures } from '../../src/backend/segkp-view.js';
import { type Address, NO_ADDRESS } from '../../src/core/address.js';
import { RequestClass } from '../../src/core/request.js';
import { insides, replaceHidden, replaceMethod, type Undo } from './mutation.js';
import type { Mutant } from './vmem-mutants.js';

const PAGE = 4096;

interface StackInsides {
  readonly stack: { readonly segkp: { alloc(size: number, flags: number): Address } };
  readonly allocStack: (size: number) => Address;
  readonly page: number;
}

interface BackendInsides {
  threadFailed: boolean;
  heapFailed: boolean;
  threads: number;
  readonly heapArena: { readonly figures: { readonly inUseBytes: number } };
}

function changedFigures(
  change: (figures: SegkpFigures, backend: BackendInsides) => Partial<SegkpFigures>,
): Undo {
  return replaceMethod(
    SegkpBackend,
    'figures',
    (original) =>
      function (this: SegkpBackend) {
        const figures = original.call(this);
        const inside = insides<BackendInsides>(this, ['threads', 'heapArena']);
        return { ...figures, ...change(figures, inside) };
      },
  );
}

function changedAllocStack(change: (stack: StackInsides, size: number) => Address): Undo {
  return replaceHidden<(size: number) => Address>(
    IllumosStack,
    'allocStack',
    () =>
      function (this: IllumosStack, size: number) {
        return change(insides<StackInsides>(this, ['stack', 'page']), size);
      },
  );
}

/** Mistakes about segkp's own rules; those of its arenas are among the mutants of vmem. */
export const SEGKP_MUTANTS: readonly Mutant[] = [
  {
    mistake: 'a stack without a red zone in its length',
    apply: () =>
      replaceMethod(
        IllumosStack,
        'footprint',
        (original) =>
          function (this: IllumosStack, cls, size) {
            const bytes = original.call(this, cls, size);
            return cls === RequestClass.kstack ? bytes - PAGE : bytes;
          },
      ),
  },
  {
    mistake: 'the red zone above the stack',
    apply: () => replaceHidden<(cls: number) => number>(IllumosStack, 'lead', () => () => 0),
  },
  {
    mistake: 'the red zone above the stack, on both ways',
    apply: () => {
      const undo = [
        replaceHidden<(cls: number) => number>(IllumosStack, 'lead', () => () => 0),
        changedAllocStack(({ stack, page }, size) =>
          stack.segkp.alloc(Math.ceil(size / page) * page + page, VmFlag.NOSLEEP | VmFlag.BESTFIT),
        ),
      ];
      return () => {
        for (const each of undo) each();
      };
    },
  },
  {
    mistake: 'stacks by instant fit',
    apply: () =>
      changedAllocStack(({ stack, page }, size) => {
        const base = stack.segkp.alloc(Math.ceil(size / page) * page + page, VmFlag.NOSLEEP);
        return base === NO_ADDRESS ? base : base + page;
      }),
  },
  {
    mistake: 'segkp without quantum caches',
    apply: () =>
      replaceHidden<(...args: unknown[]) => unknown>(
        IllumosStack,
        'createSegkp',
        (original) =>
          function (this: IllumosStack, parameters, ...rest) {
            return original.call(this, { ...(parameters as object), segkp_qcache_max: 0 }, ...rest);
          },
      ),
  },
  {
    mistake: 'a heap failure hides that of a thread',
    apply: () =>
      replaceHidden<(cls: number, size: number) => void>(
        SegkpBackend,
        'noteFailure',
        (original) =>
          function (this: SegkpBackend, cls, size) {
            if (this.failures.length === 0) original.call(this, cls, size);
          },
      ),
  },
  {
    mistake: 'every failure is a first one',
    apply: () =>
      replaceHidden<(cls: number, size: number) => void>(
        SegkpBackend,
        'noteFailure',
        (original) =>
          function (this: SegkpBackend, cls, size) {
            Object.assign(insides<BackendInsides>(this, ['threadFailed', 'heapFailed']), {
              threadFailed: false,
              heapFailed: false,
            });
            original.call(this, cls, size);
          },
      ),
  },
  {
    mistake: 'the failing arena is that of the request, not the one that had nothing left',
    apply: () =>
      replaceMethod(
        IllumosStack,
        'rootsOf',
        () =>
          function (this: IllumosStack, cls) {
            const name = cls === RequestClass.kstack ? 'segkp' : 'heap';
            return this.arenas.filter((arena) => arena.name === name);
          },
      ),
  },
  {
    mistake: 'no bit for the red zone',
    apply: () =>
      changedFigures(({ bitmapBits }, { threads }) => ({ bitmapBits: Math.max(0, bitmapBits - threads) })),
  },
  {
    mistake: 'imports of segkp count as used heap',
    apply: () => changedFigures((_, { heapArena }) => ({ heapUsedBytes: heapArena.figures.inUseBytes })),
  },
  {
    mistake: 'a bitmap of bytes',
    apply: () => changedFigures(({ bitmapBytes }) => ({ bitmapBytes: 8 * bitmapBytes })),
  },
  {
    mistake: 'threads that exit still count',
    apply: () =>
      replaceMethod(
        SegkpBackend,
        'free',
        (original) =>
          function (this: SegkpBackend, cls, ...rest) {
            original.call(this, cls, ...rest);
            if (cls === RequestClass.kstack) insides<BackendInsides>(this, ['threads']).threads++;
          },
      ),
  },
];

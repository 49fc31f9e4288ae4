import { KmemCache } from '../../src/arena/illumos-kmem/cache.js';
import { DepotList, MagazineLayer, MagazinePool } from '../../src/arena/illumos-kmem/magazines.js';
import { quantumCacheGeometry } from '../../src/arena/illumos-kmem/slab-geometry.js';
import { SlabLayer } from '../../src/arena/illumos-kmem/slabs.js';
import { slabBytesFor } from '../../src/arena/illumos-vmem/arena.js';
import { VmemSystem } from '../../src/arena/illumos-vmem/system.js';
import { insides, replaceGetter, replaceHidden, replaceMethod } from './mutation.js';
import type { Mutant } from './vmem-mutants.js';

interface SlabInsides {
  address: Float64Array;
  used: Int32Array;
  key: Float64Array;
  slabOf: Int32Array;
  freeHead: Int32Array;
  nextBuffer: Int32Array;
  hash(buffer: number): void;
  unhash(address: number): number;
  weight(slab: number): number;
}

type Compare = (this: SlabLayer, a: number, b: number) => boolean;
type Weigh = (this: SlabLayer, slab: number) => number;

/** Turns the order of the buffers of the slab around that `taken` was just taken from. */
function reverseBuffers(layer: SlabLayer, taken: number): void {
  const members = ['address', 'slabOf', 'freeHead', 'nextBuffer', 'hash', 'unhash'] as const;
  const slabs = insides<SlabInsides>(layer, members);
  slabs.unhash(slabs.address[taken]!);
  const rows = [taken];
  let row = slabs.freeHead[slabs.slabOf[taken]!]!;
  for (; row >= 0; row = slabs.nextBuffer[row]!) rows.push(row);
  const addresses = rows.map((each) => slabs.address[each]!).reverse();
  rows.forEach((each, index) => {
    slabs.address[each] = addresses[index]!;
  });
  slabs.hash(taken);
}

const SLAB_MUTANTS: readonly Mutant[] = [
  {
    mistake: 'the slab size depends on the buffer size',
    apply: () =>
      replaceMethod(
        VmemSystem,
        'createQuantumCache',
        () =>
          function (this: VmemSystem, arena, size) {
            const geometry = quantumCacheGeometry(size, arena.quantum, slabBytesFor(size));
            return this.createCache(`${arena.name}_${size}`, size, geometry, arena);
          },
      ),
  },
  {
    mistake: 'the slab size is not rounded to a power of two',
    apply: () =>
      replaceMethod(
        VmemSystem,
        'createQuantumCache',
        () =>
          function (this: VmemSystem, arena, size) {
            const geometry = quantumCacheGeometry(size, arena.quantum, 3 * arena.qcacheMax);
            return this.createCache(`${arena.name}_${size}`, size, geometry, arena);
          },
      ),
  },
  {
    mistake: 'the lowest buffer of a new slab comes first',
    apply: () =>
      replaceMethod(
        SlabLayer,
        'addAndTake',
        (original) =>
          function (this: SlabLayer, ...args: Parameters<SlabLayer['addAndTake']>) {
            const taken = original.apply(this, args);
            reverseBuffers(this, taken);
            return taken;
          },
      ),
  },
  {
    mistake: 'the slab used last comes first',
    apply: () => {
      let uses = 0;
      const lastUse = new WeakMap<SlabLayer, number[]>();
      const undoTake = replaceMethod(
        SlabLayer,
        'give',
        (original) =>
          function (this: SlabLayer, address) {
            const given = original.call(this, address);
            const { slabOf, address: addresses } = insides<SlabInsides>(this, ['slabOf', 'address']);
            const times = lastUse.get(this) ?? [];
            lastUse.set(this, times);
            times[slabOf[addresses.indexOf(address)]!] = ++uses;
            return given;
          },
      );
      const undoCompare = replaceHidden<Compare>(
        SlabLayer,
        'comesBefore',
        () =>
          function (this: SlabLayer, a, b) {
            const times = lastUse.get(this) ?? [];
            return (times[a] ?? 0) > (times[b] ?? 0);
          },
      );
      return () => {
        undoCompare();
        undoTake();
      };
    },
  },
  {
    mistake: 'the emptiest slab comes first',
    apply: () =>
      replaceHidden<Weigh>(
        SlabLayer,
        'weight',
        (original) =>
          function (this: SlabLayer, slab) {
            return -original.call(this, slab);
          },
      ),
  },
  {
    mistake: 'the fullest slab comes first without coarse bins',
    apply: () =>
      replaceHidden<Weigh>(
        SlabLayer,
        'weight',
        () =>
          function (this: SlabLayer, slab) {
            return -insides<SlabInsides>(this, ['used']).used[slab]!;
          },
      ),
  },
  {
    mistake: 'of equal slabs the one with the highest address comes first',
    apply: () =>
      replaceHidden<Compare>(
        SlabLayer,
        'comesBefore',
        () =>
          function (this: SlabLayer, a, b) {
            const slabs = insides<SlabInsides>(this, ['key', 'weight']);
            const difference = slabs.weight(a) - slabs.weight(b);
            return difference === 0 ? slabs.key[a]! > slabs.key[b]! : difference < 0;
          },
      ),
  },
];

const MAGAZINE_MUTANTS: readonly Mutant[] = [
  {
    mistake: 'there are no magazines',
    apply: () => {
      const undoAlloc = replaceMethod(MagazineLayer, 'findRound', () => () => false);
      const undoFree = replaceMethod(
        KmemCache,
        'free',
        () =>
          function (this: KmemCache, address) {
            insides<{ freeToSlab(address: number): void }>(this, ['freeToSlab']).freeToSlab(address);
          },
      );
      return () => {
        undoFree();
        undoAlloc();
      };
    },
  },
  {
    mistake: 'magazines of page-sized buffers have 3 rounds',
    apply: () =>
      replaceMethod(
        VmemSystem,
        'createCache',
        (original) =>
          function (this: VmemSystem, ...args: Parameters<VmemSystem['createCache']>) {
            const cache = original.apply(this, args);
            const layer = insides<{ capacity: number; pool: object }>(cache.magazines, ['capacity', 'pool']);
            layer.capacity = 3;
            Object.assign(layer.pool, { rounds: 3, places: new Float64Array(48) });
            return cache;
          },
      ),
  },
  {
    mistake: 'a CPU has no previous magazine',
    apply: () =>
      replaceMethod(
        MagazineLayer,
        'push',
        (original) =>
          function (this: MagazineLayer, address) {
            original.call(this, address);
            const names = ['previous', 'previousRounds', 'capacity'] as const;
            const layer = insides<Record<(typeof names)[number], number>>(this, names);
            if (layer.previousRounds !== layer.capacity) return;
            this.full.push(layer.previous);
            layer.previous = -1;
            layer.previousRounds = -1;
          },
      ),
  },
  {
    mistake: 'all CPUs share one magazine',
    apply: () => {
      const undoRound = replaceMethod(
        MagazineLayer,
        'findRound',
        (original) =>
          function (this: MagazineLayer) {
            return original.call(this, 0);
          },
      );
      const undoRoom = replaceMethod(
        MagazineLayer,
        'findRoom',
        (original) =>
          function (this: MagazineLayer) {
            return original.call(this, 0);
          },
      );
      return () => {
        undoRoom();
        undoRound();
      };
    },
  },
  {
    mistake: 'the depot hands out its oldest magazine',
    apply: () =>
      replaceMethod(
        DepotList,
        'pop',
        (original) =>
          function (this: DepotList) {
            const { stack } = insides<{ stack: Int32Array }>(this, ['stack']);
            const oldest = stack[0]!;
            stack.copyWithin(0, 1, this.total);
            if (this.total > 0) stack[this.total - 1] = oldest;
            return original.call(this);
          },
      ),
  },
  {
    mistake: 'a reap takes the working set too',
    apply: () =>
      replaceGetter(DepotList, 'reapable', function () {
        return this.total;
      }),
  },
  {
    mistake: 'a reap takes only what lay untouched, but since the tick before last',
    apply: () =>
      replaceMethod(
        DepotList,
        'updateWorkingSet',
        () =>
          function (this: DepotList) {
            this.reapLimit = Math.min(this.reapLimit, this.min);
            this.min = this.total;
          },
      ),
  },
  {
    mistake: 'a magazine is emptied from its top',
    apply: () =>
      replaceMethod(
        MagazinePool,
        'round',
        (original) =>
          function (this: MagazinePool, magazine, index) {
            return original.call(this, magazine, this.rounds - 1 - index);
          },
      ),
  },
  {
    mistake: 'every failing request reaps, throttled or not',
    apply: () =>
      replaceMethod(
        VmemSystem,
        'requestReap',
        (original) =>
          function (this: VmemSystem, identifiers) {
            this.endThrottles();
            original.call(this, identifiers);
          },
      ),
  },
];

/** Mistakes in the quantum caches. */
export const KMEM_MUTANTS: readonly Mutant[] = [...SLAB_MUTANTS, ...MAGAZINE_MUTANTS];

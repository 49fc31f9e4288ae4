import { Type } from '@sinclair/typebox';
import { EntryMap } from '../arena/entry-map/entry-map.js';
import type { ArenaView } from '../arena/view.js';
import { type Address, NO_ADDRESS } from '../core/address.js';
import { InputError, MisuseError } from '../core/errors.js';
import type { SimulatedLock } from '../core/locks.js';
import { type ConstraintTable, REQUEST_CLASS_NAMES, RequestClass, UNCONSTRAINED } from '../core/request.js';
import { type Bytes, isPowerOfTwo, roundUp, TIB } from '../core/units.js';
import type { Backend, BackendDefinition, BackendEnvironment, Parameters } from './contract.js';
import { parseBase, requireConstraints, withLead } from './placement.js';

/**
 * Bytes of a map entry and of a map: NetBSD 5.2's vm_map_entry and vm_map, measured with the compiler on amd64 and
 * i386. They only weigh the metadata; no decision depends on them.
 */
const ABI_BYTES = {
  lp64: { entryBytes: 136, mapBytes: 288 },
  ilp32: { entryBytes: 84, mapBytes: 160 },
} as const;

const parameters = Type.Object(
  {
    merge: Type.Boolean({
      default: true,
      description: 'whether allocated ranges that touch share one entry, as in the BSD kernel maps',
    }),
    page_size: Type.Number({
      format: 'bytes',
      default: 4096,
      description: 'page, a power of two: quantum of the map "kernel", and the guard page of a stack',
    }),
    arena_base: Type.Union([Type.String(), Type.Number()], {
      default: '0xffffc90000000000',
      description: 'first address of the map "kernel" (default: where Linux on x86-64 puts its vmalloc area)',
    }),
    arena_size: Type.Number({
      format: 'bytes',
      default: 32 * TIB,
      description:
        'bytes of the map "kernel", which serves va, kstack and guest (default: 32 TiB, the vmalloc area of x86-64 with 4-level tables, so that no recorded machine exhausts it)',
    }),
    kmem_quantum: Type.Number({
      format: 'bytes',
      default: 8,
      description: 'quantum of the map "kmem", a power of two (default: 8, as kmem(9) of NetBSD on amd64)',
    }),
    kmem_size: Type.Number({
      format: 'bytes',
      default: 16 * TIB,
      description: 'bytes of the map "kmem", which lies directly above "kernel" and serves kmem',
    }),
    abi: Type.Union([Type.Literal('lp64'), Type.Literal('ilp32')], {
      default: 'lp64',
      description:
        'sizes of map and entry for the metadata: NetBSD 5.2 on amd64 (288, 136) or i386 (160, 84)',
    }),
  },
  { additionalProperties: false },
);

/**
 * The naive baseline: what a kernel gets from sorted maps alone, without caches, free lists or boundary tags.
 *
 * Two maps, each with one lock that every operation takes. "kernel" counts in pages: `va` and `guest` are rounded up
 * to pages; `kstack` is rounded up to pages and gets one guard page below the stack. "kmem" serves `kmem` byte-wise,
 * rounded up to its quantum. A constraint speaks of the address that the client gets, not of the guard page; a
 * nocross row of a stack holds for the guard page too.
 */
class FirstFitMap implements Backend {
  readonly serves = [RequestClass.kmem, RequestClass.kstack, RequestClass.va, RequestClass.guest];
  readonly arenas: readonly ArenaView[];
  private readonly kernelLock: SimulatedLock;
  private readonly kmemLock: SimulatedLock;
  private readonly constraints: ConstraintTable;
  private readonly stackConstraints: ConstraintTable;

  constructor(
    private readonly kernel: EntryMap,
    private readonly kmem: EntryMap,
    environment: BackendEnvironment,
  ) {
    this.arenas = [kernel, kmem];
    this.kernelLock = environment.simulation.locks.create('kernel map');
    this.kmemLock = environment.simulation.locks.create('kmem map');
    this.constraints = environment.constraints;
    this.stackConstraints = withLead(environment.constraints, kernel.quantum);
  }

  alloc(cls: number, size: Bytes, constraint: number): Address {
    const length = this.footprint(cls, size);
    this.lockOf(cls).acquire();
    const map = this.mapOf(cls);
    if (cls !== RequestClass.kstack) return place(map, length, this.constraints, constraint);
    const guard = place(map, length, this.stackConstraints, constraint);
    return guard === NO_ADDRESS ? NO_ADDRESS : guard + map.quantum;
  }

  free(cls: number, address: Address, size: Bytes): void {
    const length = this.footprint(cls, size);
    this.lockOf(cls).acquire();
    this.mapOf(cls).free(cls === RequestClass.kstack ? address - this.kernel.quantum : address, length);
  }

  /** The guard page of a stack is part of its footprint. */
  footprint(cls: number, size: Bytes): Bytes {
    const length = roundUp(size, this.mapOf(cls).quantum);
    return cls === RequestClass.kstack ? length + this.kernel.quantum : length;
  }

  rootsOf(cls: number): readonly ArenaView[] {
    return [this.mapOf(cls)];
  }

  /** Nothing is cached. */
  reap(): void {}

  check(): void {
    this.kernel.check();
    this.kmem.check();
  }

  private mapOf(cls: number): EntryMap {
    switch (cls) {
      case RequestClass.kmem:
        return this.kmem;
      case RequestClass.kstack:
      case RequestClass.va:
      case RequestClass.guest:
        return this.kernel;
      default:
        throw new MisuseError('request of a class that is not served', {
          cls: REQUEST_CLASS_NAMES[cls] ?? cls,
        });
    }
  }

  private lockOf(cls: number): SimulatedLock {
    return cls === RequestClass.kmem ? this.kmemLock : this.kernelLock;
  }
}

function place(map: EntryMap, length: Bytes, constraints: ConstraintTable, row: number): Address {
  return row === UNCONSTRAINED ? map.alloc(length) : map.xalloc(length, constraints, row);
}

/** Builds the two maps. @throws InputError naming the parameter that is wrong and what it may be. */
function create(values: Parameters, environment: BackendEnvironment): Backend {
  const page = requirePowerOfTwo(values, 'page_size');
  const quantum = requirePowerOfTwo(values, 'kmem_quantum');
  const alignment = Math.max(page, quantum);
  const kernelSize = requireMultiple(values, 'arena_size', alignment);
  const kmemSize = requireMultiple(values, 'kmem_size', alignment);
  requireConstraints(environment.constraints);
  const base = parseBase(
    values.arena_base as string | number,
    kernelSize + kmemSize,
    alignment,
    'arena_base',
  );
  const shared = { merge: values.merge === true, ...ABI_BYTES[values.abi as keyof typeof ABI_BYTES] };
  const kernel = new EntryMap({ name: 'kernel', base, size: kernelSize, quantum: page, ...shared });
  const kmemBase = base + kernelSize;
  const kmem = new EntryMap({ name: 'kmem', base: kmemBase, size: kmemSize, quantum, ...shared });
  return new FirstFitMap(kernel, kmem, environment);
}

function requirePowerOfTwo(values: Parameters, field: string): Bytes {
  const value = Number(values[field]);
  if (Number.isInteger(value) && value >= 1 && isPowerOfTwo(value)) return value;
  throw new InputError(`${values[field]} is no power of two`, { field, allowed: 'a power of two from 1 up' });
}

function requireMultiple(values: Parameters, field: string, unit: Bytes): Bytes {
  const value = Number(values[field]);
  if (Number.isInteger(value) && value >= unit && value % unit === 0) return value;
  throw new InputError(`${values[field]} bytes cannot be managed`, {
    field,
    allowed: `a multiple of ${unit} bytes, at least ${unit}`,
  });
}

/** Two sorted maps of entries, first fit. */
export const firstFitMap: BackendDefinition = {
  name: 'first-fit-map',
  summary: 'naive baseline: sorted maps of entries, lowest fit, no caches; merging on or off',
  parameters,
  create,
};

import { Type } from '@sinclair/typebox';
import type { ArenaRange, RangeArena } from '../arena/range-arena.js';
import type { ArenaView } from '../arena/view.js';
import { type Address, NO_ADDRESS } from '../core/address.js';
import { InputError, MisuseError } from '../core/errors.js';
import type { SimulatedLock } from '../core/locks.js';
import { type ConstraintTable, REQUEST_CLASS_NAMES, RequestClass, UNCONSTRAINED } from '../core/request.js';
import { type Bytes, isPowerOfTwo, roundUp, TIB } from '../core/units.js';
import type { Backend, BackendEnvironment, Parameters } from './contract.js';
import { parseBase, requireConstraints, withLead } from './placement.js';

/** Parameters of every backend that is made of two arenas of one kind. */
export const TWO_ARENA_PARAMETERS = {
  page_size: Type.Number({
    format: 'bytes',
    default: 4096,
    description: 'page, a power of two: quantum of the arena "kernel", and the guard page of a stack',
  }),
  arena_base: Type.Union([Type.String(), Type.Number()], {
    default: '0xffffc90000000000',
    description: 'first address of the arena "kernel" (default: where Linux on x86-64 puts its vmalloc area)',
  }),
  arena_size: Type.Number({
    format: 'bytes',
    default: 32 * TIB,
    description:
      'bytes of the arena "kernel", which serves va, kstack and guest (the vmalloc area of x86-64 with 4-level tables has 32 TiB)',
  }),
  kmem_quantum: Type.Number({
    format: 'bytes',
    default: 8,
    description: 'quantum of the arena "kmem", a power of two (kmem(9) of NetBSD on amd64: 8)',
  }),
  kmem_size: Type.Number({
    format: 'bytes',
    default: 16 * TIB,
    description: 'bytes of the arena "kmem", which lies directly above "kernel" and serves kmem',
  }),
} as const;

/** The parameter that chooses between two tables of structure sizes. */
export function abiParameter(description: string) {
  return Type.Union([Type.Literal('lp64'), Type.Literal('ilp32')], { default: 'lp64', description });
}

/**
 * Two arenas of one kind, each with one lock that every operation takes. "kernel" counts in pages: `va` and `guest`
 * are rounded up to pages; `kstack` is rounded up to pages and gets one guard page below the stack. "kmem" serves
 * `kmem` byte-wise, rounded up to its quantum. A constraint speaks of the address that the client gets, not of the
 * guard page; a nocross row of a stack holds for the guard page too.
 */
class TwoArenas implements Backend {
  readonly serves = [RequestClass.kmem, RequestClass.kstack, RequestClass.va, RequestClass.guest];
  readonly arenas: readonly ArenaView[];
  private readonly kernelLock: SimulatedLock;
  private readonly kmemLock: SimulatedLock;
  private readonly constraints: ConstraintTable;
  private readonly stackConstraints: ConstraintTable;

  constructor(
    private readonly kernel: RangeArena,
    private readonly kmem: RangeArena,
    environment: BackendEnvironment,
  ) {
    this.arenas = [kernel, kmem];
    this.kernelLock = environment.simulation.locks.create('kernel map');
    this.kmemLock = environment.simulation.locks.create('kmem map');
    this.constraints = environment.constraints;
    this.stackConstraints = withLead(environment.constraints, kernel.quantum);
  }

  alloc(cls: number, size: Bytes, constraint: number): Address {
    const length = this.lengthOf(cls, size);
    this.lockOf(cls).acquire();
    const arena = this.arenaOf(cls);
    if (cls !== RequestClass.kstack) return place(arena, length, this.constraints, constraint);
    const guard = place(arena, length, this.stackConstraints, constraint);
    return guard === NO_ADDRESS ? NO_ADDRESS : guard + arena.quantum;
  }

  free(cls: number, address: Address, size: Bytes): void {
    const length = this.lengthOf(cls, size);
    this.lockOf(cls).acquire();
    this.arenaOf(cls).free(cls === RequestClass.kstack ? address - this.kernel.quantum : address, length);
  }

  guardBytes(cls: number): Bytes {
    return cls === RequestClass.kstack ? -this.kernel.quantum : 0;
  }

  /** The guard page of a stack is part of its footprint. */
  footprint(cls: number, size: Bytes): Bytes {
    return this.arenaOf(cls).bytesFor(this.lengthOf(cls, size));
  }

  rootsOf(cls: number): readonly ArenaView[] {
    return [this.arenaOf(cls)];
  }

  /** Nothing is cached. */
  reap(): void {}

  check(): void {
    this.kernel.check();
    this.kmem.check();
  }

  /** What is asked of the arena: whole quanta, the guard page included. */
  private lengthOf(cls: number, size: Bytes): Bytes {
    const length = roundUp(size, this.arenaOf(cls).quantum);
    return cls === RequestClass.kstack ? length + this.kernel.quantum : length;
  }

  private arenaOf(cls: number): RangeArena {
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

function place(arena: RangeArena, length: Bytes, constraints: ConstraintTable, row: number): Address {
  return row === UNCONSTRAINED ? arena.alloc(length) : arena.xalloc(length, constraints, row);
}

/**
 * Builds a backend of two arenas that `make` makes.
 * @throws InputError naming the parameter that is wrong and what it may be.
 */
export function createTwoArenas(
  values: Parameters,
  environment: BackendEnvironment,
  make: (range: ArenaRange) => RangeArena,
): Backend {
  const page = requirePowerOfTwo(values, 'page_size');
  const quantum = requirePowerOfTwo(values, 'kmem_quantum');
  const alignment = Math.max(page, quantum);
  const kernelSize = requireMultiple(values, 'arena_size', alignment);
  const kmemSize = requireMultiple(values, 'kmem_size', alignment);
  requireConstraints(environment.constraints);
  const text = values.arena_base as string | number;
  const base = parseBase(text, kernelSize + kmemSize, alignment, 'arena_base');
  const kernel = make({ name: 'kernel', base, size: kernelSize, quantum: page });
  const kmem = make({ name: 'kmem', base: base + kernelSize, size: kmemSize, quantum });
  return new TwoArenas(kernel, kmem, environment);
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

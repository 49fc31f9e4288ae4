import { Type } from '@sinclair/typebox';
import { NO_REGION, Reservoir, reservoirLimit } from '../arena/bhyve-reservoir/reservoir.js';
import type { ArenaView } from '../arena/view.js';
import { type Address, NO_ADDRESS } from '../core/address.js';
import { InputError, MisuseError } from '../core/errors.js';
import type { SimulatedLock } from '../core/locks.js';
import { type ConstraintTable, REQUEST_CLASS_NAMES, RequestClass, UNCONSTRAINED } from '../core/request.js';
import { type Bytes, GIB, isPowerOfTwo, MIB, roundUp } from '../core/units.js';
import type { Backend, BackendDefinition, BackendEnvironment, Parameters } from './contract.js';
import { requireConstraints, unmetConstraint } from './placement.js';
import { MOST_HANDLED_BYTES, RegionHandles } from './region-handles.js';

const PARAMETERS = Type.Object(
  {
    physmem: Type.Number({
      format: 'bytes',
      default: 512 * GIB,
      description: 'RAM of the host, at most 64 TiB',
    }),
    page_size: Type.Number({
      format: 'bytes',
      default: 4096,
      description: 'page, a power of two from 4 KiB up',
    }),
    pages_pp_maximum: Type.Number({
      format: 'bytes',
      default: 0,
      description: 'bytes that must stay unlocked; 0: physmem/25 + 4 MiB, as the kernel has it',
    }),
    transient: Type.Boolean({
      default: true,
      description:
        'memory is added for each guest and leaves with it (as bhyve asks by default); else from `reserved`',
    }),
    reserved: Type.Number({
      format: 'bytes',
      default: 0,
      description: 'bytes set aside at the start for guests that are not transient',
    }),
    span_bytes: Type.Number({
      format: 'bytes',
      default: 72,
      description: 'structure of a span: two AVL links, offset, size and offset in the region',
    }),
  },
  { additionalProperties: false },
);

/**
 * Guest memory out of the reservoir, under its one lock. Regions have no address of their own: what a request gets is a
 * handle, see RegionHandles; where its bytes lie is in the arena.
 */
class BhyveReservoir implements Backend {
  readonly serves = [RequestClass.guest];
  readonly arenas: readonly ArenaView[];
  private readonly handles = new RegionHandles();
  private readonly lock: SimulatedLock;
  private readonly constraints: ConstraintTable;

  constructor(
    private readonly reservoir: Reservoir,
    private readonly isTransient: boolean,
    environment: BackendEnvironment,
  ) {
    this.arenas = [reservoir];
    this.lock = environment.simulation.locks.create('vmmr_lock');
    this.constraints = environment.constraints;
  }

  /** A constraint that the next handle does not meet is refused: the kernel has none here. */
  alloc(cls: number, size: Bytes, constraint: number): Address {
    requireGuest(cls);
    const length = roundUp(size, this.reservoir.quantum);
    this.lock.acquire();
    if (length > MOST_HANDLED_BYTES) return NO_ADDRESS;
    if (constraint !== UNCONSTRAINED && this.isUnmet(length, constraint)) return NO_ADDRESS;
    const region = this.reservoir.alloc(length, this.isTransient);
    return region === NO_REGION ? NO_ADDRESS : this.handles.enter(region, length);
  }

  free(cls: number, address: Address, size: Bytes): void {
    requireGuest(cls);
    this.lock.acquire();
    const region = this.handles.leave(address, roundUp(size, this.reservoir.quantum));
    if (region < 0)
      throw new MisuseError('free of what is not allocated', { arena: 'vmm_reservoir', address, size });
    this.reservoir.release(region);
  }

  footprint(_cls: number, size: Bytes): Bytes {
    return roundUp(size, this.reservoir.quantum);
  }

  rootsOf(): readonly ArenaView[] {
    return this.arenas;
  }

  /** Nothing is cached. */
  reap(): void {}

  check(): void {
    this.reservoir.check();
  }

  private isUnmet(length: Bytes, constraint: number): boolean {
    return unmetConstraint(this.constraints, constraint, this.handles.peek(length), length) !== '';
  }
}

function requireGuest(cls: number): void {
  if (cls === RequestClass.guest) return;
  throw new MisuseError('request of a class that is not served', { cls: REQUEST_CLASS_NAMES[cls] ?? cls });
}

/** bhyve's reservoir of guest memory (io/vmm/vmm_reservoir.c) [illumos@b57f5d3]. */
export const bhyveReservoir: BackendDefinition = {
  name: 'bhyve-reservoir',
  summary: 'guest memory of bhyve on illumos since 2021: spans of pages, no contiguous addresses needed',
  heldBy: ['bhyve-reservoir'],
  parameters: PARAMETERS,
  create: (values, environment) => {
    requireConstraints(environment.constraints);
    const reservoir = new Reservoir(reservoirOptions(values));
    const isTransient = values.transient as boolean;
    const reserved = roundUp(values.reserved as number, reservoir.quantum);
    if (!isTransient && reserved === 0) {
      throw new InputError('0 bytes', { field: 'reserved', allowed: 'more where transient is false' });
    }
    if (reserved > 0 && !reservoir.add(reserved, false)) {
      throw new InputError(`${reserved} bytes`, {
        field: 'reserved',
        allowed: 'at most the limit of the reservoir',
      });
    }
    return new BhyveReservoir(reservoir, isTransient, environment);
  },
};

/** @throws InputError for RAM, pages or a reserve that cannot be. */
function reservoirOptions(values: Parameters) {
  const pageSize = values.page_size as number;
  const physmem = values.physmem as number;
  if (!(pageSize >= 4096 && isPowerOfTwo(pageSize))) {
    throw new InputError(`${pageSize} bytes`, { field: 'page_size', allowed: 'a power of two from 4096 up' });
  }
  if (!(physmem >= pageSize && physmem <= MOST_HANDLED_BYTES)) {
    throw new InputError(`${physmem} bytes`, { field: 'physmem', allowed: 'from a page to 64 TiB' });
  }
  const given = values.pages_pp_maximum as number;
  const kept = given === 0 ? Math.floor(physmem / 25) + 4 * MIB : given;
  const limit = reservoirLimit(physmem, kept, pageSize);
  if (limit <= 0) {
    throw new InputError(`${kept} bytes`, {
      field: 'pages_pp_maximum',
      allowed: 'less than ten twelfths of physmem',
    });
  }
  return { limit, pageSize, spanBytes: values.span_bytes as number };
}

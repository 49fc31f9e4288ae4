import type { VmemArena } from '../arena/illumos-vmem/arena.js';
import type { Address } from '../core/address.js';
import { RequestClass } from '../core/request.js';
import type { Bytes } from '../core/units.js';
import { type Amd64Bases, amd64Bases } from '../layout/illumos-amd64.js';
import { hexAddress } from '../layout/layout.js';
import type { BackendEnvironment, Parameters } from './contract.js';
import { createGuestArena, GUEST_PARAMETERS, GuestSegments, physmemOf } from './guest-segments.js';
import type { GuestView } from './guest-view.js';
import { IllumosStack, QCACHE_PARAMETERS, STACK_PARAMETERS } from './illumos-stack.js';

const { page_size, quantum, segkp_size, abi } = STACK_PARAMETERS;

/** Parameters of stacks whose guests have no arena of their own; sizes of arenas follow from physmem. */
export const SHARED_PARAMETERS = {
  ...GUEST_PARAMETERS,
  page_size,
  quantum,
  segkp_size,
  abi,
  ...QCACHE_PARAMETERS,
} as const;

/**
 * The illumos kernel before change 12608: heap and segzio are as large as the layout makes them, there is no segkvmm, and
 * vmm_alloc_arena imports from an arena that others use, a page being its quantum.
 */
export abstract class SharedGuestStack extends IllumosStack {
  readonly guests: GuestView;
  private readonly segments: GuestSegments;

  /** @throws InputError as IllumosStack, and for RAM that no machine has. */
  constructor(parameters: Parameters, environment: BackendEnvironment) {
    const bases = basesOf(parameters);
    const size = Number(bases.ekernelheap - bases.kernelheap);
    const heap = { arena_base: hexAddress(bases.kernelheap), arena_size: size };
    super({ ...parameters, ...heap }, environment);
    this.segments = new GuestSegments(
      this.stack.guest!,
      environment.constraints,
      environment.simulation,
      parameters,
    );
    this.guests = this.segments;
  }

  override alloc(cls: number, size: Bytes, constraint: number, cpu: number): Address {
    if (cls !== RequestClass.guest) return super.alloc(cls, size, constraint, cpu);
    this.system.cpu = cpu;
    return this.segments.alloc(size, constraint);
  }

  override free(cls: number, address: Address, size: Bytes, constraint: number, cpu: number): void {
    if (cls !== RequestClass.guest) super.free(cls, address, size, constraint, cpu);
    else {
      this.system.cpu = cpu;
      this.segments.free(address, size);
    }
  }

  override footprint(cls: number, size: Bytes): Bytes {
    return cls === RequestClass.guest ? this.segments.footprint(size) : super.footprint(cls, size);
  }

  protected guestArenaOver(source: VmemArena, parameters: Parameters): VmemArena {
    return createGuestArena(this.system, source, source.quantum, parameters);
  }
}

/** The layout before change 12608 for the RAM of the parameters. @throws InputError for RAM that cannot be laid out. */
export function basesOf(parameters: Parameters): Amd64Bases {
  return amd64Bases({ physmem: BigInt(physmemOf(parameters)) }, 'before-12608');
}

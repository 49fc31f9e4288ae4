import { LAST_ADDRESS, type VmemArena } from '../arena/netbsd-vmem/arena.js';
import { VmFlag } from '../arena/netbsd-vmem/flags.js';
import { type Address, NO_ADDRESS } from '../core/address.js';
import { type ConstraintTable, RequestClass } from '../core/request.js';
import type { Bytes } from '../core/units.js';
import type { KernelMap } from './netbsd-kernel-map.js';
import { requireQuanta } from './placement.js';

/** Serves ranges of whole pages that the heap has no part in. */
export interface RangeLayer {
  alloc(cls: number, size: Bytes): Address;
  /** Under row `row` of the environment's constraints. */
  xalloc(cls: number, size: Bytes, row: number): Address;
  free(cls: number, address: Address, size: Bytes): void;
  /** Name of the arena whose addresses a class gets from here; undefined if the class does not come here. */
  rootOf(cls: number): string | undefined;
}

/** Classes that come here without a constraint. */
function isRange(cls: number): boolean {
  return cls === RequestClass.va || cls === RequestClass.kstack || cls === RequestClass.pageable;
}

/** Every range is an entry of kernel_map, wired or pageable: uvm_km_alloc of a map that has the heap beside it. */
export class MappedRanges implements RangeLayer {
  constructor(
    private readonly map: KernelMap,
    private readonly constraints: ConstraintTable,
  ) {}

  alloc(cls: number, size: Bytes): Address {
    return this.map.alloc(size, cls === RequestClass.pageable);
  }

  xalloc(cls: number, size: Bytes, row: number): Address {
    return this.map.xalloc(size, cls === RequestClass.pageable, this.constraints, row);
  }

  free(_cls: number, address: Address, size: Bytes): void {
    this.map.free(address, size);
  }

  rootOf(cls: number): string | undefined {
    return isRange(cls) ? this.map.name : undefined;
  }
}

/** Every range is a segment of one arena; only pageable ones get an entry of the map besides, for faults. */
export class ArenaRanges implements RangeLayer {
  /** @throws InputError for a phase or nocross that is no multiple of the quantum. */
  constructor(
    private readonly arena: VmemArena,
    private readonly map: KernelMap,
    private readonly constraints: ConstraintTable,
  ) {
    requireQuanta(constraints, arena.quantum);
  }

  alloc(cls: number, size: Bytes): Address {
    return this.entered(cls, this.arena.alloc(size, VmFlag.NOSLEEP), size);
  }

  /** What no address can meet is refused: vmem_xalloc asserts that it is not asked for. */
  xalloc(cls: number, size: Bytes, row: number): Address {
    const { align, phase, nocross, minAddress, maxAddress } = this.constraints;
    const { arena } = this;
    const last = maxAddress[row] === 0 ? LAST_ADDRESS : maxAddress[row]! - 1;
    const limit = nocross[row]!;
    if (minAddress[row]! > last || (limit !== 0 && (phase[row]! % limit) + size > limit)) return NO_ADDRESS;
    const alignment = Math.max(align[row]!, arena.quantum);
    const address = arena.xalloc(size, alignment, phase[row]!, limit, minAddress[row]!, last, VmFlag.NOSLEEP);
    return this.entered(cls, address, size);
  }

  free(cls: number, address: Address, size: Bytes): void {
    if (cls === RequestClass.pageable) this.map.free(address, size);
    this.arena.xfree(address, size);
  }

  rootOf(cls: number): string | undefined {
    return isRange(cls) ? this.arena.name : undefined;
  }

  private entered(cls: number, address: Address, size: Bytes): Address {
    if (address === NO_ADDRESS || cls !== RequestClass.pageable) return address;
    if (this.map.enter(address, size)) return address;
    this.arena.xfree(address, size);
    return NO_ADDRESS;
  }
}

import { type Address, NO_ADDRESS } from '../../core/address.js';
import { type Bytes, roundUp } from '../../core/units.js';
import type { VmemArena } from './arena.js';

/** Where an arena imports spans from: the import and release functions with their argument. */
export interface SpanSource {
  /** Name of the arena behind it. */
  readonly name: string;
  /** Length of the span that the last successful import brought; imports may nest. */
  readonly importedBytes: Bytes;
  /** Takes at least `size` bytes, with the flags of the request that needs them. */
  importSpan(size: Bytes, flags: number): Address;
  returnSpan(base: Address, size: Bytes): void;
}

/** Import by vmem_alloc of the source and release by vmem_free; a granule above 1 makes it a VM_XIMPORT function. */
export class AllocSource implements SpanSource {
  importedBytes = 0;
  private readonly arena: VmemArena;
  private readonly granule: Bytes;

  constructor(arena: VmemArena, granule: Bytes = 1) {
    this.arena = arena;
    this.granule = granule;
  }

  get name(): string {
    return this.arena.name;
  }

  importSpan(size: Bytes, flags: number): Address {
    const bytes = roundUp(size, this.granule);
    const base = this.arena.alloc(bytes, flags);
    if (base !== NO_ADDRESS) this.importedBytes = bytes;
    return base;
  }

  returnSpan(base: Address, size: Bytes): void {
    this.arena.free(base, size);
  }
}

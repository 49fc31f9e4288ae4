import { type Address, NO_ADDRESS } from '../../core/address.js';
import { type Bytes, roundDown } from '../../core/units.js';
import type { VmemArena } from './arena.js';
import { LAST_ADDRESS } from './placement.js';

/** Where an arena imports spans from: the import and release functions with their argument (vmem_set_import). */
export interface SpanSource {
  /** Name of the arena behind it. */
  readonly name: string;
  /** Imports are multiples of this. */
  readonly importQuantum: Bytes;
  /** Whether there is a release function. Without one, spans stay, and those that touch become one. */
  readonly releases: boolean;
  /** Takes `size` bytes, with the flags of the request that needs them; NO_ADDRESS if there are none. */
  importSpan(size: Bytes, flags: number): Address;
  /** Never called unless `releases`. */
  releaseSpan(base: Address, size: Bytes): void;
}

/** Import by vmem_alloc of the source and release by vmem_free: spans may come from its quantum caches. */
export class AllocSource implements SpanSource {
  constructor(
    private readonly arena: VmemArena,
    readonly importQuantum: Bytes,
    readonly releases: boolean,
  ) {}

  get name(): string {
    return this.arena.name;
  }

  importSpan(size: Bytes, flags: number): Address {
    return this.arena.alloc(size, flags);
  }

  releaseSpan(base: Address, size: Bytes): void {
    this.arena.free(base, size);
  }
}

/**
 * Import by vmem_xalloc with an alignment, as kernel arenas do that hand out superpages.
 * Mirrors kva_import and kva_import_domain, vm_kern.c [freebsd@5cb586b].
 */
export class AlignedSource implements SpanSource {
  /** While true nothing is imported. */
  isClosed = false;

  constructor(
    private readonly arena: VmemArena,
    readonly importQuantum: Bytes,
    readonly releases: boolean,
    private readonly align: Bytes,
  ) {}

  get name(): string {
    return this.arena.name;
  }

  importSpan(size: Bytes, flags: number): Address {
    if (this.isClosed) return NO_ADDRESS;
    return this.arena.xalloc(size, this.align, 0, 0, 0, LAST_ADDRESS, flags);
  }

  releaseSpan(base: Address, size: Bytes): void {
    this.arena.xfree(base, size);
  }
}

/** Superpage that imports of stack slots are aligned to. */
const STACK_ALIGN = 2 ** 21;

/**
 * Import of the arenas for kernel stacks of 2024: as many superpages as a slot has pages, of which the first whole slot
 * counted from the start of kernel VA begins the span; one slot of 512 is lost, whatever size was asked for.
 * Mirrors the import and release functions of the stack arenas that D38852 added to vm_glue.c in 2024 (spec §5).
 */
export class StackSlotSource implements SpanSource {
  readonly releases = true;
  readonly importQuantum: Bytes;
  private readonly bytes: Bytes;

  /** `slot`: bytes of a stack and its guard page; `page`: the page size; `base`: start of kernel VA. */
  constructor(
    private readonly arena: VmemArena,
    private readonly slot: Bytes,
    page: Bytes,
    private readonly base: Address,
  ) {
    this.bytes = (slot / page) * STACK_ALIGN;
    this.importQuantum = this.bytes - slot;
  }

  get name(): string {
    return this.arena.name;
  }

  importSpan(_size: Bytes, flags: number): Address {
    const start = this.arena.xalloc(this.bytes, STACK_ALIGN, 0, 0, 0, LAST_ADDRESS, flags);
    if (start === NO_ADDRESS) return NO_ADDRESS;
    return start + ((this.slot - ((start - this.base) % this.slot)) % this.slot);
  }

  releaseSpan(base: Address): void {
    this.arena.xfree(roundDown(base, STACK_ALIGN), this.bytes);
  }
}

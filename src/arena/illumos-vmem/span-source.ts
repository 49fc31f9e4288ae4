import type { Address } from '../../core/address.js';
import { type Bytes, roundUp } from '../../core/units.js';
import type { VmemArena } from './arena.js';
import { VmFlag } from './flags.js';

/** Where an arena imports spans from: the kernel's import and free functions with the arena they act on. */
export interface SpanSource {
  readonly arena: VmemArena;
  readonly quantum: Bytes;
  /** False where there is no free function: imported spans then stay for good. */
  readonly returnsSpans: boolean;
  /** Whether an import may bring more than was asked for (vmem_xcreate). */
  readonly mayBringMore: boolean;
  /** Length of the span that the last successful import brought; imports may nest. */
  readonly importedBytes: Bytes;
  /** Takes at least `size` bytes from the source; `align` concerns only sources that promise alignment. */
  importSpan(size: Bytes, align: Bytes, flags: number): Address;
  returnSpan(base: Address, size: Bytes): void;
}

/** What the import functions share: the source arena, its quantum, and what the last import brought. */
abstract class ArenaSource implements SpanSource {
  readonly returnsSpans: boolean = true;
  abstract readonly mayBringMore: boolean;
  importedBytes = 0;

  constructor(readonly arena: VmemArena) {}

  get quantum(): Bytes {
    return this.arena.quantum;
  }

  abstract importSpan(size: Bytes, align: Bytes, flags: number): Address;

  returnSpan(base: Address, size: Bytes): void {
    this.arena.free(base, size);
  }
}

/** Import by vmem_alloc of the source and return by vmem_free; the size may be rounded to a granularity. */
export class AllocSource extends ArenaSource {
  override readonly returnsSpans: boolean;
  readonly mayBringMore: boolean;
  private readonly granularity: Bytes;

  constructor(arena: VmemArena, { returnsSpans = true, granularity = 1 } = {}) {
    super(arena);
    this.returnsSpans = returnsSpans;
    this.mayBringMore = granularity > 1;
    this.granularity = granularity;
  }

  importSpan(size: Bytes, _align: Bytes, flags: number): Address {
    const bytes = roundUp(size, this.granularity);
    const base = this.arena.alloc(bytes, flags);
    this.importedBytes = bytes;
    return base;
  }
}

/** Import by vmem_xalloc with the request's alignment, as segkmem's large-page import does; for XALIGN arenas. */
export class AlignedSource extends ArenaSource {
  readonly mayBringMore = true;

  constructor(
    arena: VmemArena,
    private readonly granularity: Bytes,
  ) {
    super(arena);
  }

  importSpan(size: Bytes, align: Bytes, flags: number): Address {
    const bytes = roundUp(size, this.granularity);
    const base = this.arena.xalloc(bytes, Math.max(align, this.arena.quantum), 0, 0, 0, 0, flags);
    this.importedBytes = bytes;
    return base;
  }

  override returnSpan(base: Address, size: Bytes): void {
    this.arena.xfree(base, size);
  }
}

/**
 * The firewall's import: each span is taken by next fit with one guard page behind it that belongs to nobody.
 * Mirrors illumos kmem_firewall_va_alloc and kmem_firewall_va_free, kmem.c [illumos@94ab2e1].
 */
export class FirewallSource extends ArenaSource {
  readonly mayBringMore = false;

  constructor(
    arena: VmemArena,
    private readonly guard: Bytes,
  ) {
    super(arena);
  }

  importSpan(size: Bytes, _align: Bytes, flags: number): Address {
    const base = this.arena.alloc(size + this.guard, flags | VmFlag.NEXTFIT);
    this.importedBytes = size;
    return base;
  }

  override returnSpan(base: Address, size: Bytes): void {
    this.arena.free(base, size + this.guard);
  }
}

/**
 * Import of exactly what was asked for by a policy of its own, at the alignment asked for; for XALIGN arenas. The policy
 * of a request never reaches the source of its arena. An alignment above the source's quantum goes to vmem_xalloc,
 * which knows no next fit.
 */
export class PolicySource extends ArenaSource {
  readonly mayBringMore = false;

  /** @param policy one of VmFlag's policies, or 0 for instant fit */
  constructor(
    arena: VmemArena,
    private readonly policy: number,
  ) {
    super(arena);
  }

  importSpan(size: Bytes, align: Bytes, flags: number): Address {
    this.importedBytes = size;
    const all = flags | this.policy;
    return align > this.quantum
      ? this.arena.xalloc(size, align, 0, 0, 0, 0, all)
      : this.arena.alloc(size, all);
  }
}

import { type Address, NO_ADDRESS } from '../../core/address.js';
import { type Bytes, roundDown, roundUp } from '../../core/units.js';
import { RangeFigures } from '../range-arena.js';
import { KERNEL_MIN, KERNEL_PAGES, PAGE_BYTES, RESERVATION_PAGES, SUPERPAGE_BYTES } from './abi.js';
import { KvaArena, type KvaSpanSource, type KvaSupply } from './kva-arena.js';

const KERNEL_END = KERNEL_MIN + KERNEL_PAGES * PAGE_BYTES;

/** kernel_map as the kernel arena sees it: nothing is ever returned, so the lowest aligned gap is where the last one ended. */
export class KernelMap extends RangeFigures implements KvaSpanSource {
  readonly name = 'kernel_map';
  readonly importQuantum = SUPERPAGE_BYTES;
  readonly freeTags = 1;
  readonly lookups = 0;
  readonly searches = 0;
  readonly hashBuckets = 0;
  readonly base: Address;

  constructor(skippedBytes: Bytes) {
    const base = roundUp(KERNEL_MIN + skippedBytes, SUPERPAGE_BYTES);
    super(KERNEL_END - base);
    this.base = base;
  }

  /** All imports touch. */
  get allocTags(): number {
    return this.inUseBytes === 0 ? 0 : 1;
  }

  importSpan(size: Bytes): Address {
    const start = this.base + this.inUseBytes;
    if (start + size > KERNEL_END) {
      this.fails++;
      return NO_ADDRESS;
    }
    this.allocs++;
    this.inUseBytes += size;
    this.reach(start, start + size);
    return start;
  }
}

/** Superpage-aligned imports from the arena above, kept for good (kva_import_domain). */
class SuperpageImports implements KvaSpanSource {
  readonly importQuantum = SUPERPAGE_BYTES;
  private readonly above: KvaSupply;

  constructor(above: KvaSupply) {
    this.above = above;
  }

  importSpan(size: Bytes): Address {
    return this.above.allocAligned(size, SUPERPAGE_BYTES);
  }
}

/**
 * Imports of 512 slots of which 511 are used, so that the first can begin at a multiple of its length, counted from the
 * start of kernel address space. Mirrors vm_kstack_import and its release, vm_glue.c [freebsd@7a79d06697].
 */
class SlotImports implements KvaSpanSource {
  readonly importQuantum: Bytes;
  private readonly above: KvaSupply;
  readonly lostBytes: Bytes;
  private readonly slotBytes: Bytes;

  constructor(above: KvaSupply, slotBytes: Bytes) {
    this.above = above;
    this.slotBytes = slotBytes;
    this.lostBytes = slotBytes;
    this.importQuantum = slotBytes * (RESERVATION_PAGES - 1);
  }

  importSpan(size: Bytes): Address {
    const start = this.above.allocAligned(size + this.slotBytes, SUPERPAGE_BYTES);
    return start === NO_ADDRESS ? start : KERNEL_MIN + roundUp(start - KERNEL_MIN, this.slotBytes);
  }

  releaseSpan(start: Address, size: Bytes): void {
    this.above.free(roundDown(start, SUPERPAGE_BYTES), size + this.slotBytes);
  }
}

/** Arenas of kernel address space, one memory domain. */
export class KernelKva {
  readonly map: KernelMap;
  readonly kernelArena: KvaArena;
  readonly domainArena: KvaArena;
  /** Of default-size stacks in the dense layout of 2024. */
  readonly stackArena: KvaArena;

  /** `skippedBytes` at the start of kernel address space are taken by others. */
  constructor(skippedBytes: Bytes, slotBytes: Bytes) {
    this.map = new KernelMap(skippedBytes);
    this.kernelArena = new KvaArena('kernel arena', this.map);
    this.domainArena = new KvaArena('kernel arena domain 0', new SuperpageImports(this.kernelArena));
    this.stackArena = new KvaArena('kstack arena domain 0', new SlotImports(this.domainArena, slotBytes));
  }
}

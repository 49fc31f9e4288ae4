import { type Address, NO_ADDRESS } from '../../core/address.js';
import { type Bytes, highBit } from '../../core/units.js';
import { type ArenaHost, type ArenaSpec, TOP, VmemArena } from '../illumos-vmem/arena.js';
import { KM_FLAGS, POLICY_FLAGS, VmFlag } from '../illumos-vmem/flags.js';
import { NO_TAG } from '../illumos-vmem/tags.js';

/** Spare structures that an arena must have before it begins an operation: 12 in reserve, and 4 that it may need. */
export const MIN_SPARE_SEGMENTS = 16;

/** Segment structures that a new span takes, that cutting the left end off its segment takes, and the worst case. */
const PER_SPAN = 2;
const PER_LEFT_CUT = 1;
const PER_OPERATION_AT_MOST = 4;

/** Where arenas get their structures from. */
export interface ArenaMetadata {
  /** vmem_populate: brings the arena to MIN_SPARE_SEGMENTS. Returns whether the operation may go on. */
  populate(arena: HostedArena, flags: number): boolean;
  /** Memory for a hash table; NO_ADDRESS when there is none. */
  allocSegmentTable(buckets: number): Address;
  freeSegmentTable(table: Address, buckets: number): void;
}

/**
 * An arena whose segment structures and hash table come from modelled memory. Of its spare structures (vm_segfree)
 * only the number matters: each tag uses up one, and those of destroyed tags stay with the arena.
 * Mirrors the metadata part of vmem_alloc, vmem_xalloc, vmem_nextfit_alloc, vmem_add and vmem_hash_rescale, vmem.c
 * [illumos@94ab2e1].
 */
export class HostedArena extends VmemArena {
  private readonly metadata: ArenaMetadata;
  private supplied = 0;
  private reserved = 0;
  /** The hash table's memory once it is no longer the one inside the arena structure, else 0. */
  private hashTable: Address = 0;
  /** A span that was imported in vain and goes back at the end of the operation; no bytes = none. */
  private unneededBase: Address = 0;
  private unneededBytes: Bytes = 0;

  constructor(spec: ArenaSpec, host: ArenaHost, metadata: ArenaMetadata) {
    super(spec, host);
    this.metadata = metadata;
  }

  /** Spare segment structures (vm_nsegfree). */
  get spareSegments(): number {
    return this.supplied - this.reserved - this.spanTags - this.freeTags - this.allocTags;
  }

  addSegments(count: number): void {
    this.supplied += count;
  }

  override addSpan(base: Address, size: Bytes): void {
    this.ensureSegments(0);
    super.addSpan(base, size);
  }

  /** Sees to it that an operation will not run out; false if it must fail. `flags` go to the supply. */
  ensureSegments(flags: number): boolean {
    return this.spareSegments >= MIN_SPARE_SEGMENTS || this.metadata.populate(this, flags);
  }

  /** Next fit fails without structures; instant fit leaves that to xalloc, as it does a lack of fits. */
  protected override allocTag(size: Bytes, flags: number): number {
    if ((flags & VmFlag.NEXTFIT) !== 0)
      return this.ensureSegments(flags) ? super.allocTag(size, flags) : NO_TAG;
    if ((flags & POLICY_FLAGS) !== 0 || this.ensureSegments(flags)) return super.allocTag(size, flags);
    return this.xallocTag(size, this.quantum, 0, 0, 0, 0, flags);
  }

  override xallocTag(
    size: Bytes,
    align: Bytes,
    phase: Bytes,
    nocross: Bytes,
    minAddress: Address,
    maxAddress: Address,
    flags: number,
  ): number {
    if (!this.ensureSegments(flags)) {
      this.fails++;
      return NO_TAG;
    }
    const tag = super.xallocTag(size, align, phase, nocross, minAddress, maxAddress, flags);
    if (this.unneededBytes > 0) this.returnUnneeded();
    return tag;
  }

  /**
   * The structures for the span and for cutting the request from it are set aside meanwhile. Their count must be
   * precise, because an import on behalf of populate lives on the reserve.
   */
  protected override import(size: Bytes, align: Bytes, phase: Bytes, flags: number): number {
    const { source } = this;
    if (source === null) return NO_TAG;
    const wanted = this.importBytesFor(source, size, align, phase);
    const exact = wanted === size && !source.mayBringMore;
    const leftCut = phase === 0 && align <= source.quantum;
    const reserved = exact ? PER_SPAN : leftCut ? PER_SPAN + PER_LEFT_CUT : PER_OPERATION_AT_MOST;
    this.reserved += reserved;
    const base = source.importSpan(wanted, align, flags & KM_FLAGS);
    this.reserved -= reserved;
    if (this.isCertainNow(this.roundUp(size + align - this.quantum), base)) {
      return this.search(size, align, phase, 0, 0, TOP, flags);
    }
    return base === NO_ADDRESS ? NO_TAG : this.takeIn(base, source.importedBytes);
  }

  protected override rescaleHash(buckets: number): void {
    const { metadata } = this;
    const present = this.hash.buckets;
    const table = metadata.allocSegmentTable(buckets);
    if (table === NO_ADDRESS) return;
    super.rescaleHash(buckets);
    if (this.hashTable !== 0) metadata.freeSegmentTable(this.hashTable, present);
    this.hashTable = table;
  }

  /**
   * Whether a segment of `needed` bytes came up during the import that ended in `base`: the import may have had to
   * take structures from this very arena. The import is then superfluous, unless it is no larger than that.
   */
  private isCertainNow(needed: Bytes, base: Address): boolean {
    const source = this.source!;
    if (this.freeLists.firstFrom(highBit(needed - 1)) === NO_TAG) return false;
    if (base === NO_ADDRESS) return true;
    if (source.importedBytes <= needed || !source.returnsSpans) return false;
    this.unneededBase = base;
    this.unneededBytes = source.importedBytes;
    return true;
  }

  private returnUnneeded(): void {
    const bytes = this.unneededBytes;
    this.unneededBytes = 0;
    this.source!.returnSpan(this.unneededBase, bytes);
  }
}

import { type Address, type AddressSpace, NO_ADDRESS } from '../../core/address.js';
import { MisuseError } from '../../core/errors.js';
import type { LockTable, SimulatedLock } from '../../core/locks.js';
import { type Bytes, highBit, isPowerOfTwo } from '../../core/units.js';
import type { ArenaFigures } from '../view.js';
import { ArenaFlag, KM_FLAGS, POLICY_FLAGS, VmFlag } from './flags.js';
import { FreeLists } from './free-lists.js';
import { NextFit } from './next-fit.js';
import { SegmentHash } from './segment-hash.js';
import type { SpanSource } from './span-source.js';
import { ANCHOR, FIRST_HEAD, FREE_LISTS, NO_TAG, SENTINEL, Tag, TagTable } from './tags.js';

/** No arena has more quantum caches than this. */
export const MAX_QUANTUM_CACHES = 16;

/** Highest end of an address range. */
export const TOP: Address = 2 ** 53;

/** Tags that one operation may create: two remainders, the allocated tag, and a span with its segment. */
const TAGS_PER_OPERATION = 8;

/** How an arena is created (vmem_create, vmem_xcreate). */
export interface ArenaSpec {
  readonly name: string;
  /** Power of two. */
  readonly quantum: Bytes;
  /** Largest size that quantum caches serve; rounded down to quanta, at most 16 of them. 0 = none. */
  readonly qcacheMax: Bytes;
  /** ArenaFlag bits. */
  readonly flags: number;
  readonly source: SpanSource | null;
}

/** What serves small sizes in front of the segment list. */
export interface QuantumCache {
  alloc(flags: number): Address;
  free(address: Address): void;
}

/** Searches and lookups of all arenas together, kept as they happen: reading it costs the same for any number of arenas. */
export interface WorkCounter {
  steps: number;
}

/** What an arena needs of its surroundings. */
export interface ArenaHost {
  readonly space: AddressSpace;
  readonly locks: LockTable;
  readonly work: WorkCounter;
  createQuantumCache(arena: VmemArena, size: Bytes): QuantumCache;
  /** Asks for a reap of the caches, because an allocation failed (kmem_reap, kmem_reap_idspace). */
  requestReap(identifiers: boolean): void;
}

/**
 * One illumos vmem arena: spans cut into segments, power-of-two free lists, quantum caches in front, imports from a
 * source behind. THEORY.md in this folder explains it; sizes are bytes, addresses numbers of the host's space.
 * Single-threaded: where the kernel sleeps, the request is counted in `waits` and refused (D1).
 * Mirrors illumos vmem.c [illumos@94ab2e1]: vmem_alloc, vmem_xalloc, vmem_free, vmem_xfree, vmem_add,
 * vmem_seg_alloc, vmem_span_create.
 */
export class VmemArena implements ArenaFigures {
  readonly name: string;
  readonly quantum: Bytes;
  readonly flags: number;
  readonly source: SpanSource | null;
  /** 0 without quantum caches. */
  readonly qcacheMax: Bytes;
  readonly minImport: Bytes;
  readonly tags = new TagTable();
  readonly freeLists = new FreeLists(this.tags);
  readonly hash: SegmentHash;
  readonly quantumCaches: readonly QuantumCache[];
  /** Tags of the spans that `addSpan` made, in this order. */
  readonly ownSpans: number[] = [];
  readonly lock: SimulatedLock;
  readonly work: WorkCounter;
  private readonly nextFit = new NextFit(this);
  private readonly perQuantum: number;
  private readonly host: ArenaHost;

  totalBytes = 0;
  inUseBytes = 0;
  importBytes = 0;
  /** Lowest start and highest end of any segment allocated so far. */
  private lowest = TOP;
  private highest = 0;
  spanTags = 0;
  allocTags = 0;
  allocs = 0;
  frees = 0;
  fails = 0;
  waits = 0;
  searches = 0;
  splits = 0;
  merges = 0;
  imports = 0;
  releases = 0;

  constructor(spec: ArenaSpec, host: ArenaHost) {
    if (!isPowerOfTwo(spec.quantum)) throw new MisuseError('quantum is not a power of two', { ...spec });
    this.name = spec.name;
    this.quantum = spec.quantum;
    this.perQuantum = 1 / spec.quantum;
    this.flags = spec.flags;
    this.source = spec.source;
    this.host = host;
    this.lock = host.locks.create('vmem');
    this.work = host.work;
    this.hash = new SegmentHash(this.tags, host.space, highBit(spec.quantum) - 1, host.work);
    const count = Math.min(Math.floor(spec.qcacheMax / spec.quantum), MAX_QUANTUM_CACHES);
    const cached = (spec.flags & ArenaFlag.NO_QCACHE) === 0;
    this.qcacheMax = cached ? count * spec.quantum : 0;
    // An arena that does without its caches imports as much at a time as their slabs would.
    this.minImport = cached ? 0 : slabBytesFor(count * spec.quantum);
    this.quantumCaches = Array.from({ length: cached ? count : 0 }, (_, index) =>
      host.createQuantumCache(this, (index + 1) * spec.quantum),
    );
  }

  get freeTags(): number {
    return this.freeLists.count;
  }

  get lookups(): number {
    return this.hash.lookups;
  }

  get hashBuckets(): number {
    return this.hash.buckets;
  }

  get reachBytes(): Bytes {
    return Math.max(0, this.highest - this.lowest);
  }

  /** The space whose numbers the arena's addresses are. */
  get space(): AddressSpace {
    return this.host.space;
  }

  /** vmem_add: a span of the arena's own. @throws MisuseError unless base and size are positive quanta. */
  addSpan(base: Address, size: Bytes): void {
    if (!(base > 0 && size > 0)) throw new MisuseError('bad span', { arena: this.name, base, size });
    this.lock.acquire();
    this.ownSpans.push(this.tags.previous[this.createSpan(base, size, Tag.span)]!);
  }

  /** vmem_alloc. `size` > 0 bytes, `flags` VmFlag bits. Returns NO_ADDRESS when exhausted. */
  alloc(size: Bytes, flags: number): Address {
    if (size <= this.qcacheMax && size > 0) return this.quantumCacheFor(size).alloc(flags & KM_FLAGS);
    return this.startOf(this.allocTag(size, flags));
  }

  /** vmem_free of what `alloc` returned for a size of the same quantum cache, or of the same size. */
  free(address: Address, size: Bytes): void {
    if (size <= this.qcacheMax && size > 0) this.quantumCacheFor(size).free(address);
    else this.xfree(address, size);
  }

  /**
   * vmem_xalloc. 0 stands for no constraint; `maxAddress` is exclusive. Never uses quantum caches.
   * @throws MisuseError where the kernel panics on its arguments.
   */
  xalloc(
    size: Bytes,
    align: Bytes,
    phase: Bytes,
    nocross: Bytes,
    minAddress: Address,
    maxAddress: Address,
    flags: number,
  ): Address {
    const alignment = align === 0 ? this.quantum : align;
    this.checkConstraint(size, alignment, phase, nocross, minAddress, maxAddress);
    return this.startOf(this.xallocTag(size, alignment, phase, nocross, minAddress, maxAddress, flags));
  }

  /** vmem_xfree. @throws MisuseError for an address or size that is not allocated. */
  xfree(address: Address, size: Bytes): void {
    this.lock.acquire();
    const { tags, freeLists } = this;
    const { end, next, previous, type } = tags;
    let tag = this.hash.remove(address);
    if (tag === NO_TAG || end[tag]! - address !== size) {
      throw new MisuseError('free of a segment that is not allocated', { arena: this.name, address, size });
    }
    this.frees++;
    this.allocTags--;
    this.inUseBytes -= size;
    end[tag] = address + this.roundUp(size);
    const right = next[tag]!;
    if (type[right] === Tag.free) {
      freeLists.remove(right);
      end[tag] = end[right]!;
      tags.destroy(right);
      this.merges++;
    }
    const left = previous[tag]!;
    if (type[left] === Tag.free) {
      freeLists.remove(left);
      end[left] = end[tag]!;
      tags.destroy(tag);
      this.merges++;
      tag = left;
    }
    if (this.fillsImportedSpan(tag)) this.releaseSpan(tag);
    else freeLists.insert(tag);
  }

  /** vmem_update: fits the hash table to the number of live segments. */
  update(): void {
    const buckets = this.hash.wantedBuckets(this.allocs - this.frees);
    if (buckets !== this.hash.buckets) this.rescaleHash(buckets);
  }

  protected rescaleHash(buckets: number): void {
    this.lock.acquire();
    this.hash.rescale(buckets);
  }

  /** Whether a segment is all there is of an imported span that can go back. */
  fillsImportedSpan(tag: number): boolean {
    const { tags } = this;
    return (
      tags.type[tags.previous[tag]!] === Tag.importedSpan &&
      tags.isSpan(tags.next[tag]!) &&
      this.source?.returnsSpans === true
    );
  }

  /** Gives the span of segment `tag`, which is on no free list, back to the source. */
  releaseSpan(tag: number): void {
    const { tags } = this;
    const span = tags.previous[tag]!;
    const base = tags.start[span]!;
    const size = tags.end[span]! - base;
    tags.destroy(tag);
    tags.destroy(span);
    this.spanTags--;
    this.totalBytes -= size;
    this.importBytes -= size;
    this.releases++;
    this.source!.returnSpan(base, size);
  }

  /**
   * Turns [address, address + size) of the free segment `tag` into an allocated one; its end stays unrounded.
   * In the shortcut the segment keeps its place in its list: only its start moves. Otherwise the right remainder is
   * listed before the left one, so the left one ends up nearer to the head. Returns the allocated tag.
   */
  carve(tag: number, address: Address, size: Bytes): number {
    const { tags, freeLists } = this;
    const { start, end } = tags;
    const from = start[tag]!;
    const to = end[tag]!;
    const taken = this.roundUp(size);
    const rest = to - from - taken;
    if (address === from && rest > 0 && highBit(rest) === highBit(to - from)) {
      this.splits++;
      return this.carveInPlace(tag, address, size, taken);
    }
    freeLists.remove(tag);
    if (to !== address + taken) {
      this.splits++;
      freeLists.insert(tags.createAfter(tag, Tag.free, address + taken, to));
    }
    if (from !== address) {
      this.splits++;
      freeLists.insert(tags.createAfter(tags.previous[tag]!, Tag.free, from, address));
    }
    start[tag] = address;
    end[tag] = address + size;
    tags.type[tag] = Tag.alloc;
    this.countAlloc(tag, size);
    return tag;
  }

  /** The shortcut of `carve`: a new tag in front of `before`, the free segment `tag` starts later. */
  carveInPlace(tag: number, address: Address, size: Bytes, taken: Bytes, before = tag): number {
    const { tags } = this;
    this.freeLists.shorten(tag, address + taken);
    const allocated = tags.createAfter(tags.previous[before]!, Tag.alloc, address, address + size);
    this.countAlloc(allocated, size);
    return allocated;
  }

  /** Rounds up to the quantum: exact, since a division by a power of two loses nothing. */
  roundUp(size: Bytes): Bytes {
    return Math.ceil(size * this.perQuantum) * this.quantum;
  }

  /** Refuses a request: the caches are asked to give back what they do not need, too late for this one. Returns NO_TAG. */
  refuse(flags: number): number {
    if ((flags & VmFlag.ABORT) === 0) this.host.requestReap((this.flags & ArenaFlag.IDENTIFIER) !== 0);
    if ((flags & (VmFlag.NOSLEEP | VmFlag.ABORT)) !== 0) this.fails++;
    else this.waits++;
    return NO_TAG;
  }

  private quantumCacheFor(size: Bytes): QuantumCache {
    return this.quantumCaches[((size - 1) * this.perQuantum) | 0]!;
  }

  private startOf(tag: number): Address {
    return tag === NO_TAG ? NO_ADDRESS : this.tags.start[tag]!;
  }

  /** Internally a result is the allocated tag, or NO_TAG: an address would be boxed at every call. */
  protected allocTag(size: Bytes, flags: number): number {
    if (!(size > 0)) throw new MisuseError('allocation of no bytes', { arena: this.name, size, flags });
    if ((flags & VmFlag.NEXTFIT) !== 0) {
      this.lock.acquire();
      this.tags.reserve(TAGS_PER_OPERATION);
      return this.nextFit.alloc(size, flags);
    }
    const tag = (flags & POLICY_FLAGS) !== 0 ? NO_TAG : this.freeLists.firstFrom(highBit(size - 1));
    if (tag === NO_TAG) return this.xallocTag(size, this.quantum, 0, 0, 0, 0, flags);
    return this.instantFit(tag, size, flags);
  }

  /** `tag` is the first member of the first list all of whose members fit. */
  private instantFit(tag: number, size: Bytes, flags: number): number {
    const { tags } = this;
    this.lock.acquire();
    tags.reserve(TAGS_PER_OPERATION);
    if ((flags & VmFlag.ENDALLOC) === 0) return this.carve(tag, tags.start[tag]!, size);
    if (size % this.quantum !== 0) {
      throw new MisuseError('ENDALLOC of unaligned size', { arena: this.name, size, quantum: this.quantum });
    }
    return this.carve(tag, tags.end[tag]! - size, size);
  }

  /** vmem_xalloc with its arguments checked; for NextFit as well. */
  xallocTag(
    size: Bytes,
    align: Bytes,
    phase: Bytes,
    nocross: Bytes,
    minAddress: Address,
    maxAddress: Address,
    flags: number,
  ): number {
    this.lock.acquire();
    this.tags.reserve(TAGS_PER_OPERATION);
    const limit = maxAddress === 0 ? TOP : maxAddress;
    let tag = this.search(size, align, phase, nocross, minAddress, limit, flags);
    if (tag === NO_TAG && nocross === 0 && minAddress === 0 && maxAddress === 0) {
      tag = this.import(size, align, phase, flags);
    }
    if (tag === NO_TAG) return this.refuse(flags);
    const { start, end } = this.tags;
    let address = place(Math.max(start[tag]!, minAddress), size, align, phase, nocross);
    if ((flags & VmFlag.ENDALLOC) !== 0) {
      address += Math.floor((end[tag]! - (address + size)) / align) * align;
    }
    return this.carve(tag, address, size);
  }

  /**
   * Walks the free lists for a segment that can hold the request and returns its tag.
   * Best fit takes the smallest of the first list that has any fit, the first met among equals, and stops early on
   * an exact size; the other policies take the first fit in list order.
   */
  protected search(
    size: Bytes,
    align: Bytes,
    phase: Bytes,
    nocross: Bytes,
    minAddress: Address,
    limit: Address,
    flags: number,
  ): number {
    const { freeLists } = this;
    const { kinNext, start, end, type } = this.tags;
    const best = (flags & VmFlag.BESTFIT) !== 0;
    let found = NO_TAG;
    let foundBytes = Number.POSITIVE_INFINITY;
    const searchesBefore = this.searches;
    let tag = freeLists.firstFrom(this.firstList(size, flags));
    while (tag !== NO_TAG) {
      this.searches++;
      if (type[tag] === Tag.head) {
        if (found !== NO_TAG || tag === SENTINEL) break;
        tag = freeLists.firstFrom(tag - FIRST_HEAD);
        continue;
      }
      const from = Math.max(start[tag]!, minAddress);
      const to = Math.min(end[tag]!, limit);
      const bytes = end[tag]! - start[tag]!;
      // Not: address + size <= to, for behind an address of 2^53 odd sums are not exact.
      if (from < to && bytes < foundBytes && place(from, size, align, phase, nocross) <= to - size) {
        found = tag;
        foundBytes = bytes;
        if (!best || bytes === size) break;
      }
      tag = kinNext[tag]!;
    }
    this.work.steps += this.searches - searchesBefore;
    return found;
  }

  /** The list to begin with: for a power of two its own; else the one that might fit only if nothing larger must. */
  private firstList(size: Bytes, flags: number): number {
    if (isPowerOfTwo(size)) return highBit(size) - 1;
    const sure = highBit(size);
    const mightFit =
      sure === FREE_LISTS ||
      (flags & (VmFlag.BESTFIT | VmFlag.FIRSTFIT)) !== 0 ||
      this.freeLists.firstFrom(sure) === 0;
    return mightFit ? sure - 1 : sure;
  }

  /** Imports a span that holds the request. Returns its segment, or NO_TAG. */
  protected import(size: Bytes, align: Bytes, phase: Bytes, flags: number): number {
    const { source } = this;
    if (source === null) return NO_TAG;
    const base = source.importSpan(this.importBytesFor(source, size, align, phase), align, flags & KM_FLAGS);
    return base === NO_ADDRESS ? NO_TAG : this.takeIn(base, source.importedBytes);
  }

  /** Bytes to import so that the request fits wherever the span lies. */
  protected importBytesFor(source: SpanSource, size: Bytes, align: Bytes, phase: Bytes): Bytes {
    const granule = Math.max(this.quantum, source.quantum);
    let slack = phase;
    if (align > granule && (this.flags & ArenaFlag.XALIGN) === 0) {
      slack = phase % granule !== 0 ? align - this.quantum : align - granule;
    }
    return Math.ceil(Math.max(size + slack, this.minImport) / granule) * granule;
  }

  /** Makes what was imported a span. Returns its segment. */
  protected takeIn(base: Address, bytes: Bytes): number {
    this.imports++;
    return this.createSpan(base, bytes, Tag.importedSpan);
  }

  /** A span at the end of the arena list, all of it free. Returns its segment. */
  private createSpan(base: Address, size: Bytes, type: number): number {
    const { tags } = this;
    if (base % this.quantum !== 0 || size % this.quantum !== 0) {
      throw new MisuseError('misaligned span', { arena: this.name, quantum: this.quantum, base, size });
    }
    tags.reserve(TAGS_PER_OPERATION);
    const span = tags.createAfter(tags.previous[ANCHOR]!, type, base, base + size);
    const segment = tags.createAfter(span, Tag.free, base, base + size);
    this.freeLists.insert(segment);
    this.spanTags++;
    this.totalBytes += size;
    if (type === Tag.importedSpan) this.importBytes += size;
    return segment;
  }

  private countAlloc(tag: number, size: Bytes): void {
    this.hash.insert(tag);
    this.allocs++;
    this.allocTags++;
    this.inUseBytes += size;
    if (this.tags.start[tag]! < this.lowest) this.lowest = this.tags.start[tag]!;
    if (this.tags.end[tag]! > this.highest) this.highest = this.tags.end[tag]!;
  }

  private checkConstraint(
    size: Bytes,
    align: Bytes,
    phase: Bytes,
    nocross: Bytes,
    minAddress: Address,
    maxAddress: Address,
  ): void {
    const { quantum } = this;
    const misaligned = align % quantum !== 0 || phase % quantum !== 0 || nocross % quantum !== 0;
    const odd = !isPowerOfTwo(align) || (nocross !== 0 && !isPowerOfTwo(nocross)) || phase >= align;
    const crossing =
      nocross !== 0 && (align > nocross || Math.ceil((phase + size) / align) * align > nocross);
    if (!(size > 0) || misaligned || odd || crossing) {
      const args = { size, align, phase, nocross, minAddress, maxAddress };
      throw new MisuseError('bad arguments of xalloc', { arena: this.name, ...args });
    }
  }
}

/**
 * Smallest address ≥ `from` that is ≡ phase (mod align) and, if `nocross` is set, whose `size` bytes do not straddle a
 * multiple of it. Going past the boundary keeps the phase.
 */
function place(from: Address, size: Bytes, align: Bytes, phase: Bytes, nocross: Bytes): Address {
  const address = Math.ceil((from - phase) / align) * align + phase;
  if (nocross === 0) return address;
  const boundary = Math.ceil(address / nocross) * nocross;
  if (Math.floor(address / nocross) === Math.floor((address + size - 1) / nocross)) return address;
  return address + Math.ceil((boundary - address) / align) * align;
}

/** Slab size of all quantum caches of an arena: a power of two above three of the largest buffers. */
export function slabBytesFor(qcacheMax: Bytes): Bytes {
  return Math.max(2 ** highBit(3 * qcacheMax), 64);
}

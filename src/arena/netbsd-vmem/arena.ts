import { type Address, type AddressSpace, NO_ADDRESS } from '../../core/address.js';
import { MisuseError } from '../../core/errors.js';
import type { LockTable, SimulatedLock } from '../../core/locks.js';
import { type Bytes, isPowerOfTwo } from '../../core/units.js';
import type { PoolCache } from '../netbsd-pool/pool-cache.js';
import type { ArenaFigures } from '../view.js';
import { BusyHash } from './busy-hash.js';
import { ArenaFlag, VmFlag } from './flags.js';
import { FreeLists } from './free-lists.js';
import { place } from './placement.js';
import type { VmemRules } from './rules.js';
import type { SpanSource } from './span-source.js';
import type { TagStore } from './spare-tags.js';
import { FREE_LISTS, NO_TAG, Tag, TagTable } from './tags.js';

/** Highest address, as an inclusive bound (VMEM_ADDR_MAX). */
export const LAST_ADDRESS: Address = 2 ** 53 - 1;

/** By how much an arena with LARGEIMPORT imports more than it was asked for. */
const LARGE_IMPORT = 16;

/** How an arena is created (vmem_create, vmem_xcreate). */
export interface ArenaSpec {
  readonly name: string;
  /** Power of two. */
  readonly quantum: Bytes;
  /** Largest size that quantum caches serve, a multiple of the quantum, cut off at the rules' maximum. 0 = none. */
  readonly qcacheMax: Bytes;
  /** ArenaFlag bits. */
  readonly flags: number;
  readonly source: SpanSource | null;
}

/** Searches and lookups of all arenas together, kept as they happen: reading it costs the same for any number of arenas. */
export interface WorkCounter {
  steps: number;
}

/** What an arena needs of its surroundings. */
export interface ArenaHost {
  readonly space: AddressSpace;
  readonly locks: LockTable;
  readonly rules: VmemRules;
  readonly work: WorkCounter;
  createTagStore(tags: TagTable, lock: SimulatedLock): TagStore;
  /** The caches for 1 to `quanta` quanta; sizes may share one. */
  createQuantumCaches(arena: VmemArena, quanta: number): readonly PoolCache[];
}

/**
 * One NetBSD vmem arena: spans cut into segments, free lists by powers of two, quantum caches in front, imports from a
 * source behind. THEORY.md in this folder explains it; sizes are bytes, addresses numbers of the host's space.
 * Single-threaded: where the kernel sleeps, the request is counted in `waits` and refused (D1).
 * Mirrors vmem_alloc, vmem_xalloc, vmem_free, vmem_xfree, vmem_add, vmem_import, subr_vmem.c [netbsd@b7a6451]; with
 * OLD_RULES and PooledTags, those of [netbsd@301a139].
 */
export class VmemArena implements ArenaFigures {
  readonly name: string;
  readonly quantum: Bytes;
  readonly flags: number;
  readonly source: SpanSource | null;
  /** 0 without quantum caches. */
  readonly qcacheMax: Bytes;
  readonly tags = new TagTable();
  readonly freeLists: FreeLists;
  readonly hash: BusyHash;
  readonly spares: TagStore;
  /** The cache for n quanta is at n - 1. */
  readonly quantumCaches: readonly PoolCache[];
  readonly lock: SimulatedLock;
  readonly space: AddressSpace;
  private readonly work: WorkCounter;
  private readonly boundedImports: boolean;
  private readonly perQuantum: number;

  totalBytes = 0;
  inUseBytes = 0;
  importBytes = 0;
  /** Lowest start and highest end of any segment allocated so far. */
  private lowest = LAST_ADDRESS;
  private highest = 0;
  spanTags = 0;
  allocs = 0;
  frees = 0;
  fails = 0;
  waits = 0;
  searches = 0;
  splits = 0;
  merges = 0;
  imports = 0;
  releases = 0;
  importFails = 0;

  constructor(spec: ArenaSpec, host: ArenaHost) {
    if (!isPowerOfTwo(spec.quantum)) throw new MisuseError('quantum is not a power of two', { ...spec });
    if (spec.qcacheMax % spec.quantum !== 0) {
      throw new MisuseError('qcache_max is not a multiple of the quantum', { ...spec });
    }
    this.name = spec.name;
    this.quantum = spec.quantum;
    this.perQuantum = 1 / spec.quantum;
    this.flags = spec.flags;
    this.source = spec.source;
    this.space = host.space;
    this.lock = host.locks.create('vmem');
    this.freeLists = new FreeLists(this.tags, spec.quantum);
    this.work = host.work;
    this.boundedImports = host.rules.boundedImports;
    this.hash = new BusyHash(this.tags, host.space, host.work, host.rules.maxChains);
    this.spares = host.createTagStore(this.tags, this.lock);
    const quanta = Math.min(spec.qcacheMax / spec.quantum, host.rules.maxCachedQuanta);
    this.qcacheMax = quanta * spec.quantum;
    this.quantumCaches = quanta > 0 ? host.createQuantumCaches(this, quanta) : [];
  }

  get freeTags(): number {
    return this.freeLists.count;
  }

  get allocTags(): number {
    return this.hash.count;
  }

  get lookups(): number {
    return this.hash.lookups;
  }

  get hashBuckets(): number {
    return this.hash.chains;
  }

  get reachBytes(): Bytes {
    return Math.max(0, this.highest - this.lowest);
  }

  /**
   * vmem_add: a static span. Returns whether there were tags for it.
   * @throws MisuseError unless base and size are quanta and the size is positive.
   */
  addSpan(base: Address, size: Bytes): boolean {
    if (!(size > 0) || size % this.quantum !== 0 || base % this.quantum !== 0 || !(base >= 0)) {
      throw new MisuseError('bad span', { arena: this.name, base, size, quantum: this.quantum });
    }
    return this.createSpan(base, size, Tag.staticSpan, 0);
  }

  /** vmem_alloc. `size` > 0 bytes, `flags` VmFlag bits. Returns NO_ADDRESS when exhausted. */
  alloc(size: Bytes, flags: number): Address {
    if (size <= this.qcacheMax && size > 0) return this.quantumCacheFor(size).get();
    const tag = this.allocTag(size, flags);
    return tag === NO_TAG ? NO_ADDRESS : this.tags.start[tag]!;
  }

  /** vmem_free of what `alloc` returned for a size of the same quantum cache, or of the same size. */
  free(address: Address, size: Bytes): void {
    if (size <= this.qcacheMax && size > 0) this.quantumCacheFor(size).put(address);
    else this.xfree(address, size);
  }

  /**
   * vmem_xalloc. 0 stands for no alignment, phase or nocross; the bounds are inclusive. Never uses quantum caches.
   * @throws MisuseError where the kernel asserts something of its arguments.
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
    const first = this.spares.take(flags);
    if (first === NO_TAG) return this.refuse(flags);
    const second = this.spares.take(flags);
    if (second === NO_TAG) {
      this.spares.give(first);
      return this.refuse(flags);
    }
    const bytes = this.roundUp(size);
    const tag = this.findConstrained(bytes, alignment, phase, nocross, minAddress, maxAddress, flags);
    if (tag === NO_TAG) return this.refuseWith(first, second, flags);
    const { start } = this.tags;
    const address = place(Math.max(start[tag]!, minAddress), bytes, alignment, phase, nocross);
    return start[this.carve(tag, address - start[tag]!, bytes, first, second)]!;
  }

  /** vmem_xfree. @throws MisuseError for an address or size that is not allocated. */
  xfree(address: Address, size: Bytes): void {
    const tag = this.hash.remove(address);
    if (tag === NO_TAG || this.tags.size[tag] !== this.roundUp(size)) {
      throw new MisuseError('free of a segment that is not allocated', { arena: this.name, address, size });
    }
    this.freeTag(tag);
    this.spares.trim();
  }

  /** The tag's segment becomes free and merges with its neighbours, or its span goes back. */
  private freeTag(tag: number): void {
    this.lock.acquire();
    const { tags, spares } = this;
    const { size, next, previous, type } = tags;
    this.frees++;
    this.inUseBytes -= size[tag]!;
    const right = this.absorb(tag, next[tag]!);
    const left = this.absorb(tag, previous[tag]!);
    if (left !== NO_TAG) tags.start[tag] = tags.start[left]!;
    const before = previous[tag]!;
    if (type[before] === Tag.span && size[before] === size[tag] && this.source !== null) {
      this.releaseSpan(before, tag);
      spares.give(before);
      spares.give(tag);
    } else this.freeLists.insert(tag);
    if (left !== NO_TAG) spares.give(left);
    if (right !== NO_TAG) spares.give(right);
  }

  /** If `other` is free, `tag` grows by it; returns `other` unlinked, or NO_TAG. */
  private absorb(tag: number, other: number): number {
    const { tags } = this;
    if (tags.type[other] !== Tag.free) return NO_TAG;
    this.freeLists.remove(other);
    tags.unlink(other);
    tags.size[tag] = tags.size[tag]! + tags.size[other]!;
    this.merges++;
    return other;
  }

  private releaseSpan(span: number, tag: number): void {
    const { tags } = this;
    const base = tags.start[span]!;
    const bytes = tags.size[span]!;
    tags.unlink(tag);
    tags.unlink(span);
    this.spanTags--;
    this.totalBytes -= bytes;
    this.importBytes -= bytes;
    this.releases++;
    this.source!.returnSpan(base, bytes);
  }

  /** Rounds up to the quantum: exact, since a division by a power of two loses nothing. */
  roundUp(size: Bytes): Bytes {
    return Math.ceil(size * this.perQuantum) * this.quantum;
  }

  private quantumCacheFor(size: Bytes): PoolCache {
    return this.quantumCaches[Math.ceil(size * this.perQuantum) - 1]!;
  }

  /** vmem_xalloc without constraints. Internally a result is the busy tag: an address would be boxed at every call. */
  private allocTag(size: Bytes, flags: number): number {
    if (!(size > 0)) throw new MisuseError('allocation of no bytes', { arena: this.name, size, flags });
    const { spares } = this;
    const first = spares.take(flags);
    if (first === NO_TAG) return this.refuseTag(flags);
    const second = spares.take(flags);
    if (second === NO_TAG) {
      spares.give(first);
      return this.refuseTag(flags);
    }
    const bytes = this.roundUp(size);
    let tag = (flags & VmFlag.BESTFIT) === 0 ? this.instantFit(bytes) : NO_TAG;
    if (tag === NO_TAG) tag = this.bestFit(bytes);
    if (tag === NO_TAG) tag = this.importFor(bytes, flags);
    if (tag === NO_TAG) {
      spares.give(first);
      spares.give(second);
      return this.refuseTag(flags);
    }
    return this.carve(tag, 0, bytes, first, second);
  }

  /** Imports once; whatever comes holds the request. */
  private importFor(bytes: Bytes, flags: number): number {
    return this.importSpan(bytes, flags) ? this.bestFit(bytes) : NO_TAG;
  }

  /** The head of the first list all of whose members are large enough. */
  private instantFit(bytes: Bytes): number {
    this.lock.acquire();
    const list = this.freeLists.listFrom(this.freeLists.instantListOf(bytes));
    if (list === FREE_LISTS) return NO_TAG;
    this.countSearches(1);
    return this.freeLists.first(list);
  }

  /** The first member that is large enough of the lowest list that has one: list order, not size, decides. */
  private bestFit(bytes: Bytes): number {
    this.lock.acquire();
    const { freeLists } = this;
    const { kinNext, size } = this.tags;
    let list = freeLists.listFrom(freeLists.listOf(bytes));
    let tag = NO_TAG;
    let passed = 0;
    while (list < FREE_LISTS) {
      tag = freeLists.first(list);
      while (tag !== NO_TAG && size[tag]! < bytes) {
        tag = kinNext[tag]!;
        passed++;
      }
      if (tag !== NO_TAG) break;
      list = freeLists.listFrom(list + 1);
    }
    this.countSearches(tag === NO_TAG ? passed : passed + 1);
    return tag;
  }

  private countSearches(elements: number): void {
    this.searches += elements;
    this.work.steps += elements;
  }

  /** Searches for as long as imports bring something: bounds stop neither the import nor its repetition. */
  private findConstrained(
    bytes: Bytes,
    align: Bytes,
    phase: Bytes,
    nocross: Bytes,
    minAddress: Address,
    maxAddress: Address,
    flags: number,
  ): number {
    let tag = NO_TAG;
    if ((flags & VmFlag.BESTFIT) === 0) {
      tag = this.search(bytes, align, phase, nocross, minAddress, maxAddress, true);
    }
    if (tag === NO_TAG) tag = this.search(bytes, align, phase, nocross, minAddress, maxAddress, false);
    if (align !== this.quantum || phase !== 0 || nocross !== 0) return tag;
    if (!this.boundedImports && (minAddress > 0 || maxAddress < LAST_ADDRESS)) return tag;
    while (tag === NO_TAG && this.importSpan(bytes, flags)) {
      tag = this.search(bytes, align, phase, nocross, minAddress, maxAddress, false);
    }
    return tag;
  }

  /** Instant fit looks at heads only, from the list all of whose members are large enough; best fit at every member. */
  private search(
    bytes: Bytes,
    align: Bytes,
    phase: Bytes,
    nocross: Bytes,
    minAddress: Address,
    maxAddress: Address,
    headsOnly: boolean,
  ): number {
    this.lock.acquire();
    const { freeLists } = this;
    const { kinNext, start, size } = this.tags;
    let list = freeLists.listFrom(headsOnly ? freeLists.instantListOf(bytes) : freeLists.listOf(bytes));
    while (list < FREE_LISTS) {
      for (let tag = freeLists.first(list); tag !== NO_TAG; tag = headsOnly ? NO_TAG : kinNext[tag]!) {
        this.countSearches(1);
        const from = Math.max(start[tag]!, minAddress);
        const last = Math.min(start[tag]! + (size[tag]! - 1), maxAddress);
        if (size[tag]! < bytes || from > last) continue;
        if (place(from, bytes, align, phase, nocross) <= last - (bytes - 1)) return tag;
      }
      list = freeLists.listFrom(list + 1);
    }
    return NO_TAG;
  }

  /**
   * Takes `bytes` out of the free segment `tag`, `front` bytes behind its start. What is in front gets the tag `forFront`
   * and is listed first; if something is left behind, that keeps its tag, and the allocation gets the tag `forTaken`.
   * Returns the busy tag; tags that were not needed become spare again.
   */
  private carve(tag: number, front: Bytes, bytes: Bytes, forTaken: number, forFront: number): number {
    const { tags, freeLists } = this;
    const { start, size, previous } = tags;
    freeLists.remove(tag);
    if (front > 0) {
      tags.set(forFront, Tag.free, start[tag]!, front);
      start[tag] = start[tag]! + front;
      size[tag] = size[tag]! - front;
      freeLists.insert(forFront);
      tags.insertAfter(forFront, previous[tag]!);
      this.splits++;
    }
    let taken = tag;
    if (size[tag]! - bytes >= this.quantum) {
      taken = forTaken;
      tags.set(forTaken, Tag.busy, start[tag]!, bytes);
      start[tag] = start[tag]! + bytes;
      size[tag] = size[tag]! - bytes;
      freeLists.insert(tag);
      tags.insertAfter(forTaken, previous[tag]!);
      this.splits++;
    } else tags.type[tag] = Tag.busy;
    this.hash.insert(taken);
    if (taken === tag) this.spares.give(forTaken);
    if (front === 0) this.spares.give(forFront);
    this.countAlloc(taken);
    return taken;
  }

  private countAlloc(tag: number): void {
    const { start, size } = this.tags;
    this.allocs++;
    this.inUseBytes += size[tag]!;
    if (start[tag]! < this.lowest) this.lowest = start[tag]!;
    const end = start[tag]! + size[tag]!;
    if (end > this.highest) this.highest = end;
  }

  /** vmem_import: a span from the source, with the request's flags. Returns whether one came. */
  private importSpan(bytes: Bytes, flags: number): boolean {
    const { source } = this;
    if (source === null) return false;
    const wanted = (this.flags & ArenaFlag.LARGEIMPORT) === 0 ? bytes : bytes * LARGE_IMPORT;
    const base = source.importSpan(wanted, flags);
    if (base === NO_ADDRESS) {
      this.importFails++;
      return false;
    }
    const imported = source.importedBytes;
    this.imports++;
    if (this.createSpan(base, imported, Tag.span, flags)) return true;
    source.returnSpan(base, imported);
    return false;
  }

  /** vmem_add1: a span at the end of the segment list, with one free segment. */
  private createSpan(base: Address, size: Bytes, type: number, flags: number): boolean {
    const { tags, spares } = this;
    const span = spares.take(flags);
    if (span === NO_TAG) return false;
    const segment = spares.take(flags);
    if (segment === NO_TAG) {
      spares.give(span);
      return false;
    }
    this.lock.acquire();
    tags.set(span, type, base, size);
    tags.set(segment, Tag.free, base, size);
    tags.insertAfter(span, tags.previous[NO_TAG]!);
    tags.insertAfter(segment, span);
    this.freeLists.insert(segment);
    this.spanTags++;
    this.totalBytes += size;
    if (type === Tag.span) this.importBytes += size;
    return true;
  }

  private refuseWith(first: number, second: number, flags: number): Address {
    this.spares.give(first);
    this.spares.give(second);
    return this.refuse(flags);
  }

  private refuse(flags: number): Address {
    this.refuseTag(flags);
    return NO_ADDRESS;
  }

  private refuseTag(flags: number): number {
    if ((flags & VmFlag.NOSLEEP) !== 0) this.fails++;
    else this.waits++;
    return NO_TAG;
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
    const bytes = this.roundUp(size);
    const crosses = nocross !== 0 && (phase % nocross) + bytes > nocross;
    if (
      size > 0 &&
      isPowerOfTwo(align) &&
      align >= quantum &&
      phase % quantum === 0 &&
      phase < align &&
      (nocross === 0 || (isPowerOfTwo(nocross) && nocross >= quantum)) &&
      !crosses &&
      minAddress <= maxAddress
    ) {
      return;
    }
    const args = { arena: this.name, size, align, phase, nocross, minAddress, maxAddress };
    throw new MisuseError('impossible constraint', args);
  }
}
